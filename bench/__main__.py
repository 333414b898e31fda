"""`python -m bench [BENCHMARK…]`: measures, prints a table and keeps the figures."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.machine import revision, this_machine
from bench.measures import MEASURES
from bench.options import Options, parse
from bench.processes import Bystanders, reference_ms
from bench.progress import say
from bench.report import Kept, keep, table


def main(line: Sequence[str] | None = None) -> int:
    """Runs the benchmarks that `line` names; 1 when one of them failed."""
    line = sys.argv[1:] if line is None else line
    names, options = parse(list(MEASURES), line)
    _forget_settings()
    subprocess.run([sys.executable, "-m", "devstack.tools"], check=True)
    machine = this_machine()
    print(f"{machine}; {datetime.now(UTC):%Y-%m-%d}")
    failed = 0
    for name in names:
        say(f"{name}: begins")
        try:
            kept = _run(name, options, f"python -m bench {shlex.join(line)}".strip())
        except (RuntimeError, OSError) as error:
            failed = 1
            print(f"\n{name} failed: {error}", file=sys.stderr)
            continue
        crowd = f"other programs took {kept.bystanders:.0%} of all cores, reference {kept.reference:.0f} ms"
        print(f"\n{name} ({kept.seconds:.0f} s; {crowd})")
        print("\n".join(table(kept.result.figures)))
        print("\n".join(f"  {note}" for note in kept.result.notes))
        path = keep(options.results, machine, [kept])
        say(f"{name}: kept in {path}")
    return failed


def _run(name: str, options: Options, command: str) -> Kept:
    when = f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}"
    reference, bystanders, began = reference_ms(), Bystanders(), time.monotonic()
    result = MEASURES[name](options)
    seconds, others = time.monotonic() - began, round(bystanders.share(), 3)
    reference = round((reference + reference_ms()) / 2, 1)
    return Kept(name, command, when, revision(), seconds, others, reference, result)


def _forget_settings() -> None:
    """What the shell says about some other Floe does not count here."""
    for name in [name for name in os.environ if name.startswith("FLOE_")]:
        del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
