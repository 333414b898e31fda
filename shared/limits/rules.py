"""The rate limits as data: what is counted together, over which time, and how many are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.identity.models import Plan
from shared.platform.settings import Settings

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Rule:
    """Requests of one client that count together, in windows of `seconds` that begin on the clock.

    `by_address`: the client is always its address, whoever it says it is. An instance lets one part in
    `unasked` of the limit pass before it asks storage.
    """

    name: str
    seconds: int
    by_address: bool = False
    unasked: int = 100


# One for each reference that has a number of its own, and those for costly or delicate operations.
STORAGE = Rule("storage", MINUTE)
INGESTION = Rule("ingestion", MINUTE)
EVENTS = Rule("events", MINUTE)
PLAN = Rule("plan", HOUR)
BATCH = Rule("batch", MINUTE)
SIMULATE = Rule("simulate", MINUTE)
EXPORT = Rule("export", MINUTE)
AUTH = Rule("auth", MINUTE, by_address=True)
# Keys and tokens that this instance has not seen before, until they are found good.
CREDENTIALS = Rule("credentials", MINUTE, by_address=True, unasked=20)

RULES: Mapping[str, Rule] = {
    rule.name: rule for rule in (STORAGE, INGESTION, EVENTS, PLAN, BATCH, SIMULATE, EXPORT, AUTH, CREDENTIALS)
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests each rule allows in a window.

    `plans` are for PLAN, `rules` (by name) for the others; `accounts` has the numbers (by rule's name) of
    accounts that have some of their own, whatever their plan.
    """

    rules: Mapping[str, int]
    plans: Mapping[Plan, int]
    accounts: Mapping[str, Mapping[str, int]]

    def of(self, rule: Rule, plan: Plan, account: str = "") -> int:
        """The limit of one account's requests."""
        own = self.accounts.get(account) if account and self.accounts else None
        if own is not None and rule.name in own:
            return own[rule.name]
        return self.plans[plan] if rule is PLAN else self.rules[rule.name]


def limits_of(settings: Settings) -> Limits:
    """The limits that the settings say."""
    general = settings.api_rate_limit
    return Limits(
        rules={
            STORAGE.name: general,
            INGESTION.name: general,
            EVENTS.name: general,
            BATCH.name: settings.rate_batch,
            SIMULATE.name: settings.rate_simulate,
            EXPORT.name: settings.rate_export,
            AUTH.name: settings.rate_auth,
            CREDENTIALS.name: settings.rate_credentials,
        },
        plans={
            "anonymous": settings.rate_anonymous,
            "free": settings.rate_free,
            "professional": settings.rate_professional,
            "enterprise": settings.rate_enterprise,
        },
        accounts={account: dict(own.items()) for account, own in settings.rate_accounts.items()},
    )
