"""JSON as it comes in messages: cut into the values of a message, and checked before it is decoded."""

from __future__ import annotations

import re

import msgspec

from shared.ingest.models import Reason, Rejected

# Levels of nesting that every JSON parser in common use still reads; deeper events would break readers.
MAX_DEPTH = 200

_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
encode = msgspec.json.Encoder().encode

_BLANK = b" \t\r\n"
# Whole strings, and what cuts JSON into its parts; a quote alone opens a string that never ends.
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"|["\[\]{},]', re.DOTALL)
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def split_message(body: bytes) -> list[bytes]:
    """The JSON values of a message: the items of an array (a packed message), else the one it holds.

    Raises Rejected when the message is empty, not JSON, or an array of nothing. Whether the items of an
    array are JSON and UTF-8 is for each of them to say, so that one does not take its neighbours along.
    """
    text = body.strip(_BLANK)
    if not text:
        raise Rejected(Reason.EMPTY, "the message has no content")
    packed = text[:1] == b"["
    try:
        check_json(body)
    except Rejected:
        items = _cut(text) if packed else []
        if not any(map(_is_object, items)):
            raise
        return items
    if not packed:
        return [body]
    items = [bytes(item) for item in _decode_items(body)]
    if not items:
        raise Rejected(Reason.EMPTY, "the array holds no event")
    return items


def _cut(array: bytes) -> list[bytes]:
    """The items of an array that is not JSON as a whole, by its strings and brackets; none where these do
    not tell."""
    items: list[bytes] = []
    depth = start = 0
    for mark in _MARKS.finditer(array):
        token = mark[0]
        if token in (b"[", b"{"):
            depth += 1
            start = start or mark.end()
        elif token in (b"]", b"}"):
            depth -= 1
        elif token == b'"':
            break
        if depth == 0 or (depth == 1 and token == b","):
            items.append(array[start : mark.start()].strip(_BLANK))
            start = mark.end()
        if depth == 0:
            return items if start == len(array) else []
    return []


def _is_object(text: bytes) -> bool:
    try:
        return bool(_decode_object(text))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def check_json(body: bytes) -> None:
    """Raises Rejected unless `body` is JSON; the inside of its strings may still not be UTF-8."""
    try:
        _decode_raw(body)
    except RecursionError:
        raise too_deep() from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        check_utf8(body)
        raise Rejected(Reason.NOT_JSON, str(error)) from None


def check_utf8(text: bytes) -> None:
    """Raises Rejected unless `text` is UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise Rejected(Reason.NOT_UTF8, f"not UTF-8 at byte {error.start}") from None


def opens_object(text: bytes) -> bool:
    """Whether `text`, if it is JSON, is an object."""
    return text.lstrip(_BLANK)[:1] == b"{"


def members_of(text: bytes, kind: str) -> dict[str, msgspec.Raw]:
    """The members of the JSON object `text`, which a message holds as one of its `kind`.

    Of a name that comes twice the last one counts; what it replaces need not be UTF-8 and may nest deep, as
    the fast reading never sees it. Raises Rejected for all else that is wrong with the text.
    """
    if not opens_object(text):
        raise Rejected(Reason.NOT_AN_OBJECT, f"{kind} is a JSON object")
    try:
        members = _decode_object(text)
    except RecursionError:
        raise too_deep() from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        check_utf8(text)
        raise Rejected(Reason.NOT_JSON, str(error)) from None
    if not text.isascii() or len(text) > 2 * MAX_DEPTH:
        for value in map(bytes, members.values()):
            check_utf8(value)
            if exceeds_depth(value, MAX_DEPTH - 1):
                raise too_deep()
    return members


def too_deep(with_what: str = "") -> Rejected:
    """For what nests deeper than every reader takes."""
    return Rejected(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels{with_what}")


def exceeds_depth(text: bytes, limit: int) -> bool:
    """Whether the JSON in `text` nests deeper than `limit` levels."""
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    # Long lists of small things are common: take the innermost pairs away, a level at a time.
    brackets = _STRINGS.sub(b"", text).translate(_SQUARE, _NO_BRACKETS)
    for _ in range(limit):
        if not brackets:
            return False
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            break
        brackets = outer
    return bool(brackets) and _walk_exceeds_depth(text, limit)


def _walk_exceeds_depth(text: bytes, limit: int) -> bool:
    """`exceeds_depth`, byte by byte, for text that may be no JSON."""
    depth = 0
    inside_string = False
    bytes_left = iter(text)
    for byte in bytes_left:
        if inside_string:
            if byte == 0x5C:  # a backslash: what follows is escaped
                next(bytes_left, None)
            inside_string = byte != 0x22
        elif byte == 0x22:
            inside_string = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            if depth > limit:
                return True
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return False
