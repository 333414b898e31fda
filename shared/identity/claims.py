"""Unique names: a claim on a username or an email, held by one user at a time whatever happens at once.

A claim counts while the user it points to is active and bears the name. One that was left behind, by a crash
between two writes, is taken over after a minute: first the user's row is deleted or written anew, so that a
writer who was only slow finds its version changed and gives up, then the claim changes hands.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from shared.identity.models import NameKind
from shared.platform.clock import Clock
from shared.platform.errors import Conflict
from shared.platform.state_tables import USER_CLAIMS, USERS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables

USER_KEY = "user"
ACTIVE = "active"
LEFT_BEHIND_AFTER = timedelta(minutes=1)
_KEY = "claim"


class Claims:
    """Claims in a table of their own. Every method blocks."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock

    def owner(self, kind: NameKind, name: str) -> Row | None:
        """The row of the active user who bears `name`."""
        # A name that nobody claims is looked up as far as any other, so that it takes as long.
        user = self._found(USERS, self._claimant(kind, name) or "nobody", USER_KEY)
        return user if user is not None and _bears(user, kind, name) else None

    def take(self, kind: NameKind, name: str, user: str) -> Row:
        """Claims `name` for `user`; raises Conflict where somebody has it."""
        claim = Row(_partition(kind, name), _KEY, {"user": user, "taken_at": self._clock()})
        try:
            return self._tables.insert(USER_CLAIMS, claim)
        except RowExists:
            return self._take_over(kind, name, claim)

    def release(self, claim: Row) -> None:
        """Gives a claim up, unless it changed hands."""
        try:
            self._tables.delete(USER_CLAIMS, claim.partition, claim.key, claim.etag)
        except RowChanged:
            return

    def release_name(self, kind: NameKind, name: str, user: str) -> None:
        """Gives up the claim of `user` on `name`, if it is theirs."""
        claim = self._found(USER_CLAIMS, _partition(kind, name), _KEY)
        if claim is not None and claim.text("user") == user:
            self.release(claim)

    def _claimant(self, kind: NameKind, name: str) -> str:
        claim = self._found(USER_CLAIMS, _partition(kind, name), _KEY)
        return "" if claim is None else claim.text("user")

    def _found(self, table: str, partition: str, key: str) -> Row | None:
        try:
            return self._tables.get(table, partition, key)
        except RowGone:
            return None

    def _take_over(self, kind: NameKind, name: str, claim: Row) -> Row:
        taken = Conflict(f"The {kind} is taken", details={"field": kind, "issue": "is taken"})
        try:
            held = self._tables.get(USER_CLAIMS, claim.partition, _KEY)
            if not self._left_behind(kind, name, held, claim.text("user")):
                raise taken
            return self._tables.replace(USER_CLAIMS, replace(claim, etag=held.etag))
        except (RowGone, RowChanged):
            raise taken from None

    def _left_behind(self, kind: NameKind, name: str, held: Row, claimant: str) -> bool:
        """Whether nobody bears the name; then nobody else is about to. Raises RowChanged."""
        taken_at = held.time("taken_at")
        if taken_at is not None and self._clock() - taken_at < LEFT_BEHIND_AFTER:
            return False
        user = self._found(USERS, held.text("user"), USER_KEY)
        if user is not None and _bears(user, kind, name):
            return False
        if user is not None and user.partition != claimant:
            self._fence(user)
        return True

    def _fence(self, user: Row) -> None:
        """Makes a new version of the user's row, or none, so that a write based on this one fails."""
        if user.text("state") == ACTIVE:
            self._tables.replace(USERS, user)
        else:
            self._tables.delete(USERS, user.partition, user.key, user.etag)


def _bears(user: Row, kind: NameKind, name: str) -> bool:
    return user.text("state") == ACTIVE and user.text(kind).lower() == name.lower()


def _partition(kind: NameKind, name: str) -> str:
    return f"{kind}-{hashlib.sha256(name.lower().encode()).hexdigest()}"
