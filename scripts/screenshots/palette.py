"""PNG files with a palette: pictures of a page need few colours, and a third of the bytes."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

_MOST = 256
_SIGNATURE = b"\x89PNG\r\n\x1a\n"

type Pixels = np.ndarray[Any, Any]


def palette_png(rgba: bytes, width: int, height: int) -> bytes:
    """The PNG of a picture that is given as four bytes a pixel.

    It has the 256 colours that the picture has most of, and for every other one the nearest of these.
    """
    pixels = np.frombuffer(rgba, np.uint8).reshape(height * width, 4)[:, :3].astype(np.int64)
    codes = (pixels << np.array([16, 8, 0])).sum(axis=1)
    colours, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
    kept = np.sort(colours[np.argsort(-counts, kind="stable")[:_MOST]])
    nearest = _nearest(_parts(colours), _parts(kept))
    rows = nearest[places].astype(np.uint8).reshape(height, width)
    # Each row begins with its filter: none, which suits palettes best.
    raw = np.pad(rows, ((0, 0), (1, 0))).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", _parts(kept).astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(raw, 9)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _parts(codes: Pixels) -> Pixels:
    """Red, green and blue of colours that are one number each."""
    parts: Pixels = codes[:, None] >> np.array([16, 8, 0]) & 255
    return parts


def _nearest(colours: Pixels, kept: Pixels) -> Pixels:
    """For each of `colours` the place of the one of `kept` that looks most like it."""
    weights = np.array([2, 4, 3])
    return np.asarray([np.argmin((((kept - colour) ** 2) * weights).sum(axis=1)) for colour in colours])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
