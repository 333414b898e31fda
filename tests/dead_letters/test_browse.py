"""Looking through dead letters on real storage: pages, filters and bodies, in the buffer and in the table."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from shared.dead_letters.browse import DeadLetters
from shared.dead_letters.letter_query import PREVIEW_BYTES
from shared.dead_letters.models import Letter, LetterKey, LettersWanted, key_of
from shared.ingest.dead_letter_rows import dead_letter_rows
from shared.ingest.models import DeadLetter, MessageBatch, Reason
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.segments import SegmentStore, Source, describe, encode
from shared.platform.clock import utc_now
from shared.platform.errors import NotFound
from shared.query.history import History
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.models import LANDING_CONTAINER
from tests.dead_letters.world import HOUR, TAKEN
from tests.place import Place

BODY = b"\xff\x00'<script>\n" * 40
NOON = datetime(2025, 9, 30, 12, tzinfo=UTC)


class LetterLake:
    """Dead letters of three topics, two of which have letters of the same moments; the older half is
    committed, in two files a topic and hour, the other still in the buffer."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._blobs = place.blobs()
        self._segments = SegmentStore(self._blobs)
        self.letters = DeadLetters(History(self._segments, place.lake(), place.blobs()), self._segments)
        self.keys: list[tuple[LetterKey, str, bytes]] = []
        for first in (0, 6):
            self._land(first)
            self.flush()
        for first in (12, 18):
            self._land(first)
        self.keys.sort(key=lambda letter: letter[0].place, reverse=True)

    def flush(self) -> None:
        leases, limits = self._place.leases(), FlushLimits(rows=10**6, bytes=2**30)
        flusher = Flusher(self._segments, self._blobs, self._place.lake(), leases, limits, utc_now)
        flusher.flush(DEAD_LETTERS)

    def _land(self, first: int) -> None:
        for topic, partition in (("events.error", 0), ("sensor-data", 0), ("sensor-data", 1)):
            seqs = np.arange(first, first + 6, dtype=np.int64)
            # Pairs of messages came in the same moment, in all topics; three pairs an hour.
            taken = TAKEN + seqs // 2 * (HOUR // 3)
            batch = MessageBatch(topic, partition, [b""] * 6, seqs, taken)
            letters = [
                DeadLetter(message, idx, 1, reason, "because", BODY[: message * 7 + idx])
                for message in range(6)
                for idx, reason in ((0, Reason.NOT_JSON), (2, Reason.EMPTY))
            ]
            rows = dead_letter_rows(batch, letters)
            segment = describe(Source(topic, partition, "g"), rows, DEAD_LETTERS, first, first + 5)
            self._blobs.put_blocking(LANDING_CONTAINER, segment.name(DEAD_LETTERS), encode(rows))
            for letter in letters:
                seq = first + letter.message
                key = LetterKey(topic, partition, seq, letter.idx, int(taken[letter.message]))
                self.keys.append((key, letter.reason.value, letter.body))


@pytest.fixture(scope="module")
def lake(storage_connection_string: str) -> LetterLake:
    return LetterLake(Place(storage_connection_string, f"d{uuid.uuid4().hex[:10]}").make())


def everything(lake: LetterLake, wanted: LettersWanted, limit: int) -> list[Letter]:
    """All pages together."""
    found: list[Letter] = []
    after = None
    while page := lake.letters.page(wanted, after, limit):
        assert len(page) <= limit
        found += page
        after = page[-1].key
    return found


type Matches = Callable[[LetterKey, str], bool]


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (LettersWanted(), lambda key, reason: True),
        (LettersWanted(stream="readings"), lambda key, reason: key.topic == "sensor-data"),
        (LettersWanted(stream="events"), lambda key, reason: key.topic == "events.error"),
        (LettersWanted(topic="events.error"), lambda key, reason: key.topic == "events.error"),
        (LettersWanted(topic="sensor-data", stream="events"), lambda key, reason: False),
        (LettersWanted(topic="it's none"), lambda key, reason: False),
        (LettersWanted(reason="empty"), lambda key, reason: reason == "empty"),
        (
            LettersWanted(start=NOON + timedelta(minutes=40), end=NOON + timedelta(hours=2)),
            lambda key, reason: TAKEN + HOUR * 2 // 3 <= key.taken < TAKEN + 2 * HOUR,
        ),
        (
            LettersWanted(stream="readings", reason="not_json", end=NOON + timedelta(hours=2)),
            lambda key, reason: (
                key.topic == "sensor-data" and reason == "not_json" and key.taken < TAKEN + 2 * HOUR
            ),
        ),
    ],
)
@pytest.mark.parametrize("limit", [11, 1000])
def test_pages_give_each_letter_once(
    lake: LetterLake, wanted: LettersWanted, matches: Matches, limit: int
) -> None:
    expected = [(key, reason, body) for key, reason, body in lake.keys if matches(key, reason)]
    found = everything(lake, wanted, limit)
    assert [(letter.key, letter.reason) for letter in found] == [(key, reason) for key, reason, _ in expected]
    bodies = [body for _, _, body in expected]
    assert [(letter.size, letter.body) for letter in found] == [(len(b), b[:PREVIEW_BYTES]) for b in bodies]


def test_each_is_found_by_its_id_with_its_whole_body(lake: LetterLake) -> None:
    for key, reason, body in [*lake.keys[:3], *lake.keys[-14:]]:
        letter = lake.letters.get(key.id)
        assert (letter.key, letter.reason, letter.body) == (key, reason, body)


def test_what_is_not_there_is_not_found(lake: LetterLake) -> None:
    somewhere = lake.keys[0][0]
    for key in (
        LetterKey("sensor-data", 7, 0, 0, TAKEN),
        LetterKey("it's none", 0, 0, 0, TAKEN),
        LetterKey(somewhere.topic, somewhere.partition, somewhere.seq, 1, somewhere.taken),
    ):
        with pytest.raises(NotFound):
            lake.letters.get(key.id)


def test_ids_are_read_back_and_nothing_else_is() -> None:
    key = LetterKey("t" * 249, 31, 2**62, 2**31 - 1, TAKEN)
    assert key_of(key.id) == key
    odd = LetterKey("t", 0, 0, 0, 2**63 - 1), LetterKey("t", -1, 0, 0, 0), LetterKey("t", 0, 0, 0, -(2**63))
    for text in ("", "A", "AAAA", "☃", key.id[:-1], key.id + "A", "k" * 500, *(one.id for one in odd)):
        assert key_of(text) is None
