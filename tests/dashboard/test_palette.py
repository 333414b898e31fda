"""Pictures with a palette: few colours come out as they were, of many the most frequent."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from scripts.screenshots.palette import palette_png


def decoded(png: bytes) -> np.ndarray:
    """Rows of pixels of red, green and blue, as any reader of PNG sees them."""
    chunks, at = {}, 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        data = png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + data)
        chunks[kind] = data
        at += 12 + size
    width, height, depth, colour_type, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour_type) == (8, 3)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[rows[:, 1:]]


@pytest.mark.parametrize(("width", "height"), [(16, 16), (5, 3), (1, 1)])
def test_few_colours_stay_what_they_are(width: int, height: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 4), np.uint8)
    assert (decoded(palette_png(pixels.tobytes(), width, height)) == pixels[:, :, :3]).all()


def test_of_many_colours_the_rare_ones_become_the_nearest() -> None:
    """A hundred bright colours once each, among 256 dark ones that are there often."""
    often = np.array([(red, green, 0) for red in range(16) for green in range(16)])
    rare = np.array([(255, green, 200) for green in range(100)])
    colours = np.concatenate([np.repeat(often, 5, axis=0), rare])
    rgba = np.column_stack([colours, np.full(len(colours), 255)]).astype(np.uint8)
    [row] = decoded(palette_png(rgba.tobytes(), len(colours), 1))
    assert (row[: -len(rare)] == colours[: -len(rare)]).all()
    assert (row[-len(rare) :] == [(15, min(green, 15), 0) for green in range(100)]).all()
