"""Drives Microsoft's worker library: indexes the app and invokes its functions.

The library keeps its state in module globals, so there is one worker in a process.
"""

import asyncio
import logging
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime  # type: ignore[import-untyped]  # ships no types

from devstack.host import protos
from devstack.host.bindings import Function, read_function
from devstack.host.errors import IndexingError
from devstack.host.protos import InvocationResponse, RetryContext, TypedData

log = logging.getLogger(__name__)

_PROPERTIES = {"protos": protos, "host": "127.0.0.1"}


def _message(**request: Any) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**request), properties=_PROPERTIES)


class Worker:
    """The app's functions, ready to be invoked on the running event loop."""

    def __init__(self, running: dict[str, str], timeout: float | None) -> None:
        """`running` maps invocation ids to functions; `timeout` (seconds) is for other triggers than HTTP."""
        self._running = running
        self._timeout = timeout

    async def load(self, app: Path, settings: Mapping[str, str]) -> list[Function]:
        """Import and index the app; raises HostError."""
        sys.path.insert(0, str(app))
        runtime.start_threadpool_executor()
        init = SimpleNamespace(capabilities={}, function_app_directory=str(app))
        response = await runtime.worker_init_request(_message(worker_init_request=init))
        if response.result.status != protos.StatusResult.Success:
            error = response.result.exception
            raise IndexingError(f"{error.message}\n{error.stack_trace.rstrip()}")
        index = await runtime.functions_metadata_request(_message())
        if not index.function_metadata_results:
            raise IndexingError(f"{app} has no function_app.py with functions")
        return [read_function(metadata, settings) for metadata in index.function_metadata_results]

    async def invoke(
        self,
        function: Function,
        data: TypedData,
        metadata: dict[str, TypedData] | None = None,
        retry: RetryContext | None = None,
        trace_parent: str = "",
    ) -> InvocationResponse:
        """Run the function; what it raises is in the response, logged already. No time limit."""
        identity = uuid.uuid4()
        invocation = str(identity)
        request = protos.InvocationRequest(
            invocation,
            function.id,
            [protos.ParameterBinding(function.trigger.name, data)],
            metadata or {},
            protos.RpcTraceContext(trace_parent or f"00-{identity.hex}-{identity.hex[16:]}-00"),
            retry or RetryContext(),
        )
        self._running[invocation] = function.name
        token = runtime.invocation_id_cv.set(invocation)
        try:
            response: InvocationResponse = await runtime.invocation_request(
                _message(invocation_request=request)
            )
            if not response.succeeded:
                log.error("failed: %s", response.error.stack_trace.rstrip() or response.error.message)
            return response
        finally:
            runtime.invocation_id_cv.reset(token)
            del self._running[invocation]

    async def invoke_in_time(
        self,
        function: Function,
        data: TypedData,
        metadata: dict[str, TypedData] | None = None,
        retry: RetryContext | None = None,
    ) -> InvocationResponse:
        """As `invoke`, and a failure after `functionTimeout`.

        An async function is cancelled then. A sync one goes on in its thread, which nothing can end.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self.invoke(function, data, metadata, retry)
        except TimeoutError:
            message = f"Timeout value of {self._timeout:g} s was exceeded by function: {function.name}"
            log.error("%s", message)
            failure = protos.StatusResult(protos.StatusResult.Failure, protos.RpcException(message))
            return InvocationResponse("", failure)
