"""What a run can be told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Options:
    """Counts and times of a run; see `arguments` for their meaning."""

    events: int = 1_000_000
    seconds: float = 10.0
    probes: int = 200
    queries: int = 60
    rows: tuple[int, ...] = (1_000_000, 10_000_000)
    kills: int = 20
    files: tuple[int, ...] = (100_000,)
    readings: int = 1_000_000
    sensors: tuple[int, ...] = (1_000, 10_000)
    final_files: int = 24_000
    series: int = 10_000
    flush_schedule: str = "*/2 * * * * *"
    timeout: float = 600.0
    peers: bool = True
    results: Path = RESULTS


def arguments(names: Sequence[str]) -> argparse.ArgumentParser:
    """The command line; `names` are the benchmarks."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure the design's goals on this machine."
    )
    default = Options()
    add = parser.add_argument
    add("names", nargs="*", metavar="BENCHMARK", help=f"which to run (default all): {', '.join(names)}")
    add("--events", type=int, default=default.events, help="events of a backlog (default %(default)s)")
    add("--seconds", type=float, default=default.seconds, help="length of an HTTP load (default %(default)s)")
    add("--probes", type=int, default=default.probes, help="events to look for (default %(default)s)")
    add("--queries", type=int, default=default.queries, help="queries of each kind (default %(default)s)")
    add("--rows", type=int, nargs="+", default=default.rows, help="table sizes, ascending")
    add("--files", type=int, nargs="+", default=default.files, help="live files of tables, ascending")
    add("--readings", type=int, default=default.readings, help="sensor readings (default %(default)s)")
    add("--sensors", type=int, nargs="+", default=default.sensors, help="sizes of fleets, ascending")
    add(
        "--final-files",
        type=int,
        default=default.final_files,
        help="most final files of a sensor's hour each, by fewer hours; 0: none (default %(default)s)",
    )
    add("--series", type=int, default=default.series, help="series of a scan (default %(default)s)")
    add("--count", type=int, dest="kills", default=default.kills, help="kills (default %(default)s)")
    add("--flush-schedule", default=default.flush_schedule, help="of the flush timer (default %(default)s)")
    add(
        "--timeout",
        type=float,
        default=default.timeout,
        help="seconds for any one wait (default %(default)s)",
    )
    add("--no-peers", dest="peers", action="store_false", help="leave out the systems measured beside Floe")
    add("--results", type=Path, default=default.results, help="folder for the results")
    return parser


def parse(names: Sequence[str], line: Sequence[str]) -> tuple[list[str], Options]:
    """The benchmarks to run, in order, and the options; exits with a message for a wrong line."""
    parser = arguments(names)
    given = vars(parser.parse_args(line))
    chosen = given.pop("names") or list(names)
    if unknown := set(chosen) - set(names):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return chosen, Options(
        **{**given, **{name: tuple(sorted(given[name])) for name in ("rows", "files", "sensors")}}
    )
