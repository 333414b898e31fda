"""The states of all pairs in blobs: to go on from after a restart, and to go back to when late data comes."""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import batched
from threading import Lock
from typing import Any

import msgspec

from shared.anomalies.models import Pair
from shared.anomalies.states import DAY, PairState
from shared.lake.ports import BlobGone, Blobs
from shared.platform.clock import Clock
from shared.platform.logs import get_log
from shared.streams.models import SYSTEM_CONTAINER

_VERSION = 1
_FOLDER = "anomalies/"
_MANIFEST = "manifest"
_PAIRS_IN_A_PART = 64
_BLOBS_KEPT = 16
# Of older checkpoints one for each span of so many minutes is kept, back to a day and a span.
_SPAN = 3 * 60
_NEWEST = 2
# What has no manifest after so long was left by somebody who died.
_UNFINISHED = timedelta(hours=1)
_log = get_log("anomalies")


class _Manifest(msgspec.Struct, array_like=True, frozen=True):
    """What stands in a checkpoint: the first pair of each part. Written last, so the parts are there."""

    version: int
    first: list[Pair]


type _Part = Mapping[Pair, PairState]


class Checkpoints:
    """Every method blocks, and raises StorageUnavailable."""

    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock
        self._lock = Lock()
        self._content: OrderedDict[str, Any] = OrderedDict()

    def keep(self, states: Mapping[Pair, PairState], minute: int) -> None:
        """Keeps the states, which are judged up to `minute`, and removes those not needed any more."""
        folder = f"{_FOLDER}{minute:010}-{secrets.token_hex(4)}/"
        first = []
        for number, part in enumerate(batched(sorted(states, key=order), _PAIRS_IN_A_PART, strict=False)):
            first.append(part[0])
            content = msgspec.msgpack.encode([(pair, states[pair]) for pair in part])
            self._blobs.put_blocking(SYSTEM_CONTAINER, f"{folder}{number:06}", content)
        manifest = msgspec.msgpack.encode(_Manifest(_VERSION, first))
        self._blobs.put_blocking(SYSTEM_CONTAINER, folder + _MANIFEST, manifest)
        self._thin(minute)

    def newest(self) -> tuple[int, dict[Pair, PairState]]:
        """The minute and the states of the last checkpoint that can be read; (-1, {}) where there is none."""
        for folder in reversed(self._folders()):
            try:
                manifest = self._manifest(folder)
                parts = [self._read(f"{folder}{number:06}") for number in range(len(manifest.first))]
            except (BlobGone, msgspec.MsgspecError) as error:
                _log.warning("checkpoint not readable", checkpoint=folder, reason=str(error))
                continue
            return _minute(folder), {pair: state for part in parts for pair, state in part.items()}
        return -1, {}

    def names(self) -> list[str]:
        """The checkpoints that are there now, newest first."""
        return [*reversed(self._folders())]

    def state(self, checkpoint: str, pair: Pair) -> PairState | None:
        """The state of `pair` in a checkpoint that `names` gave; None where it has none (any more)."""
        try:
            first = self._kept(checkpoint, lambda: self._manifest(checkpoint).first)
            number = bisect_right(first, order(pair), key=order) - 1
            name = f"{checkpoint}{number:06}"
            return self._kept(name, lambda: self._read(name)).get(pair) if number >= 0 else None
        except (BlobGone, msgspec.MsgspecError):
            return None

    def _manifest(self, folder: str) -> _Manifest:
        content = self._blobs.get(SYSTEM_CONTAINER, folder + _MANIFEST)
        manifest = msgspec.msgpack.decode(content, type=_Manifest)
        if manifest.version != _VERSION:
            raise msgspec.ValidationError(f"version {manifest.version}")
        return manifest

    def _kept[Content](self, name: str, read: Callable[[], Content]) -> Content:
        """What `read` reads, or read before under that name: blobs of checkpoints never change."""
        with self._lock:
            if name in self._content:
                self._content.move_to_end(name)
                found: Content = self._content[name]
                return found
        content = read()
        with self._lock:
            self._content[name] = content
            while len(self._content) > _BLOBS_KEPT:
                self._content.popitem(last=False)
        return content

    def _read(self, name: str) -> _Part:
        content = self._blobs.get(SYSTEM_CONTAINER, name)
        return dict(msgspec.msgpack.decode(content, type=list[tuple[Pair, PairState]]))

    def _folders(self) -> list[str]:
        """The checkpoints that are whole, oldest first."""
        blobs = self._blobs.list(SYSTEM_CONTAINER, _FOLDER)
        return [one.name.removesuffix(_MANIFEST) for one in blobs if one.name.endswith("/" + _MANIFEST)]

    def _thin(self, minute: int) -> None:
        kept = {*_worth_keeping(self._folders(), minute)}
        unfinished = self._clock() - _UNFINISHED
        blobs = [*self._blobs.list(SYSTEM_CONTAINER, _FOLDER)]
        whole = {one.name.removesuffix(_MANIFEST) for one in blobs if one.name.endswith("/" + _MANIFEST)}
        gone = [
            one.name
            for one in blobs
            if (folder := one.name.rpartition("/")[0] + "/") not in kept
            and (folder in whole or one.modified < unfinished)
        ]
        # Manifests first: a checkpoint without one is none.
        gone.sort(key=lambda name: not name.endswith("/" + _MANIFEST))
        for names in batched(gone, 100, strict=False):
            self._blobs.delete(SYSTEM_CONTAINER, names)


def _worth_keeping(folders: Sequence[str], minute: int) -> Iterator[str]:
    """Of the checkpoints, oldest first: the newest ones, and the oldest of each span."""
    yield from folders[-_NEWEST:]
    spans: set[int] = set()
    for folder in folders:
        span = _minute(folder) // _SPAN
        if span not in spans and _minute(folder) >= minute - DAY - _SPAN:
            yield folder
        spans.add(span)


def _minute(folder: str) -> int:
    return int(folder.removeprefix(_FOLDER).partition("-")[0])


def order(pair: Pair) -> tuple[str, bool, str]:
    """Sorts pairs by type, all regions together first."""
    return pair.event_type, pair.region is not None, pair.region or ""
