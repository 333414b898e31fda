"""From messages in a topic to rows of a committed Delta table, beside other ways to do it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from bench.backlog import WorkedOff, work_off
from bench.events import Backlog, produce
from bench.lake import DeltaLog, Recount, recount
from bench.options import Options
from bench.peers import environment
from bench.peers.runs import PeerRun, run_handwritten, run_quix
from bench.progress import say
from bench.report import Result, at_least, at_most
from bench.stack import Stack, scratch

PACK = 100
_STARTING = 1000


def measure(options: Options) -> Result:
    """Works off one backlog of plain messages and one of packed ones, one after the other."""
    result = Result()
    quix = environment.python() if options.peers else None
    with scratch() as folder, Stack(folder, options.flush_schedule) as stack:
        log = DeltaLog(stack.account)
        start = _cpu_of_a_start(stack, log, options)
        result.add("CPU of a start, taken off below", start, "s")
        for kind, event_type, pack in (("plain", "user_action", 1), ("packed", "transaction", PACK)):
            say(f"topic-to-table: {options.events:,} events, {kind}")
            backlog = produce(stack.bootstrap, event_type, kind, options.events, pack)
            done = work_off(stack, backlog, log, options.timeout)
            with log.files() as files:
                found = recount(files, backlog.prefix)
            _note_wrong_count(result, f"{kind}: Floe", found, options.events)
            rate = _add_floe(result, kind, done, start, options.events)
            result.details[kind] = {**asdict(done), "found": asdict(found)}
            if options.peers:
                _add_peers(result, stack, backlog, kind, rate, quix, options)
    result.notes.append(
        "CPU counts from the start of the host less that of a start, which includes the first use of each "
        "library. Wall time counts from the first landing, a peer's from its first message."
    )
    if options.peers:
        result.notes.append("Spark was not run.")
    return result


def _cpu_of_a_start(stack: Stack, log: DeltaLog, options: Options) -> float:
    """CPU seconds of a host that starts, lands and flushes very little."""
    backlog = produce(stack.bootstrap, "system_metric", "start", _STARTING)
    return work_off(stack, backlog, log, options.timeout).cpu["host"]


def _add_floe(result: Result, kind: str, done: WorkedOff, start: float, events: int) -> float:
    rate = events / done.seconds
    per_million = 1e6 / events
    rate_goal, cpu_goal = (250_000, 3.5) if kind == "plain" else (400_000, 2.5)
    result.add(f"{kind}: Floe", rate, "events/s", at_least(rate_goal))
    result.add(
        f"{kind}: Floe, host", (done.cpu["host"] - start) * per_million, "CPU µs/event", at_most(cpu_goal)
    )
    result.add(f"{kind}: Floe, until all is landed", events / max(done.landed_seconds, 1e-3), "events/s")
    for name in ("kafka", "azurite"):
        result.add(f"{kind}: Floe, {name}", done.cpu[name] * per_million, "CPU µs/event")
    result.add(f"{kind}: Floe, memory at its highest", done.peak, "MB", at_most(400))
    return rate


def _add_peers(
    result: Result,
    stack: Stack,
    backlog: Backlog,
    kind: str,
    rate: float,
    quix: Path | None,
    options: Options,
) -> None:
    say(f"topic-to-table: hand-written loop, {kind}")
    peer = run_handwritten(stack, backlog, options.timeout)
    _add_peer(result, kind, "hand-written loop", peer, options.events, rate, 1.0)
    if quix is None:
        result.notes.append("Quix Streams was not run: it could not be installed.")
        return
    say(f"topic-to-table: Quix Streams, {kind}")
    peer = run_quix(stack, backlog, quix, kind == "packed", options.timeout)
    _add_peer(result, kind, "Quix Streams", peer, options.events, rate, 3.0)


def _add_peer(
    result: Result, kind: str, name: str, peer: PeerRun, events: int, rate: float, goal: float
) -> None:
    result.add(f"{kind}: {name}", events / peer.seconds, "events/s")
    result.add(f"{kind}: {name}, process", peer.cpu * 1e6 / events, "CPU µs/event")
    result.add(f"{kind}: Floe to {name}", rate * peer.seconds / events, "x", at_least(goal))
    result.details[f"{kind}: {name}"] = asdict(peer)
    _note_wrong_count(result, f"{kind}: {name}", peer.found, events)


def _note_wrong_count(result: Result, who: str, found: Recount, events: int) -> None:
    if found != Recount(events, events):
        result.notes.append(f"{who}: {found.rows:,} rows with {found.ids:,} ids, of {events:,} events.")
