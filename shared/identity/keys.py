"""API keys: made, shown once, recognised by SHA-256, revoked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from shared.identity.models import ApiKey, NewKey, Plan, Principal, Verified
from shared.identity.revocations import Revocations
from shared.platform.clock import Clock
from shared.platform.errors import NotFound, StorageUnavailable, Unauthenticated
from shared.platform.logs import get_log
from shared.platform.state_tables import API_KEYS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables, Value

KEY_FORM = re.compile(r"floe_(?P<id>[0-9a-f]{16})_(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_PARTITION = "key"
_FOREVER = timedelta(days=36_500)
# The last use is written at most this often for each key and instance.
_LAST_USE_EVERY = timedelta(hours=1)
_log = get_log("identity")


class ApiKeys:
    """All keys, in one partition of a table, by id. Every method blocks."""

    def __init__(self, tables: Tables, revocations: Revocations, clock: Clock) -> None:
        self._tables = tables
        self._revocations = revocations
        self._clock = clock

    def create(self, wanted: NewKey) -> tuple[ApiKey, str]:
        """A new key and its text, which is known nowhere from here on."""
        key_id = secrets.token_hex(8)
        secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        text = f"floe_{key_id}_{secret}"
        made = ApiKey(
            id=key_id,
            name=wanted.name,
            prefix=f"floe_{key_id}",
            scopes=tuple(sorted(set(wanted.scopes))),
            plan=wanted.plan,
            account=wanted.account or f"key-{key_id}",
            created_at=self._clock(),
            expires_at=wanted.expires_at,
            last_used_at=None,
            revoked_at=None,
        )
        try:
            self._tables.insert(API_KEYS, _row(made, _sha256(text)))
        except RowExists:  # an id of 64 random bits
            return self.create(wanted)
        _log.info("key created", key=key_id, name=wanted.name, scopes=list(made.scopes))
        return made, text

    def all(self) -> list[ApiKey]:
        """Every key, revoked ones too, oldest first."""
        found: list[Row] = []
        while rows := self._tables.query(API_KEYS, _PARTITION, after=found[-1].key if found else ""):
            found += rows
        return sorted(map(_key, found), key=lambda key: (key.created_at, key.id))

    def revoke(self, key_id: str) -> ApiKey:
        """Ends a key: at once here, within the revocations' delay elsewhere. Raises NotFound."""
        while True:
            row = self._find(key_id)
            if row is None:
                raise NotFound("There is no such key", details={"id": key_id})
            self._revocations.add(f"key-{key_id}")
            key = replace(_key(row), revoked_at=row.time("revoked_at") or self._clock())
            try:
                self._tables.replace(API_KEYS, replace(_row(key, row.text("sha256")), etag=row.etag))
            except (RowChanged, RowGone):
                continue  # its last use was written in between
            _log.info("key revoked", key=key_id)
            return key

    def verify(self, text: str) -> Verified:
        """Whose key this is; raises Unauthenticated."""
        form = KEY_FORM.fullmatch(text)
        row = self._find(form["id"]) if form else None
        if row is None or not hmac.compare_digest(row.text("sha256"), _sha256(text)):
            raise Unauthenticated("The API key is not valid")
        key = _key(row)
        now = self._clock()
        status = key.status(now)
        if status != "active":
            raise Unauthenticated(f"The API key is {status}")
        self._note_use(row, now)
        name = f"key-{key.id}"
        principal = Principal(name, frozenset(key.scopes), key.plan, key.account, "key", name)
        return Verified(principal, key.expires_at or now + _FOREVER, (name,))

    def _find(self, key_id: str) -> Row | None:
        if not _KEY_ID.fullmatch(key_id):
            return None
        with suppress(RowGone):
            return self._tables.get(API_KEYS, _PARTITION, key_id)
        return None

    def _note_use(self, row: Row, now: datetime) -> None:
        last = row.time("last_used_at")
        if last is None or now - last >= _LAST_USE_EVERY:
            # Another instance noted it, or the key was revoked just now: theirs stands.
            with suppress(RowChanged, RowGone, StorageUnavailable):
                self._tables.replace(API_KEYS, replace(row, values={**row.values, "last_used_at": now}))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _row(key: ApiKey, sha256: str) -> Row:
    values: dict[str, Value | None] = {
        "name": key.name,
        "sha256": sha256,
        "scopes": " ".join(key.scopes),
        "plan": key.plan,
        "account": key.account,
        "created_at": key.created_at,
        "ends_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
    return Row(_PARTITION, key.id, {name: value for name, value in values.items() if value is not None})


def _key(row: Row) -> ApiKey:
    created = row.time("created_at")
    assert created is not None
    return ApiKey(
        id=row.key,
        name=row.text("name"),
        prefix=f"floe_{row.key}",
        scopes=tuple(row.text("scopes").split()),
        plan=cast(Plan, row.text("plan")),
        account=row.text("account"),
        created_at=created,
        expires_at=row.time("ends_at"),
        last_used_at=row.time("last_used_at"),
        revoked_at=row.time("revoked_at"),
    )
