"""Listings of data files: in order, in parts, without the table's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.file_listing import AzureFileListing
from shared.lake.file_listing import FileListing
from shared.lake.ports import Blobs
from shared.platform.errors import StorageUnavailable
from shared.streams.readings import READINGS
from tests.fakes import MemoryBlobs
from tests.fakes.file_listing import MemoryFileListing
from tests.place import Place

NAMES = [
    "%20/2025/09/30/12/s.parquet",
    "0/2025/09/30/12/s.parquet",
    "Asset/2025/09/30/12/s%2Ft.parquet",
    "Asset/2025/09/30/12/s.parquet",
    "_delta_log/00000000000000000000.json",
    "_delta_log/_last_checkpoint",
    "_floe/summaries/00000000000000000000.json",
    "_weird.parquet",
    "a_b/2025/09/30/12/s.parquet",
    "asset/2025/09/30/12/s-2.parquet",
    "asset/2025/09/30/12/s.parquet",
    "raw/asset/2025/09/30/12/s.parquet",
    "~/2025/09/30/12/s.parquet",
]
FILES = [name for name in NAMES if not name.startswith("_")]


class Setting:
    """A listing over the names, in a container."""

    def __init__(self, listing: FileListing, blobs: Blobs, container: str) -> None:
        self.listing = listing
        self.container = container
        for number, name in enumerate(NAMES):
            content = b"x" * number
            if number % 2:
                blobs.create(READINGS.container, name, content, "Cold")
            else:
                blobs.put_blocking(READINGS.container, name, content)

    def names(self, prefix: str = "", after: str | None = None, limit: int = 100) -> list[str]:
        return [file.name for file in self.listing.page(self.container, prefix, after, limit)]


@pytest.fixture(scope="module")
def memory() -> Setting:
    blobs = MemoryBlobs()
    return Setting(MemoryFileListing(blobs), blobs, READINGS.container)


@pytest.fixture(scope="module")
def azure(place: Place) -> Setting:
    return Setting(AzureFileListing(place.account), place.blobs(), place.container(READINGS.container))


@pytest.fixture(params=["memory", "azure"])
def setting(request: pytest.FixtureRequest) -> Any:
    """The fake and the real thing."""
    return request.getfixturevalue(request.param)


def test_all_files_in_order_without_the_tables_own(setting: Setting) -> None:
    assert setting.names() == FILES


@pytest.mark.parametrize("limit", [1, 2, 3, 5, len(FILES), 100])
def test_parts_make_the_whole(setting: Setting, limit: int) -> None:
    found: list[str] = []
    while part := setting.names(after=found[-1] if found else None, limit=limit):
        assert len(part) == min(limit, len(FILES) - len(found))
        found += part
    assert found == FILES


@pytest.mark.parametrize(
    "prefix",
    ["a", "asset/", "Asset/2025/09/30/12/s", "raw/", "raw/as", "_", "_delta_log/", "nothing", "%20", "~"],
)
def test_a_prefix_is_any_beginning_of_a_name(setting: Setting, prefix: str) -> None:
    expected = [name for name in FILES if name.startswith(prefix)]
    assert setting.names(prefix) == expected
    assert setting.names(prefix, after=expected[0] if expected else None) == expected[1:]


def test_a_part_goes_on_after_a_name_that_is_gone(setting: Setting) -> None:
    assert setting.names(after="asset/2025/09/30/12/s-1.parquet", limit=2) == [
        "asset/2025/09/30/12/s-2.parquet",
        "asset/2025/09/30/12/s.parquet",
    ]


def test_what_storage_says_of_a_file(setting: Setting) -> None:
    first, second = setting.listing.page(setting.container, "", None, 2)
    assert (first.size, first.tier, second.size, second.tier) == (0, "Hot", 1, "Cold")
    assert first.content_type == "application/octet-stream"
    assert abs(datetime.now(UTC) - first.modified) < timedelta(hours=1)


def test_a_container_that_is_not_there(place: Place) -> None:
    with pytest.raises(StorageUnavailable):
        AzureFileListing(place.account).page("no-such-container", "", None, 1)
