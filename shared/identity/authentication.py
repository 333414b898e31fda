"""From a credential to a principal, from memory wherever it can be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from shared.identity.keys import KEY_FORM
from shared.identity.models import Principal, Verified
from shared.identity.revocations import Revocations
from shared.platform.clock import Clock
from shared.platform.errors import Unauthenticated

# A credential is looked up again after this long; revocations are noticed within seconds all the same.
MEMORY = timedelta(minutes=10)
MOST_REMEMBERED = 10_000
MOST_CHARACTERS = 4096
_TOKEN_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)

type Verify = Callable[[str], Verified]


class Authenticator:
    """Remembers by SHA-256 what `verify`, which blocks, found good; `offload` runs that in a thread."""

    def __init__(
        self,
        verify: Verify,
        revocations: Revocations,
        offload: Callable[[Callable[[], Verified]], Awaitable[Verified]],
        clock: Clock,
    ) -> None:
        self._verify = verify
        self._revocations = revocations
        self._offload = offload
        self._clock = clock
        self._known: dict[bytes, Verified] = {}
        self._looking: dict[bytes, asyncio.Future[Verified]] = {}

    async def principal(self, credential: str, digest: bytes) -> Principal:
        """Whose `credential` this is; `digest` is its SHA-256.

        Raises Unauthenticated, or StorageUnavailable where storage has to be asked and does not answer. What
        is neither a key nor a token by its form never reaches storage.
        """
        known = self._known.get(digest)
        if known is None or known.expires_at <= self._clock():
            known = await self._look_up(credential, digest)
        if self._revocations.ageing:
            await self._revocations.keep_fresh()
        if self._revocations.any_of(known.revocable_by):
            self._known.pop(digest, None)
            raise Unauthenticated("These credentials were revoked")
        return known.principal

    def remembers(self, digest: bytes) -> bool:
        """Whether the credential of that SHA-256 was found good here before, be it a while ago."""
        return digest in self._known

    async def _look_up(self, credential: str, digest: bytes) -> Verified:
        """One look-up for all that ask for the same credential at the same time."""
        if not has_a_form(credential):
            raise Unauthenticated("The credentials are not valid")
        looking = self._looking.get(digest)
        if looking is None:
            looking = asyncio.ensure_future(self._offload(lambda: self._verify(credential)))
            self._looking[digest] = looking
            looking.add_done_callback(lambda done: self._looked_up(digest, done))
        return await asyncio.shield(looking)

    def _looked_up(self, digest: bytes, done: asyncio.Future[Verified]) -> None:
        self._looking.pop(digest, None)
        self._known.pop(digest, None)
        if done.cancelled() or done.exception() is not None:
            return
        if len(self._known) >= MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        found = done.result()
        self._known[digest] = replace(found, expires_at=min(found.expires_at, self._clock() + MEMORY))


def has_a_form(credential: str) -> bool:
    """Whether it is a key or a token by its form."""
    if len(credential) > MOST_CHARACTERS:
        return False
    return KEY_FORM.fullmatch(credential) is not None or _TOKEN_FORM.fullmatch(credential) is not None


def verifier(verify_key: Verify, verify_token: Verify) -> Verify:
    """Verifies either kind of credential."""

    def verify(credential: str) -> Verified:
        return verify_key(credential) if KEY_FORM.fullmatch(credential) else verify_token(credential)

    return verify
