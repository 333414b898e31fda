"""Rate limits: the one place that admits a request or refuses it."""

from __future__ import annotations

from collections.abc import Mapping

from functions._http.messages import Principal

_NO_HEADERS: Mapping[str, str] = {}


def admit(principal: Principal, headers: Mapping[str, str], rate: str) -> Mapping[str, str]:
    """Count one request of `principal` against the budget named `rate`; raises RateLimited when it is spent.

    Returns the headers that tell the budget, which every response carries, errors too. No budget is kept yet.
    """
    return _NO_HEADERS
