"""Users: registered once under a username and an email of their own, found again, changed."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from typing import cast

from shared.identity.claims import ACTIVE, USER_KEY, Claims
from shared.identity.models import NameKind, Plan, User
from shared.platform.clock import Clock
from shared.platform.errors import Conflict, NotFound, StorageUnavailable
from shared.platform.logs import get_log
from shared.platform.state_tables import USERS
from shared.platform.tables import Row, RowChanged, RowGone, Tables, Value

_log = get_log("identity")


class Users:
    """All users, each a row of its own. Every method blocks."""

    def __init__(self, tables: Tables, claims: Claims, clock: Clock) -> None:
        self._tables = tables
        self._claims = claims
        self._clock = clock

    def register(self, username: str, email: str, full_name: str, password_hash: str) -> User:
        """A new user of the free plan; raises Conflict where the username or the email is taken.

        The row comes first and is of no use until both names are claimed and it is made active.
        """
        now = self._clock()
        user = User(str(uuid.uuid4()), username, email, full_name, password_hash, "free", True, now, now)
        pending = self._tables.insert(USERS, _row(user, "pending"))
        claimed: list[Row] = []
        try:
            claimed.append(self._claims.take("username", username, user.id))
            claimed.append(self._claims.take("email", email, user.id))
            self._tables.replace(USERS, replace(_row(user, ACTIVE), etag=pending.etag))
        except (RowChanged, RowGone):
            self._undo(user.id, claimed)
            raise Conflict("The registration took too long: try again") from None
        except Exception:
            self._undo(user.id, claimed)
            raise
        _log.info("user registered", user=user.id)
        return user

    def find(self, kind: NameKind, name: str) -> User | None:
        """The user who bears that username or email; case plays no part."""
        row = self._claims.owner(kind, name)
        return None if row is None else _user(row)

    def get(self, user_id: str) -> User:
        """The user of that id; raises NotFound."""
        return _user(self._active(user_id))

    def change(self, user_id: str, *, full_name: str | None = None, email: str | None = None) -> User:
        """Changes what is given; raises NotFound, or Conflict where the email is taken."""
        row = self._active(user_id)
        user = _user(row)
        moved = email is not None and email.lower() != user.email.lower()
        # Claimed before it is written, and after the row was read: see `claims`.
        claim = self._claims.take("email", email, user_id) if moved and email is not None else None
        changed = replace(
            user,
            full_name=user.full_name if full_name is None else full_name,
            email=user.email if email is None else email,
            updated_at=self._clock(),
        )
        try:
            self._tables.replace(USERS, replace(_row(changed, ACTIVE), etag=row.etag))
        except (RowChanged, RowGone):
            if claim is not None:
                self._claims.release(claim)
            raise Conflict("The profile was changed at the same time: try again") from None
        if moved:
            with suppress(StorageUnavailable):  # left behind, it is taken over later
                self._claims.release_name("email", user.email, user_id)
        return changed

    def rehash(self, user: User, password_hash: str) -> None:
        """Keeps a hash of the same password at another cost; gives way to any other change."""
        with suppress(RowChanged, RowGone, NotFound, StorageUnavailable):
            row = self._active(user.id)
            if row.text("password_hash") == user.password_hash:
                values = {**row.values, "password_hash": password_hash}
                self._tables.replace(USERS, replace(row, values=values))

    def _active(self, user_id: str) -> Row:
        with suppress(RowGone):
            row = self._tables.get(USERS, user_id, USER_KEY)
            if row.text("state") == ACTIVE:
                return row
        raise NotFound("These credentials belong to no user")

    def _undo(self, user_id: str, claimed: list[Row]) -> None:
        """Takes back a registration; what storage does not let go is taken over later."""
        with suppress(StorageUnavailable):
            self._tables.delete(USERS, user_id, USER_KEY)
            for claim in claimed:
                self._claims.release(claim)


def _row(user: User, state: str) -> Row:
    values: dict[str, Value] = {
        "state": state,
        "username": user.username,
        "email": user.email,
        "full_name": user.full_name,
        "password_hash": user.password_hash,
        "plan": user.plan,
        "is_active": user.is_active,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }
    return Row(user.id, USER_KEY, values)


def _user(row: Row) -> User:
    created, updated = row.time("created_at"), row.time("updated_at")
    assert created is not None
    assert updated is not None
    return User(
        id=row.partition,
        username=row.text("username"),
        email=row.text("email"),
        full_name=row.text("full_name"),
        password_hash=row.text("password_hash"),
        plan=cast(Plan, row.text("plan")),
        is_active=bool(row.values["is_active"]),
        created_at=created,
        updated_at=updated,
    )
