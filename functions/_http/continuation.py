"""Continuation tokens: where the next part of a list begins, in a form that clients only hand back."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

import msgspec

from functions._http.pagination import MAX_CONTINUATION, ContinuedQuery
from shared.platform.errors import BadRequest

_DIGEST_BYTES = 12


class Continuation[P]:
    """The tokens of one list. A token holds a position, checked against its type, and a digest of the list's
    name, of the filters and of the position: another list's token, one with other filters and one that was
    changed are refused. It carries no rights: whoever makes one up gets to no more than the filters give."""

    def __init__(self, name: str, position: type[P]) -> None:
        self._name = name
        self._decode = msgspec.json.Decoder(position, strict=True).decode

    def token(self, query: ContinuedQuery, position: P) -> str:
        """The token with which the list goes on behind `position`; raises ValueError where it is too long."""
        text = msgspec.json.encode(position)
        token = urlsafe_b64encode(self._digest(query, text) + text).rstrip(b"=").decode()
        if len(token) > MAX_CONTINUATION:
            raise ValueError(f"a position of {len(text)} bytes is too long for a continuation")
        return token

    def position(self, query: ContinuedQuery) -> P | None:
        """Where the list goes on, None for its start; raises BadRequest for a token that it did not give."""
        given = query.continuation
        if given is None:
            return None
        try:
            content = urlsafe_b64decode(given + "=" * (-len(given) % 4))
            digest, text = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
            position = self._decode(text)
            known = digest == self._digest(query, text) and given == self.token(query, position)
        except (NotBase64, ValueError, RecursionError, msgspec.MsgspecError):
            known = False
        if not known:
            raise _refused()
        return position

    def _digest(self, query: ContinuedQuery, text: bytes) -> bytes:
        filters = query.model_dump(mode="json", exclude={"limit", "continuation"}, exclude_defaults=True)
        parts = msgspec.json.encode([self._name, sorted(filters.items()), text])
        return hashlib.sha256(parts).digest()[:_DIGEST_BYTES]


def _refused() -> BadRequest:
    issue = "is none that this list gave with these parameters"
    return BadRequest(f"continuation: {issue}", details={"field": "continuation", "issue": issue})
