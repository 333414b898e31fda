"""What is kept of a pair between two scans."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from shared.anomalies.silence import Silence

# Events are remembered by blocks of so many minutes, to see later whether more have come.
BLOCK = 15
# As many blocks as a day has, and some: what was judged longer ago is not judged again.
RING = 100
DAY = 24 * 60
# What the state of a series may take, at most: the promise of the port Detector.
MOST_BYTES = 24 * 1024


class PairState(msgspec.Struct, array_like=True, frozen=True):
    """How far a pair is judged, and what its detectors know.

    `judged_to` is the first minute that was not judged, `seen` the last one with an event. `count` and `mean`
    are the detectors' states, empty before their first point. `blocks` has for each block, at its number
    modulo RING, how many events it had in the minutes that were judged (unsigned, 32 bits). `silence` is what
    is known of minutes without any.
    """

    judged_to: int
    seen: int
    count: bytes = b""
    mean: bytes = b""
    blocks: bytes = bytes(4 * RING)
    silence: Silence = Silence()

    def age(self, minute: int) -> int:
        """How many minutes the pair's series have had before that one, which is not judged yet."""
        return self.silence.points + minute - self.judged_to

    def with_blocks(self, counts: Mapping[int, int]) -> bytes:
        """`blocks` with those of `counts`, which are by number."""
        import numpy as np

        blocks = np.frombuffer(self.blocks, np.uint32).copy()
        for block, count in counts.items():
            blocks[block % RING] = min(count, 2**32 - 1)
        return blocks.tobytes()
