"""Request bodies: type, encoding and size are checked, then bytes or a validated model come out."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import msgspec
from pydantic import BaseModel, ValidationError

from functions._http.parameters import bad_request
from shared.platform.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType

_GZIP = 16 + zlib.MAX_WBITS
# Every further member copies what is left, so a body of endless tiny ones would cost its square.
_MAX_MEMBERS = 64
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_UTF8 = {"utf-8", "utf8", "us-ascii"}


@lru_cache(maxsize=256)
def accepts(content_types: tuple[str, ...], content_type: str) -> bool:
    """Whether a `Content-Type` value is one of `content_types` (with wildcards), in UTF-8 if it names one."""
    media, *options = (part.strip().lower() for part in content_type.split(";"))
    charsets = [option[8:].strip('"') for option in options if option.startswith("charset=")]
    return any(fnmatchcase(media, wanted) for wanted in content_types) and _UTF8.issuperset(charsets)


async def read_bytes(
    raw: bytes, headers: Mapping[str, str], content_types: tuple[str, ...], limit: int
) -> bytes:
    """The body unpacked; at most `limit` bytes before and after.

    Raises UnsupportedMediaType, PayloadTooLarge, or BadRequest where it is no whole gzip stream.
    """
    given = headers.get("content-type")
    if given and not accepts(content_types, given):
        raise UnsupportedMediaType(f"Content-Type should be {content_types[0]}")
    if len(raw) > limit:
        raise too_large(limit)
    encoding = headers.get("content-encoding")
    if not encoding or encoding.lower() == "identity":
        return raw
    if encoding.lower() not in ("gzip", "x-gzip"):
        raise UnsupportedMediaType("Content-Encoding should be gzip or identity")
    return await asyncio.to_thread(unpack, raw, limit)


def unpack(raw: bytes, limit: int) -> bytes:
    """`raw`, one or more gzip members, unpacked; stops with PayloadTooLarge once it crosses `limit`."""
    parts: list[bytes] = []
    size = 0
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(_GZIP)
        try:
            part = member.decompress(raw, limit - size + 1)
        except zlib.error:
            raise BadRequest("The body is not valid gzip") from None
        size += len(part)
        if size > limit:
            raise too_large(limit)
        if not member.eof:
            raise BadRequest("The body is not a whole gzip stream")
        parts.append(part)
        raw = member.unused_data
        if not raw:
            return b"".join(parts)
    raise BadRequest(f"The body has more than {_MAX_MEMBERS} gzip members")


def too_large(limit: int) -> PayloadTooLarge:
    """The error for a body above `limit` bytes."""
    return PayloadTooLarge(f"The body is larger than {limit} bytes", details={"max_bytes": limit})


def decode_json(body: bytes) -> Any:
    """`body` as JSON, strictly: no NaN, no other encoding than UTF-8, no bottomless nesting, no name twice in
    one object, of which readers would take one or the other."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequest("The body is not valid JSON in UTF-8") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply") from None
    # Outside its strings, JSON has one colon for each member that was written.
    if _STRING.sub(b"", body).count(b":") != _members(decoded):
        raise BadRequest("The body has an object with two members of the same name")
    return decoded


def _members(value: Any) -> int:
    """How many members the objects in `value` have, all together."""
    found, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found += len(one)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found


def decode_model[M: BaseModel](model: type[M], body: bytes) -> M:
    """`body` as `model`; raises BadRequest naming the field at fault."""
    try:
        return model.__pydantic_validator__.validate_python(decode_json(body))  # type: ignore[no-any-return]
    except ValidationError as error:
        raise bad_request(error, "field") from None
