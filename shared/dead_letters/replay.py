"""REPLAY: dead letters go through today's decoder again; what becomes rows leaves the dead letters.

A job goes through the files that the table had when it began, in portions. Of each portion

1. an intent is written: which letters become rows, and what is left of them;
2. the rows are committed to the stream's table, together with the intent's number as the progress of
   replays: from here on the portion holds;
3. the table that follows the stream's, if any, counts them too, under the same number;
4. the letters are taken out of the table of dead letters, by their keys, so that to do it again changes
   nothing;
5. the job notes that the portion is done, and the intent goes.

Whoever goes on after a death settles the intents first (`settle.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.dead_letters.intents import Intent, PlannedFile, ReplayStore
from shared.dead_letters.letter_files import LetterFiles, rest_of, write_files
from shared.dead_letters.models import LettersWanted
from shared.dead_letters.portion import Portion
from shared.dead_letters.redecode import Decoder, Redecoded, redecode
from shared.dead_letters.settle import REPLAYED, Settlement
from shared.jobs.context import JobContext
from shared.lake.flush import Flusher
from shared.lake.ports import BlobGone, Blobs, CommitConflict, Lake, Leases
from shared.lake.schema import row_schema
from shared.lake.turns import turn_at
from shared.platform.errors import LeaseHeld
from shared.platform.logs import get_log
from shared.platform.times import parse_time
from shared.streams import stream_of_topic
from shared.streams.dead_letters import DEAD_LETTERS

if TYPE_CHECKING:
    import pyarrow as pa

_log = get_log("replay")

# Longer than a lease lasts, so that one whose holder died can be had.
_WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ReplayLimits:
    """How much one portion takes: files, and about how many Arrow bytes in memory."""

    files: int = 100
    bytes: int = 16 * 2**20


class Replay:
    """The handler of replay jobs, of which one is at work at a time."""

    def __init__(
        self,
        store: ReplayStore,
        files: LetterFiles,
        settlement: Settlement,
        flusher: Flusher,
        blobs: Blobs,
        lake: Lake,
        leases: Leases,
        decoder_for: Callable[[str], Decoder],
        name_files: Callable[[], str],
        limits: ReplayLimits,
    ) -> None:
        """`name_files` gives a name that no data file has."""
        self._store = store
        self._files = files
        self._settlement = settlement
        self._flusher = flusher
        self._blobs = blobs
        self._lake = lake
        self._leases = leases
        self._decoder_for = decoder_for
        self._name_files = name_files
        self._limits = limits

    def handle(self, context: JobContext) -> None:
        """Goes through all wanted letters, on from where the job was left."""
        context.check()
        progress = self._settlement.settle_all(context)
        wanted, dry_run = wanted_of(context.job.parameters), bool(context.job.parameters.get("dry_run"))
        plan = self._plan(context.job.id, wanted)
        total = sum(file.rows for file in plan)
        while (start := int(context.job.state.get("next", 0))) < len(plan):
            context.progress(sum(file.rows for file in plan[:start]), total)
            context.check()
            portion = self._read(plan, start, wanted)
            if dry_run:
                _note_trial(context, portion)
            elif portion.taken:
                self._commit(context, portion, progress)
            else:
                outcome = portion.counts.added_to(context.job.outcome)
                context.save(state={**context.job.state, "next": portion.end}, outcome=outcome)
        context.progress(total, total)
        self._store.forget_plan(context.job.id)

    def _plan(self, job: str, wanted: LettersWanted) -> list[PlannedFile]:
        """The files to go through: those that the table had when the job began, the buffer included."""
        plan = self._store.plan(job)
        if plan is None:
            self._flusher.flush(DEAD_LETTERS, wait_seconds=_WAIT_SECONDS)
            plan = self._files.holding(wanted)
            self._store.write_plan(job, plan)
        return plan

    def _read(self, plan: list[PlannedFile], start: int, wanted: LettersWanted) -> Portion:
        """Decodes the next files, all of one topic, as far as the limits go."""
        portion, live = Portion(plan, start), self._files.live_paths()
        while portion.wants_more(self._limits.files, self._limits.bytes):
            file = portion.next_file()
            if file.path not in live:  # its letters were replayed, or their retention ended
                continue
            try:
                letters = _matching(self._files.read(file.path), wanted)
            except BlobGone:
                continue
            if letters.num_rows:
                portion.add(letters, self._redecoded(file.topic, letters))
        return portion

    def _redecoded(self, topic: str, letters: pa.Table) -> Redecoded:
        try:
            stream = stream_of_topic(topic)
        except KeyError:  # no stream reads the topic any more
            found = Redecoded()
            found.still_dead["no_stream"] = letters.num_rows
            return found
        return redecode(stream, letters, self._decoder_for)

    def _commit(self, context: JobContext, portion: Portion, progress: dict[str, int]) -> None:
        """Makes the portion's rows part of their table, and its letters no longer dead."""
        import pyarrow as pa

        stream = stream_of_topic(portion.topic)
        rows = pa.Table.from_batches(portion.rows, row_schema(stream))
        table = self._lake.table(stream)
        with turn_at(self._leases, stream, context.check) as lease:
            snapshot = table.snapshot((REPLAYED,))
            if snapshot.progress(REPLAYED) != progress[stream.name]:
                raise LeaseHeld(f"another replay committed to {stream.name}")
            digest = self._settlement.digest(stream, rows)
            intent = self._intent(context.job.id, stream.name, portion, progress[stream.name], digest)
            files = [*write_files(stream, rows, self._name_files(), self._blobs)]
            self._store.write(intent)
            lease.check()
            notes = {"kind": "replay", "rows": rows.num_rows}
            try:
                table.commit(snapshot, files, {REPLAYED: intent.version}, notes=notes)
            except CommitConflict as conflict:
                raise LeaseHeld(f"another replay committed to {stream.name}: {conflict}") from conflict
        progress[stream.name] = intent.version
        _log.info("replayed", job=context.job.id, stream=stream.name, rows=rows.num_rows)
        self._settlement.finish(context, intent)

    def _intent(self, job: str, stream: str, portion: Portion, before: int, digest: bytes) -> Intent:
        return Intent(
            job=job,
            stream=stream,
            topic=portion.topic,
            version=self._settlement.next_version(before),
            taken=portion.taken,
            rest=rest_of(portion.rest()),
            counts=portion.counts,
            next=portion.end,
            digest=digest,
        )


def wanted_of(parameters: Mapping[str, Any]) -> LettersWanted:
    """The letters that a job's parameters name."""

    def time(name: str) -> Any:
        return None if parameters.get(name) is None else parse_time(parameters[name])

    return LettersWanted(
        stream=parameters.get("stream"),
        topic=parameters.get("topic"),
        reason=parameters.get("reason"),
        start=time("start_time"),
        end=time("end_time"),
    )


def _note_trial(context: JobContext, portion: Portion) -> None:
    """Counts apart what would have been done, so that the totals of all jobs do not hold it."""
    would = portion.counts.added_to(context.job.outcome.get("would", {}))
    context.save(state={"next": portion.end}, outcome={"would": would})


def _matching(letters: pa.Table, wanted: LettersWanted) -> pa.Table:
    """The letters of a file, whose topic is wanted, that meet the other conditions."""
    import pyarrow.compute as pc

    if wanted.reason is not None:
        letters = letters.filter(pc.equal(letters["reason"], wanted.reason))
    if wanted.start is not None:
        letters = letters.filter(pc.greater_equal(letters["ingestion_time"], wanted.start))
    if wanted.end is not None:
        letters = letters.filter(pc.less(letters["ingestion_time"], wanted.end))
    return letters
