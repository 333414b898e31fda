"""What no operation takes: 405 where the path exists for other methods, else 404."""

from __future__ import annotations

import azure.functions as func

from functions._http import Reply, Request, cors, operation
from functions._http.catalogue import CATALOGUE
from functions._http.routes import path_of
from shared.platform.errors import MethodNotAllowed, NotFound

bp = func.Blueprint()
# How much of a path an error repeats.
_SHOWN = 200


@operation(bp, "*", "{*path}", summary="Everything else", open=True, documented=False)
async def fallback(request: Request) -> Reply[None]:
    """The last route of all, in the error form of the path's family; browsers' preflights come here too."""
    path = path_of(request.url)
    allowed = CATALOGUE.methods_at(path)
    if allowed and request.method == "OPTIONS" and cors.is_preflight(request.headers):
        return Reply(204, None, cors.preflight(allowed))
    if allowed and request.method not in allowed:
        raise MethodNotAllowed(f"{_shown(path)} does not take {request.method}", allowed=allowed)
    raise NotFound(f"Nothing stands at {_shown(path)}")


def _shown(path: str) -> str:
    return path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"
