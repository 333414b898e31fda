"""The data files of a container, hot and cold, as storage lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A data file: name within its container, bytes, and what storage says of it."""

    name: str
    size: int
    modified: datetime
    content_type: str | None
    tier: str | None


class FileListing(Protocol):
    """Lists data files."""

    def page(self, container: str, prefix: str, after: str | None, limit: int) -> Sequence[StoredFile]:
        """The first `limit` files, in the order of their names, whose names start with `prefix` and come
        after `after`. Whatever stands below a name that begins with `_`, such as the table's log, is none.

        Costs by `limit`, not by the number of files. Raises StorageUnavailable. Blocks.
        """
