"""The HTTP front: routes requests to HTTP functions, on the worker's own event loop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import uvicorn

from devstack.host.bindings import Binding, Function
from devstack.host.http_limits import HttpLimits, limited_to
from devstack.host.http_messages import Headers, decode_path, read_request, write_response
from devstack.host.outputs import Outputs
from devstack.host.routing import Route, Router
from devstack.host.worker import Worker

log = logging.getLogger(__name__)

type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_BODY = 104_857_600
"""Bytes of a request body, as on the real host; more is answered with 413."""


class BodyTooLarge(Exception):
    """The body exceeds MAX_BODY."""


class ClientGone(Exception):
    """The client went away before its body was whole."""


def http_router(functions: Iterable[Function], prefix: str) -> Router[Function]:
    """The routes of the HTTP functions among these; raises IndexingError for a malformed template."""
    return Router(
        Route(_template(function, prefix), _methods(function.trigger), function)
        for function in functions
        if function.trigger.type == "httpTrigger"
    )


def _template(function: Function, prefix: str) -> str:
    route = function.trigger.fields.get("route")
    template = function.name if route is None else str(route).strip("/")
    return f"{prefix}/{template}" if prefix else template


def _methods(trigger: Binding) -> frozenset[str]:
    return frozenset(str(method).upper() for method in trigger.fields.get("methods") or ())


class HttpFront:
    """An ASGI application over the app's HTTP functions."""

    def __init__(self, router: Router[Function], worker: Worker, outputs: Outputs) -> None:
        self._router = router
        self._worker = worker
        self._outputs = outputs

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = decode_path(scope["raw_path"])
        found = self._router.match(scope["method"], path)
        if found is None:
            await _respond(scope, send, 404, [], b"")
            return
        try:
            body = await _read_body(scope, receive)
        except BodyTooLarge:
            await _respond(scope, send, 413, [(b"connection", b"close")], b"")
            return
        except ClientGone:
            return
        await _respond(scope, send, *await self._invoke(scope, path, *found, body))

    async def _invoke(
        self, scope: dict[str, Any], path: str, function: Function, params: dict[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        request = read_request(scope, path, params, body)
        traced = request.http.headers.get("traceparent", "")
        response = await self._worker.invoke(function, request, trace_parent=traced)
        if not response.succeeded or not await self._outputs.write(function, response):
            return 500, [], b""
        return write_response(_answer(function, response.return_value, response.output_data))


def _answer(function: Function, returned: Any, outputs: list[Any]) -> Any:
    """What goes back to the client: `$return`, or the `http` output parameter."""
    for output in outputs:
        if function.outputs[output.name].type == "http":
            return output.data
    return_binding = function.outputs.get("$return")
    return returned if return_binding is None or return_binding.type == "http" else None


async def _read_body(scope: dict[str, Any], receive: Receive) -> bytes:
    """The body; empty without Content-Length, as the real host drops a chunked body.

    Raises BodyTooLarge, or ClientGone where it breaks off: half a body is none.
    """
    length = next((value for name, value in scope["headers"] if name == b"content-length"), None)
    if length is not None and int(length) > MAX_BODY:
        raise BodyTooLarge
    chunks = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise BodyTooLarge
        if length is not None:
            chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _respond(scope: dict[str, Any], send: Send, status: int, headers: Headers, body: bytes) -> None:
    bodiless = status < 200 or status in {204, 304}
    if not bodiless:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    sent = b"" if bodiless or scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": sent})


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell when requests are answered."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the host."""
        yield


class HttpServer:
    """uvicorn around the front."""

    def __init__(self, front: HttpFront, address: str, port: int, limits: HttpLimits | None = None) -> None:
        self._socket = socket.create_server((address, port), backlog=2048)
        self.url = f"http://{address}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            front,
            http=limited_to(limits or HttpLimits()),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=120,
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns when requests are answered."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        await self._server.listening.wait()

    async def stop(self, patience: float) -> None:
        """Stop listening and let requests in flight end, within `patience` seconds."""
        self._server.should_exit = True
        if self._serving is None:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._serving, patience)
