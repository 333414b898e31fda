"""Rate limits: the one place that admits a request or refuses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Never

from functions._http.client_address import client_address
from functions._http.families import ANALYTICS, COLD_STORAGE, INGESTION, Family
from functions._http.messages import ANONYMOUS, Principal
from shared import runtime
from shared.limits import rules
from shared.limits.limiter import Count
from shared.limits.rules import Rule
from shared.platform.errors import RateLimited, Unauthenticated

LIMIT, REMAINING, RESET = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"
DEFAULT = "default"
# What operations may name; `default` is the rule of the family that the path belongs to.
CLASSES: Mapping[str, Rule] = {
    rule.name: rule for rule in (rules.BATCH, rules.SIMULATE, rules.EXPORT, rules.AUTH)
}
_BY_FAMILY = {COLD_STORAGE: rules.STORAGE, INGESTION: rules.INGESTION, ANALYTICS: rules.EVENTS}
# A longer `X-Forwarded-For` is not remembered: it is no front end's, and would fill memory.
_ORDINARY_LENGTH = 256


def rule_of(rate: str, family: Family) -> Rule:
    """The rule that an operation of `family` counts under; raises ValueError for a `rate` that is none."""
    if rate == DEFAULT:
        return _BY_FAMILY.get(family, rules.PLAN)
    try:
        return CLASSES[rate]
    except KeyError:
        raise ValueError(f"unknown rate {rate!r}; there are {DEFAULT}, {', '.join(CLASSES)}") from None


async def admit(principal: Principal, headers: Mapping[str, str], rule: Rule, told: dict[str, str]) -> None:
    """Counts one request of `principal`; raises RateLimited where its limit is spent.

    Writes the headers that tell the limit into `told`, which every response carries, errors too.
    """
    count = _count(principal, headers, rule)
    admitted = await runtime.limiter().take(count)
    _tell(count, told)
    if not admitted:
        _refuse(count)


def tell(principal: Principal, headers: Mapping[str, str], rule: Rule, told: dict[str, str]) -> None:
    """Writes the headers without counting a request."""
    _tell(_count(principal, headers, rule), told)


@asynccontextmanager
async def attempt(headers: Mapping[str, str], told: dict[str, str]) -> AsyncIterator[None]:
    """Around the look-up of credentials that were not seen before: counts it unless they are found good.

    Counted beforehand, so that many at once are no way around. Raises RateLimited where the address has shown
    too many wrong ones.
    """
    count = _count(ANONYMOUS, headers, rules.CREDENTIALS)
    limiter = runtime.limiter()
    if not await limiter.take(count):
        _tell(count, told)
        _refuse(count)
    try:
        yield
    except Unauthenticated:
        _tell(count, told)
        raise
    except BaseException:
        limiter.give_back(count)
        raise
    limiter.give_back(count)


def _count(principal: Principal, headers: Mapping[str, str], rule: Rule) -> Count:
    plan, account = principal.plan, principal.account or principal.id
    if rule.by_address or principal.kind == "anonymous" or principal.kind == "local":
        client, account = f"from {_address(headers)}", ""
    else:
        client = f"{plan} {account}"
    return runtime.limiter().count(rule, client, runtime.limits().of(rule, plan, account))


def _address(headers: Mapping[str, str]) -> str:
    told, hops = headers.get("x-forwarded-for", ""), runtime.settings().proxy_hops
    if len(told) > _ORDINARY_LENGTH:
        return client_address(headers, hops)
    return _remembered_address(told, hops)


@lru_cache(maxsize=4096)
def _remembered_address(told: str, hops: int) -> str:
    return client_address({"x-forwarded-for": told}, hops)


def _tell(count: Count, told: dict[str, str]) -> None:
    told[LIMIT] = count.limit_text
    told[REMAINING] = str(count.remaining)
    told[RESET] = count.reset_text


def _refuse(count: Count) -> Never:
    raise RateLimited(
        f"The limit of {count.limit} requests is spent; it is renewed at {count.reset_text} (epoch seconds)",
        retry_after=runtime.limiter().seconds_left(count),
    )
