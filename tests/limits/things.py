"""Operations that count in different ways, and an authenticator that counts what it looks up."""

from __future__ import annotations

from typing import Any

import azure.functions as func

from functions._http import RawBody, Reply, Request, operation
from functions._http.catalogue import Catalogue
from functions._http.messages import Principal
from shared.platform.errors import RateLimited, Unauthenticated
from tests.http.conftest import Answer, triggers_of

HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
bp = func.Blueprint()


def declare(method: str, route: str, **options: Any) -> Any:
    return operation(bp, method, route, summary="A test", catalogue=Catalogue(), **options)


@declare("GET", "api/things", scope="events:read")
async def list_things(request: Request) -> Reply[dict[str, str]]:
    return Reply(200, {"who": request.principal.id})


@declare("GET", "tasks", scope="profile:read")
async def list_tasks(request: Request) -> dict[str, str]:
    return {"who": request.principal.id}


@declare("POST", "api/batches", body=RawBody(), rate="batch", open_locally=True)
async def take_batch(request: Request[None, bytes]) -> dict[str, int]:
    return {"length": len(request.body)}


@declare("POST", "auth/enter", body=RawBody(), rate="auth", open=True)
async def enter(request: Request[None, bytes]) -> None:
    raise RateLimited("Wait for the attempts before", retry_after=900)


TRIGGERS = triggers_of(bp)


def limits_of(answer: Answer) -> tuple[int, int, int]:
    limit, remaining, reset = (int(answer.headers[name]) for name in HEADERS)
    return limit, remaining, reset


class Authenticator:
    """Knows keys by their text; looks unknown ones up, and counts how often it did."""

    def __init__(self, **principals: Principal) -> None:
        self.principals = principals
        self.remembered: set[bytes] = set()
        self.looked_up = 0
        self.broken: Exception | None = None

    def remembers(self, digest: bytes) -> bool:
        return digest in self.remembered

    async def principal(self, credential: str, digest: bytes) -> Principal:
        if digest not in self.remembered:
            self.looked_up += 1
        if self.broken:
            raise self.broken
        if credential not in self.principals:
            raise Unauthenticated("The API key is not valid")
        self.remembered.add(digest)
        return self.principals[credential]
