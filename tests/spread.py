"""How a run's tests are spread over pytest-xdist's workers (`--dist loadgroup`).

A file's tests stay together, for they share fixtures; those of all files that use the shared `stack` stay
together too (`…@stack`), so that a run starts one. What takes longest begins first, so that the workers end
together.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadGroupScheduling

STACK = "stack"
# CPU seconds of the files that take longest, with all that they start; the others count nothing.
WEIGHTS = {
    "tests/bench/test_benchmarks.py": 130,
    "tests/kills/test_kills.py": 100,
    "tests/kills/test_tiers.py": 60,
    "tests/dead_letters/test_replay.py": 41,
    "tests/kills/test_replays.py": 27,
    "tests/host/test_event_hubs.py": 25,
    "tests/rollups/test_exactly_once.py": 22,
    "tests/stack/test_failures.py": 15,
    "tests/infra/test_mutations.py": 14,
    "tests/demo/test_demo.py": 13,
    "tests/host/test_lifecycle.py": 12,
    "tests/lake/test_flush.py": 12,
    "tests/contracts/test_lake.py": 7,
    "tests/contracts/test_blobs.py": 11,
    "tests/telemetry/test_export.py": 10,
    "tests/dashboard/test_page_alone.py": 10,
    "tests/lake/test_summary_recount.py": 8,
    "tests/lake/test_upload.py": 10,
    "tests/host/test_queues.py": 9,
    "tests/query/test_pages_of_files.py": 9,
    "tests/query/test_events.py": 9,
}


def scope_of(nodeid: str) -> str:
    """What a test stays together with: the stack's tests, or its file's."""
    return STACK if nodeid.endswith(f"@{STACK}") else nodeid.partition("::")[0]


class Spread(LoadGroupScheduling):
    """Files, and the group of the stack, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)  # type: ignore[arg-type]

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Spread | None:
    """In place of xdist's own."""
    return Spread(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the files that use the stack and puts them first, then the others, the heaviest before."""
    if not config.getoption("loadgroup", False):
        return
    on_stack = {item.path for item in items if STACK in getattr(item, "fixturenames", ())}
    for item in items:
        if item.path in on_stack:
            item.add_marker(pytest.mark.xdist_group(STACK))

    def order(item: pytest.Item) -> tuple[bool, int]:
        return item.path not in on_stack, -WEIGHTS.get(item.nodeid.partition("::")[0], 0)

    items.sort(key=order)
