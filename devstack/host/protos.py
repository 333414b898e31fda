"""Stand-ins for the gRPC message classes that the worker library builds and reads.

The library is handed this module as `protos`, so neither gRPC nor the .proto files are needed. Names and
values follow Microsoft's `FunctionRpc.proto`.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal


class TypedData:
    """One value under the name of its kind: `TypedData(json="1").json`.

    The kinds that are not set raise AttributeError, which the worker library relies upon.
    """

    __slots__ = (
        "_kind",
        "bytes",
        "collection_bytes",
        "collection_string",
        "double",
        "http",
        "int",
        "json",
        "string",
    )

    bytes: Any
    collection_bytes: Any
    collection_string: Any
    double: Any
    http: Any
    int: Any
    json: Any
    string: Any

    def __init__(self, **value: Any) -> None:
        self._kind: str | None = None
        for kind, content in value.items():
            self._kind = kind
            setattr(self, kind, content)

    def WhichOneof(self, _oneof: str) -> str | None:  # noqa: N802 (protobuf's name)
        """The kind that is set."""
        return self._kind


@dataclass(slots=True)
class CollectionBytes:
    """The bodies of a batch."""

    bytes: list[bytes]


@dataclass(slots=True)
class CollectionString:
    """The bodies of a batch of text."""

    string: list[str]


@dataclass(slots=True)
class ParameterBinding:
    """A named input or output of an invocation."""

    name: str
    data: TypedData | None

    def WhichOneof(self, _oneof: str) -> Literal["data"]:  # noqa: N802 (protobuf's name)
        """Always `data`: shared memory is not offered."""
        return "data"


@dataclass(slots=True)
class RpcHttp:
    """An HTTP request on its way in, or a response on its way out."""

    method: str = ""
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: TypedData = field(default_factory=TypedData)
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    status_code: str = ""
    cookies: "list[RpcHttpCookie] | None" = None
    enable_content_negotiation: bool = False


@dataclass(slots=True)
class RpcHttpCookie:
    """A cookie that a function sets."""

    class SameSite:
        """The values of `same_site`; `None` (not said) is set below, being no Python name."""

        Lax = 1
        Strict = 2
        ExplicitNone = 3

    name: str
    value: str
    domain: "NullableString | None" = None
    path: "NullableString | None" = None
    expires: "NullableTimestamp | None" = None
    secure: "NullableBool | None" = None
    http_only: "NullableBool | None" = None
    same_site: int = 0
    max_age: "NullableDouble | None" = None


setattr(RpcHttpCookie.SameSite, "None", 0)


@dataclass(slots=True)
class NullableString:
    """A string that may be absent."""

    value: str


@dataclass(slots=True)
class NullableBool:
    """A boolean that may be absent."""

    value: bool


@dataclass(slots=True)
class NullableDouble:
    """A number that may be absent."""

    value: float


@dataclass(slots=True)
class Timestamp:
    """Seconds since 1970."""

    seconds: int


@dataclass(slots=True)
class NullableTimestamp:
    """A time that may be absent."""

    value: Timestamp


class BindingInfo:
    """What the index says of a binding; directions and data types in the SDK's numbers."""

    out = 1
    inout = 2
    undefined = 0
    string = 1
    binary = 2
    stream = 3

    def __init__(self, type: str, data_type: int | None, direction: int) -> None:
        self.type = type
        self.data_type = data_type
        self.direction = direction


setattr(BindingInfo, "in", 0)


@dataclass(slots=True)
class RpcRetryOptions:
    """A function's retry policy; the intervals are timedeltas. -1 retries are endless."""

    max_retry_count: int
    retry_strategy: str
    delay_interval: Any = None
    minimum_interval: Any = None
    maximum_interval: Any = None


@dataclass(slots=True)
class RpcFunctionMetadata:
    """One indexed function; `raw_bindings` are JSON texts."""

    name: str
    function_id: str
    directory: str
    script_file: str
    entry_point: str
    bindings: dict[str, BindingInfo]
    raw_bindings: list[str]
    language: str = "python"
    is_proxy: bool = False
    managed_dependency_enabled: bool = False
    retry_options: RpcRetryOptions | None = None
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class RpcException:
    """What a function raised, as text."""

    message: str = ""
    stack_trace: str = ""
    source: str = ""


class StatusResult:
    """Whether something worked, and what was raised otherwise."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1

    __slots__ = ("exception", "status")

    def __init__(self, status: int, exception: RpcException | None = None) -> None:
        self.status = status
        self.exception = exception


@dataclass(slots=True)
class InvocationResponse:
    """The result of an invocation."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: list[ParameterBinding] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Whether the function returned."""
        return self.result.status == StatusResult.Success

    @property
    def error(self) -> RpcException:
        """What it raised."""
        return self.result.exception or RpcException()


class Response:
    """Base of the answers that only carry fields."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class WorkerMetadata(Response):
    """Versions of the worker."""


class WorkerInitResponse(Response):
    """The answer to indexing."""

    result: StatusResult
    capabilities: dict[str, str]


class FunctionMetadataResponse(Response):
    """The index."""

    function_metadata_results: list[RpcFunctionMetadata] | None


class FunctionLoadResponse(Response):
    """The answer to loading one function."""

    result: StatusResult


class FunctionEnvironmentReloadResponse(Response):
    """Never asked for here."""


@dataclass(slots=True)
class RpcTraceContext:
    """W3C trace context of an invocation."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class RetryContext:
    """Which try an invocation is: 0 is the first."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: RpcException = field(default_factory=RpcException)


@dataclass(slots=True)
class InvocationRequest:
    """What a function is called with."""

    invocation_id: str
    function_id: str
    input_data: list[ParameterBinding]
    trigger_metadata: dict[str, TypedData]
    trace_context: RpcTraceContext
    retry_context: RetryContext
