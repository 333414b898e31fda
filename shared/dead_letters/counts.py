"""What a replay counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Counts(msgspec.Struct):
    """Letters that were looked at, those of them that gave rows, these rows; and what is still dead, by the
    reason of today."""

    letters: int = 0
    replayed: int = 0
    rows: int = 0
    still_dead: dict[str, int] = {}

    def added_to(self, outcome: Mapping[str, Any]) -> dict[str, Any]:
        """`outcome` and these together."""
        before = msgspec.convert(dict(outcome), Counts)
        dead = before.still_dead
        for reason, count in self.still_dead.items():
            dead[reason] = dead.get(reason, 0) + count
        return {
            "letters": before.letters + self.letters,
            "replayed": before.replayed + self.replayed,
            "rows": before.rows + self.rows,
            "still_dead": dead,
        }
