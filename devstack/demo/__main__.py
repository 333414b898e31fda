"""`make demo`: replays series into the stack and compares what went in with what comes out."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from devstack.demo.display import choose_display
from devstack.demo.hints import hints
from devstack.demo.plan import Plan, make_plan
from devstack.demo.run import Run
from devstack.demo.series import DEFAULT_FOLDER, SeriesError, generate_series, newest, read_series
from devstack.demo.stack import Stack, running_stack
from devstack.demo.tally import verdict
from devstack.home import StackError
from devstack.settings import read_settings


def main() -> int:
    """0 when all numbers agree, 1 when they do not, or when there is no stack or no series."""
    arguments = _arguments()
    try:
        with running_stack(read_settings().home) as stack:
            return _demo(stack, arguments)
    except (StackError, SeriesError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return 1


def _demo(stack: Stack, arguments: argparse.Namespace) -> int:
    plan = _plan(arguments)
    run = Run(stack, plan, arguments.rate, arguments.patience)
    tally = run.follow(choose_display(len(plan.events)))
    print(verdict(tally))
    print("\nTry next:" if not stack.own else "\nTry next, once `make run` has the stack up again:")
    print("\n".join(hints(stack, plan)), flush=True)
    return 1 if list(tally.disagreements()) else 0


def _plan(arguments: argparse.Namespace) -> Plan:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    measured = read_series(arguments.data)
    series = measured or generate_series(arguments.points, now)
    readings = newest(series, arguments.points, None if arguments.original_times else now)
    plan = make_plan(secrets.token_hex(4), readings)
    folder = os.path.relpath(arguments.data)
    source = f"real series of {folder}" if measured else f"generated series ({folder} has none)"
    print(f"run {plan.run}: {len(plan.events):,} readings of {len(series)} {source}")
    print(
        f"        from {plan.start:%Y-%m-%d %H:%M} to {plan.events[-1].time:%Y-%m-%d %H:%M} UTC", flush=True
    )
    return plan


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--points", type=_positive, default=20_000, help="readings to send (default 20,000)")
    parser.add_argument("--rate", type=float, default=2_000, help="a second; 0 for as fast as they go")
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of timestamp,value CSVs")
    parser.add_argument(
        "--original-times",
        action="store_true",
        help="keep the series' own times; by default each series is shifted so that it ends now",
    )
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds without progress before the demo gives up"
    )
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
