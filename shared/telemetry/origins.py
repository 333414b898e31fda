"""Which requests messages come from: told in headers of the message, read back from a batch's properties."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from shared.platform import logs
from shared.telemetry import tracing

type Headers = tuple[tuple[str, bytes], ...]

REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"
# So many requests of one batch are named; of the others it is said how many they are.
MOST_NAMED = 20
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Origins:
    """The requests that a batch's messages come from; `more` is how many are not named."""

    request_ids: tuple[str, ...] = ()
    traceparents: tuple[str, ...] = ()
    more: int = 0


NO_ORIGINS = Origins()


class _Properties(msgspec.Struct, gc=False):
    request_id: Any = msgspec.field(name=REQUEST_ID, default=None)
    traceparent: Any = None


_decode = msgspec.json.Decoder(list[_Properties | None]).decode


def outgoing() -> Headers:
    """The headers for messages that the request of now sends; none where no request is served."""
    request_id = logs.request_id()
    if request_id is None:
        return ()
    return ((REQUEST_ID, request_id.encode()), (TRACEPARENT, tracing.traceparent().encode()))


def origins(properties: str, messages: int) -> Origins:
    """The requests named in a batch's `PropertiesArray`, JSON with an object for each of its `messages`.

    Takes no time where no message has properties, and raises for nothing: what it cannot read, it leaves out.
    """
    if len(properties) <= len("[]") + len("{},") * messages:
        return NO_ORIGINS
    try:
        found = {one.request_id: one.traceparent for one in _decode(properties) if one is not None}
    except (msgspec.MsgspecError, TypeError):
        return NO_ORIGINS
    found.pop(None, None)
    return _named(found)


def _named(found: dict[Any, Any]) -> Origins:
    ids: list[str] = []
    traces: dict[str, None] = {}
    for request_id, trace in islice(found.items(), MOST_NAMED):
        plain_id, plain_trace = _plain(request_id, trace) if isinstance(request_id, str) else ("", None)
        if _ID.fullmatch(plain_id):
            ids.append(plain_id)
            if plain_trace:
                traces[plain_trace] = None
    return Origins(tuple(ids), tuple(traces), max(0, len(found) - MOST_NAMED))


def _plain(request_id: str, trace: Any) -> tuple[str, str | None]:
    """Both as they were sent.

    Event Hubs hands a Kafka header's bytes over as such, and the extension writes bytes in base64. Which of
    the two it is, the traceparent tells, whose form is known.
    """
    if not isinstance(trace, str):
        return request_id, None
    if tracing.TRACEPARENT.fullmatch(trace):
        return request_id, trace
    try:
        decoded = b64decode(trace, validate=True).decode("ascii")
        if tracing.TRACEPARENT.fullmatch(decoded):
            return b64decode(request_id, validate=True).decode("ascii"), decoded
    except (binascii.Error, ValueError):
        pass
    return request_id, None
