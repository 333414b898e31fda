"""Where data files stand: names of keys and of files as segments of a path, reversibly.

Files of the flush are `raw/<key>/YYYY/MM/DD/HH/…`, final ones `<key>/YYYY/MM/DD/HH/<name>.parquet`.
Of a name only ASCII letters, digits, `-`, `.` and `_` stand as they are; the bytes of all else are written
`~XX`. Not `%XX`, for readers disagree on how often a path in the Delta log is to be unquoted.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256

RAW = "raw/"
# A blob's name has at most 1,024 characters, and a folder of a file system 255: longer names are cut, and a
# hash tells them apart.
LONGEST_SEGMENT = 200

_ESCAPE = re.compile(rb"~([0-9A-F]{2})")
_ESCAPED = re.compile(rb"[^A-Za-z0-9._-]")
# Spark and others pass over what starts with a dot or an underscore, and `_delta_log` is the log's;
# Azure wants no segment to end with a dot.
_EDGES = re.compile(r"^[._]|\.$")
_NUMBERED = re.compile(r"-([2-9]|[1-9][0-9]+)$")
_EMPTY = "~"


def path_segment(name: str) -> str:
    """`name` as one segment of a path: no two names share one, none climbs out or hides.

    Of names whose segment would exceed LONGEST_SEGMENT characters it has the start, `~~` and a hash.
    """
    encoded = _ESCAPED.sub(lambda found: b"~%02X" % found[0][0], name.encode()).decode()
    encoded = _EDGES.sub(lambda found: f"~{ord(found[0]):02X}", encoded)
    if encoded == "raw":
        return "~72aw"
    return _shortened(encoded, name) if encoded else _EMPTY


def name_of(segment: str) -> str | None:
    """The name that `path_segment` or `file_stem` made `segment` of; None where it was too long to be kept
    whole. The table's columns have every name in full."""
    if segment == _EMPTY:
        return ""
    if "~~" in segment:
        return None
    return re.sub(
        rb"~([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), segment.encode()
    ).decode()


def file_stem(name: str) -> str:
    """`name` as a file's name without its kind: a segment that does not end as that of a further file."""
    encoded = _NUMBERED.sub(r"~2D\1", path_segment(name))
    return _shortened(encoded, name)


def hour_folder(key: str, hour: datetime) -> str:
    """The folder of a key's final files of `hour`, with a slash at its end."""
    return f"{path_segment(key)}/{hour.year:04}/{hour.month:02}/{hour.day:02}/{hour.hour:02}/"


def final_path(folder: str, stem: str, number: int) -> str:
    """The path of the file `number`, from 1, in `folder`."""
    return f"{folder}{stem}.parquet" if number == 1 else f"{folder}{stem}-{number}.parquet"


def _shortened(encoded: str, name: str) -> str:
    if len(encoded) <= LONGEST_SEGMENT or "~~" in encoded:
        return encoded
    digest = sha256(name.encode()).hexdigest()[:32]
    return re.sub(r"~.?$", "", encoded[: LONGEST_SEGMENT - 34]) + f"~~{digest}"
