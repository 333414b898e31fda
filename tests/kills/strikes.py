"""Where a process dies, and that its story ends well wherever that was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

_WRITES = ("put", "create", "delete", "commit", "trim", "insert", "replace", "send")
_NOTHING = "delete 0 "
# The processes wait for storage part of the time.
_PARALLEL = 4

# The number of a call, and whether the process dies after it.
type Strike = tuple[int, bool]


def strikes(calls: Sequence[str], beside: tuple[str, ...] = ()) -> list[Strike]:
    """Before each call that writes, after those named in `beside`, which are made beside each other, and
    before the last call of all.

    To die at a call that only reads, or after one that writes, is to die before the next that writes. Leases
    lapse by themselves, whenever their holder died.
    """
    writes = [
        at for at, call in enumerate(calls) if call.startswith(_WRITES) and not call.startswith(_NOTHING)
    ]
    last = len(calls) - 1
    before = [(at, False) for at in (writes if last in writes else [*writes, last])]
    return before + [(at, True) for at in writes if beside and calls[at].startswith(beside)]


def survive_all(calls: Sequence[str], struck: Sequence[Strike], story: Callable[[int, bool], None]) -> None:
    """Tells `story` of each strike, a few at a time, and fails with all that went wrong."""

    def told(strike: Strike) -> str | None:
        at, after = strike
        try:
            story(at, after)
        except AssertionError as error:
            return f"{'after' if after else 'before'} {at} {calls[at]}: {error}"
        return None

    with ThreadPoolExecutor(_PARALLEL) as pool:
        failures = [failure for failure in pool.map(told, struck) if failure]
    assert failures == [], "\n".join(failures)
