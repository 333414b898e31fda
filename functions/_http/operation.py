"""The decorator: one declaration makes a native function out of a handler."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import azure.functions as func
from pydantic import BaseModel

from functions._http import cors
from functions._http.admission import admit
from functions._http.catalogue import CATALOGUE, Catalogue
from functions._http.declaration import Access, Described, Operation, RawBody
from functions._http.families import TASKS, Family, family_of
from functions._http.incoming import plain_headers, request_id_of, request_reader
from functions._http.limits import rule_of
from functions._http.messages import Request
from functions._http.observed import observer
from functions._http.responses import failure, success
from functions._http.routes import Route, path_of
from functions._http.versioned import versioned

type Handler = Callable[[Any], Awaitable[Any]]
type Trigger = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]

EVERY_METHOD = "*"


def operation[H: Callable[[Any], Any]](
    bp: func.Blueprint,
    method: str,
    route: str,
    *,
    name: str | None = None,
    summary: str,
    description: str = "",
    tags: tuple[str, ...] | list[str] = (),
    family: Family | None = None,
    path: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | RawBody | None = None,
    body_examples: Mapping[str, Any] | None = None,
    body_required: bool = True,
    response: type[BaseModel] | Described | None = None,
    status: int = 200,
    responses: Mapping[int, Described] | None = None,
    errors: tuple[int, ...] = (),
    scope: str | None = None,
    rate: str = "default",
    open: bool = False,
    open_locally: bool = False,
    blocking: bool = False,
    etag: bool = False,
    documented: bool = True,
    catalogue: Catalogue = CATALOGUE,
) -> Callable[[H], H]:
    """Register the decorated handler as the HTTP function `name`, else its own, and return it unchanged.

    `method` is one method (GET takes HEAD too) or `*`; `family` follows from the route where it is not given.
    `open`: no credentials in any mode; `open_locally`: none where FLOE_AUTH=local. `scope` is what
    credentials must carry. `errors`: statuses of errors that the handler raises and the declaration does not
    imply. `blocking`: the handler is a plain function that blocks, and runs in a thread. `etag`: the handler
    tells what its answer depends on by `request.version`, and a client that has the answer gets 304.
    Raises ValueError or TypeError at import where the declaration contradicts itself.
    """

    def register(handler: H) -> H:
        declared = Operation(
            name=name or handler.__name__,
            methods=_methods(method),
            route=Route(route),
            family=family or (None if method == EVERY_METHOD else family_of(route)),
            access=Access.OPEN if open else Access.OPEN_LOCALLY if open_locally else Access.CLOSED,
            scope=scope,
            rate=rate,
            path=path,
            query=query,
            body=body,
            body_examples=body_examples or {},
            body_required=body.required if isinstance(body, RawBody) else body_required,
            success=response if isinstance(response, Described) else Described("Success", response),
            status=status,
            responses=responses or {},
            errors=errors,
            summary=summary,
            description=description or inspect.getdoc(handler) or "",
            tags=tuple(tags),
            etag=etag,
            documented=documented,
        )
        _check(declared, handler, blocking)
        catalogue.add(declared)
        trigger = _trigger(declared, handler, _in_thread(handler) if blocking else handler)
        bp.route(
            declared.route.registered, methods=declared.methods or None, auth_level=func.AuthLevel.ANONYMOUS
        )(trigger)
        return handler

    return register


def _methods(method: str) -> tuple[str, ...]:
    if method == EVERY_METHOD:
        return ()
    return ("GET", "HEAD") if method == "GET" else (method,)


def _check(declared: Operation, handler: Callable[[Any], Any], blocking: bool) -> None:
    if inspect.iscoroutinefunction(handler) == blocking:
        raise TypeError(f"{declared.name}: either `async def`, or a plain function with blocking=True")
    fields = set(declared.path.model_fields) if declared.path else set()
    rule_of(declared.rate, declared.family or TASKS)
    if fields != set(declared.route.parameters) and declared.documented:
        raise ValueError(f"{declared.name}: the route's parameters and those of `path` differ")


def _in_thread(handler: Callable[[Any], Any]) -> Handler:
    async def call(request: Request[Any, Any, Any]) -> Any:
        return await asyncio.to_thread(handler, request)

    return call


def _trigger(declared: Operation, handler: Callable[[Any], Any], call: Handler) -> Trigger:
    """The function that the worker sees, named as the handler; all that can be decided is decided here."""
    rule = rule_of(declared.rate, declared.family) if declared.family else None
    read, observe = request_reader(declared), observer(declared)
    if declared.etag:
        call = versioned(call, declared.status, declared.access)

    async def trigger(req: func.HttpRequest) -> func.HttpResponse:
        headers = plain_headers(req)
        request_id = request_id_of(headers)
        seen = observe(req.method, request_id, headers)
        out = {"X-Request-Id": request_id}
        family = declared.family or _family_at(req)
        try:
            counted = rule or rule_of(declared.rate, family)
            principal = await admit(req.method, headers, declared.access, declared.scope, counted, out)
            answer = await call(await read(req, headers, request_id, principal))
            response = seen.answered(success(answer, declared.status, family, request_id, out))
        except Exception as error:
            response = seen.answered(failure(error, family, request_id, out))
        finally:
            seen.end()
        cors.mark(response.headers, headers)
        return response

    return _as_function(trigger, handler, declared.name)


def _as_function(trigger: Trigger, handler: Callable[[Any], Any], name: str) -> Trigger:
    """`trigger` under the operation's name; the worker must read its own signature, not the handler's."""
    named = functools.wraps(handler, assigned=("__module__", "__doc__"))(trigger)
    del named.__wrapped__
    named.__name__ = named.__qualname__ = name
    named.__annotations__ = {"req": func.HttpRequest, "return": func.HttpResponse}
    return named


def _family_at(req: func.HttpRequest) -> Family:
    return family_of(path_of(req.url))
