"""What every request passes before all else: who asks, whether within the limits, whether with the right."""

from __future__ import annotations

from collections.abc import Mapping

from functions._http import auth, cors, limits
from functions._http.declaration import Access
from functions._http.messages import ANONYMOUS, Principal
from shared import runtime
from shared.limits.rules import Rule
from shared.platform.errors import Unauthenticated


async def admit(
    method: str,
    headers: Mapping[str, str],
    access: Access,
    scope: str | None,
    rule: Rule,
    told: dict[str, str],
) -> Principal:
    """The principal of a request that may go on; writes the rate limit's headers into `told` in any case.

    Raises Unauthenticated, RateLimited, Forbidden, or Unavailable where credentials cannot be looked up.
    """
    if method == "OPTIONS" and cors.is_preflight(headers):
        # The browser asks these on its own, without credentials: they must not use up a page's requests.
        limits.tell(ANONYMOUS, headers, rule, told)
        return ANONYMOUS
    try:
        principal = await auth.identify(headers, access, runtime.settings(), told)
    except Unauthenticated:
        if limits.LIMIT not in told:
            await limits.admit(ANONYMOUS, headers, rule, told)
        raise
    except Exception:
        if limits.LIMIT not in told:
            limits.tell(ANONYMOUS, headers, rule, told)
        raise
    await limits.admit(principal, headers, rule, told)
    auth.permit(principal, scope)
    return principal
