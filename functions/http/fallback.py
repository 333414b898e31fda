"""What no operation takes: 405 where the path exists for other methods, else 404."""

from __future__ import annotations

from typing import Never
from urllib.parse import urlsplit

import azure.functions as func

from functions._http import Request, operation
from functions._http.catalogue import CATALOGUE
from shared.platform.errors import MethodNotAllowed, NotFound

bp = func.Blueprint()


@operation(bp, "*", "{*path}", summary="Everything else", open=True, documented=False)
async def fallback(request: Request) -> Never:
    """The last route of all, in the error form of the family that the path belongs to."""
    path = urlsplit(request.url).path
    allowed = CATALOGUE.methods_at(path)
    if allowed and request.method not in allowed:
        raise MethodNotAllowed(f"{path} does not take {request.method}", allowed=allowed)
    raise NotFound(f"Nothing stands at {path}")
