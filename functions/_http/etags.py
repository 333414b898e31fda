"""ETags and `If-None-Match`, as RFC 9110 has them."""

from __future__ import annotations

import hashlib
import re

import msgspec

from shared.platform.version import VERSION

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def etag_of(parts: tuple[object, ...], *, strong: bool) -> str:
    """The ETag of what `parts`, and this version of Floe, decide; strong where they decide every byte."""
    text = msgspec.json.encode([VERSION, *parts], enc_hook=str)
    return f'{"" if strong else "W/"}"{hashlib.sha256(text).hexdigest()[:32]}"'


def names(if_none_match: str | None, etag: str) -> bool:
    """Whether the header names `etag`, compared weakly as it is to be there, or everything by `*`."""
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in _TAG.findall(if_none_match)
