"""Retry policies: `@app.retry(...)` carried out by the host, as on Azure for Event Hub and timer triggers."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from devstack.host.protos import InvocationResponse, RetryContext, RpcRetryOptions
from devstack.host.waiting import stopped_within

log = logging.getLogger(__name__)

_LEAST_STEP = 0.1
"""Seconds that exponential backoff starts with when the policy names no minimum."""


def retry_delay(policy: RpcRetryOptions, attempt: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds before try number `attempt` (1 is the first retry)."""
    if policy.retry_strategy == "fixed_delay":
        return float(policy.delay_interval.total_seconds())
    least = float(policy.minimum_interval.total_seconds())
    most = float(policy.maximum_interval.total_seconds())
    # The exponent is bounded because the tries may be endless.
    step = max(least, _LEAST_STEP) * 2 ** min(attempt - 1, 30) * (0.8 + 0.4 * jitter())
    return float(min(least + step, max(most, least)))


async def invoke_with_retries(
    invoke: Callable[[RetryContext], Awaitable[InvocationResponse]],
    policy: RpcRetryOptions | None,
    stopping: asyncio.Event,
) -> InvocationResponse | None:
    """Invoke until it succeeds or the retries are spent; None when `stopping` ended the retries early."""
    limit = policy.max_retry_count if policy else 0
    context = RetryContext(max_retry_count=limit)
    while True:
        response = await invoke(context)
        if response.succeeded or policy is None or limit == context.retry_count:
            return response
        context = RetryContext(context.retry_count + 1, limit, response.error)
        delay = retry_delay(policy, context.retry_count)
        log.warning("retry %d of %s in %.1f s", context.retry_count, "∞" if limit < 0 else limit, delay)
        if await stopped_within(stopping, delay):
            return None
