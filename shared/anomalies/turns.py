"""Whose turn the last scan was: what an instance has in memory is good as long as no other scanned."""

from __future__ import annotations

import secrets
from contextlib import suppress

from shared.platform.state_tables import ANOMALIES
from shared.platform.tables import Row, RowExists, RowGone, Tables

_PARTITION = "scan"
_KEY = "owner"


class Turns:
    """To be used while the scan's lease is held. Every method blocks, and raises StorageUnavailable."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._name = secrets.token_hex(8)

    def is_ours(self) -> bool:
        """Whether nobody else scanned since this instance took its turn."""
        try:
            return self._tables.get(ANOMALIES, _PARTITION, _KEY).text("owner") == self._name
        except RowGone:
            return False

    def take(self) -> None:
        """Makes the turn this instance's."""
        with suppress(RowExists):
            self._tables.insert(ANOMALIES, Row(_PARTITION, _KEY, {"owner": self._name}))
            return
        row = self._tables.get(ANOMALIES, _PARTITION, _KEY)
        self._tables.replace(ANOMALIES, Row(_PARTITION, _KEY, {"owner": self._name}, row.etag))
