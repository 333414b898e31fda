"""stack.json: how tools and tests find a running stack."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.home import write_private


@dataclass(frozen=True)
class StackDescription:
    """A stack as it is now; `pids` has `supervisor`, `host`, `azurite` and `kafka`, null for one it lacks."""

    http_url: str
    kafka_bootstrap: str
    storage_connection_string: str
    api_key: str
    pids: dict[str, int | None]
    broker: str
    broker_volatile: bool
    notes: list[str]

    def write(self, path: Path) -> None:
        """Replaces the file at `path` in one step; only its owner can read it, for the key in it."""
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")
