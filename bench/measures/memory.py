"""The host's memory while it works off backlogs, of usual messages and of the worst."""

from __future__ import annotations

from bench.backlog import WorkedOff, work_off
from bench.events import produce
from bench.lake import DeltaLog, recount
from bench.options import Options
from bench.progress import say
from bench.report import Result, at_most
from bench.stack import Stack, scratch

# Events of 160 bytes that nearly fill the largest message a broker takes.
_FULL_MESSAGE = 5800
_KINDS = (
    ("one a message", "user_action", 1),
    ("100 a message", "transaction", 100),
    ("messages of 1 MB", "page_view", _FULL_MESSAGE),
)


def measure(options: Options) -> Result:
    """One backlog of each kind, each with a host of its own."""
    result = Result()
    with scratch() as folder, Stack(folder, options.flush_schedule) as stack:
        log = DeltaLog(stack.account)
        for kind, event_type, pack in _KINDS:
            say(f"memory: {options.events:,} events, {kind}")
            backlog = produce(stack.bootstrap, event_type, event_type, options.events, pack)
            done = work_off(stack, backlog, log, options.timeout)
            result.add(f"{kind}: at its highest", done.peak, "MB", at_most(400))
            result.add(f"{kind}: last third to middle third", _drift(done), "x")
            with log.files() as files:
                found = recount(files, backlog.prefix)
            if found.rows != options.events:
                result.notes.append(f"{kind}: {found.rows:,} rows of {options.events:,} events.")
            result.details[kind] = {"seconds_and_mb": done.memory}
    return result


def _drift(done: WorkedOff) -> float:
    """How the mean of the last third of the samples compares with the middle third's; 1 is flat."""
    third = max(1, len(done.memory) // 3)
    middle, last = done.memory[third : 2 * third], done.memory[-third:]
    if not middle:
        return 1.0
    return (sum(mb for _, mb in last) / len(last)) / (sum(mb for _, mb in middle) / len(middle))
