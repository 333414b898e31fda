"""Answers with an ETag: the client that has one already is told so, and the work is not done again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from functions._http.declaration import Access
from functions._http.messages import Reply, Request, Unchanged

type Handler = Callable[[Any], Awaitable[Any]]


def versioned(call: Handler, status: int, access: Access) -> Handler:
    """`call`, whose answers carry the ETag that the handler told by `request.version`, and are 304 where the
    client has that one.

    Caches ask again each time; answers that credentials decide are kept by no cache that others share.
    """
    private = access is not Access.OPEN
    marks = {"Cache-Control": "private, no-cache" if private else "no-cache"}
    varies = ("Authorization", "X-API-Key") if private else ()

    async def answer(request: Request[Any, Any, Any]) -> Reply[Any]:
        try:
            given = await call(request)
        except Unchanged as unchanged:
            given = Reply(304, None, unchanged.headers)
        reply = given if isinstance(given, Reply) else Reply(status, given)
        if request.etag and (200 <= reply.status < 300 or reply.status == 304):
            vary = ", ".join((*varies, *filter(None, [reply.headers.get("Vary")])))
            told = {**marks, **reply.headers, "ETag": request.etag}
            reply.headers = told | {"Vary": vary} if vary else told
        return reply

    return answer
