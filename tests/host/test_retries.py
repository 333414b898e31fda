"""Retry policies."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.host.protos import InvocationResponse, RetryContext, RpcException, RpcRetryOptions, StatusResult
from devstack.host.retries import invoke_with_retries, retry_delay

_NOW = RpcRetryOptions(2, "fixed_delay", delay_interval=timedelta(0))


def exponential(least: float, most: float) -> RpcRetryOptions:
    return RpcRetryOptions(
        -1,
        "exponential_backoff",
        minimum_interval=timedelta(seconds=least),
        maximum_interval=timedelta(seconds=most),
    )


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (RpcRetryOptions(3, "fixed_delay", delay_interval=timedelta(seconds=7)), [7, 7, 7]),
        (exponential(1, 10), [2, 3, 5, 9, 10, 10]),
        (exponential(0, 1), [0.1, 0.2, 0.4, 0.8, 1, 1]),
    ],
)
def test_delays_without_jitter(policy: RpcRetryOptions, delays: list[float]) -> None:
    found = [retry_delay(policy, attempt + 1, lambda: 0.5) for attempt in range(len(delays))]
    assert found == pytest.approx(delays)


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_the_delay_stays_within_the_policy_however_often(attempt: int, jitter: float) -> None:
    assert 1 < retry_delay(exponential(1, 60), attempt, lambda: jitter) <= 60


class Calls:
    """An invocation that fails so many times."""

    def __init__(self, failures: int) -> None:
        self.contexts: list[RetryContext] = []
        self._failures = failures

    async def __call__(self, context: RetryContext) -> InvocationResponse:
        self.contexts.append(context)
        failed = len(self.contexts) <= self._failures
        error = RpcException(f"failure {len(self.contexts)}")
        return InvocationResponse(
            "", StatusResult(StatusResult.Failure, error) if failed else StatusResult(1)
        )


@pytest.mark.parametrize(
    ("policy", "failures", "calls", "succeeds"),
    [(None, 0, 1, True), (None, 1, 1, False), (_NOW, 1, 2, True), (_NOW, 2, 3, True), (_NOW, 9, 3, False)],
)
async def test_tries(policy: RpcRetryOptions | None, failures: int, calls: int, succeeds: bool) -> None:
    invoke = Calls(failures)
    response = await invoke_with_retries(invoke, policy, asyncio.Event())
    assert response is not None
    assert response.succeeded == succeeds
    assert [context.retry_count for context in invoke.contexts] == list(range(calls))
    assert [context.exception.message for context in invoke.contexts[1:]] == [
        f"failure {number}" for number in range(1, calls)
    ]


async def test_stopping_ends_the_wait_for_a_retry() -> None:
    stopping = asyncio.Event()
    stopping.set()
    assert await invoke_with_retries(Calls(9), exponential(60, 60), stopping) is None
