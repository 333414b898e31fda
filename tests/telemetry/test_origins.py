"""Which requests a batch comes from, read back from what the extension hands over."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platform import logs
from shared.telemetry.origins import MOST_NAMED, NO_ORIGINS, Origins, origins, outgoing
from shared.telemetry.tracing import TRACEPARENT

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00"


def encoded(text: str) -> str:
    """As the extension writes bytes."""
    return b64encode(text.encode()).decode()


def of(*properties: Any) -> Origins:
    return origins(json.dumps(properties, separators=(",", ":")), len(properties))


def test_requests_are_named_once() -> None:
    one, two = {"x-request-id": "one", "traceparent": TRACE}, {"x-request-id": "two", "traceparent": OTHER}
    assert of(one, two, {}, one) == Origins(("one", "two"), (TRACE, OTHER), 0)


def test_bytes_come_in_base64() -> None:
    properties = {"x-request-id": encoded("req_1"), "traceparent": encoded(TRACE)}
    assert of(properties, {}) == Origins(("req_1",), (TRACE,), 0)


def test_an_id_that_looks_like_base64_stays_as_it_is() -> None:
    assert of({"x-request-id": "QUJD"}).request_ids == ("QUJD",)
    assert of({"x-request-id": "QUJD", "traceparent": TRACE}).request_ids == ("QUJD",)


def test_many_requests_are_counted() -> None:
    seen = of(*({"x-request-id": f"r{number}", "traceparent": TRACE} for number in range(50)))
    assert seen.request_ids == tuple(f"r{number}" for number in range(MOST_NAMED))
    assert seen.more == 50 - MOST_NAMED


@pytest.mark.parametrize(
    "text", ["", "[]", "[{},{},{}]", "null", "[{}, {},", '{"x-request-id":"a"}', "[1,2,3,4,5,6]"]
)
def test_nothing_is_found_where_nothing_is(text: str) -> None:
    assert origins(text, 3) == NO_ORIGINS


@given(
    st.lists(
        st.none()
        | st.dictionaries(
            st.sampled_from(["x-request-id", "traceparent", "else"]),
            st.none() | st.integers() | st.text() | st.lists(st.integers()) | st.just(TRACE),
        ),
        max_size=5,
    )
)
def test_whatever_others_send_is_no_error(properties: list[Any]) -> None:
    for request_id in of(*properties).request_ids:
        assert request_id.isascii()
        assert len(request_id) <= 128


def test_messages_of_a_request_say_so() -> None:
    assert outgoing() == ()
    token = logs.bind("req_1", "send", TRACE)
    sent = dict(outgoing())
    logs.unbind(token)
    assert sent == {"x-request-id": b"req_1", "traceparent": TRACE.encode()}


@pytest.mark.parametrize("given_by_the_client", [None, "", "nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01"])
def test_a_trace_begins_where_the_client_has_none(given_by_the_client: str | None) -> None:
    token = logs.bind("req_1", "send", given_by_the_client)
    first, second = dict(outgoing()), dict(outgoing())
    logs.unbind(token)
    assert TRACEPARENT.fullmatch(first["traceparent"].decode())
    assert first["traceparent"] != second["traceparent"]
