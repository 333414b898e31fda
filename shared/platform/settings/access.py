"""Who may do what, and how often."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

RequestCount = Annotated[int, Field(ge=1, le=1_000_000_000)]
RateRule = Literal["storage", "ingestion", "events", "plan", "batch", "simulate", "export"]


def _from_json(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


RateAccounts = Annotated[dict[str, dict[RateRule, RequestCount]], NoDecode, BeforeValidator(_from_json)]


class AccessSettings:
    """Who may do what, and how often."""

    auth: Literal["required", "local"] = Field(
        "required",
        description="`required`: every operation but the documented open ones needs credentials. "
        "`local`: the operations of specs 000 and 002 are open; for development only.",
    )
    admin_key_sha256: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256, in hex, of the first administrator's API key.",
    )
    registration: Literal["open", "closed"] = Field(
        "closed",
        description="Whether anybody may register as a user (`open`), or only who carries the scope `admin`.",
    )
    proxy_hops: Annotated[int, Field(ge=0, le=5)] = Field(
        0,
        description="How many proxies of one's own, such as a gateway, stand between clients and the app; "
        "that many addresses at the end of `X-Forwarded-For` are theirs.",
    )
    api_rate_limit: RequestCount = Field(
        1000,
        validation_alias="API_RATE_LIMIT",
        description="Requests a minute of one client, for sensor cold storage, ingestion and events each.",
    )
    rate_batch: RequestCount = Field(100, description="Batches of events a minute of one client.")
    rate_simulate: RequestCount = Field(10, description="Simulations a minute of one client.")
    rate_export: RequestCount = Field(10, description="Exports a minute of one client.")
    rate_auth: RequestCount = Field(
        10, description="Logins, refreshes and registrations a minute from one address."
    )
    rate_credentials: RequestCount = Field(
        60,
        description="Wrong keys and tokens a minute from one address, before unknown ones have to wait.",
    )
    rate_anonymous: RequestCount = Field(
        100,
        description="Requests an hour from one address without credentials: resources, users and tasks.",
    )
    rate_free: RequestCount = Field(1000, description="The same of an account of the plan free.")
    rate_professional: RequestCount = Field(
        10_000, description="The same of an account of the plan professional."
    )
    rate_enterprise: RequestCount = Field(
        100_000,
        description="The same of an account of the plan enterprise without a number of its own in "
        "`FLOE_RATE_ACCOUNTS`.",
    )
    rate_accounts: RateAccounts = Field(
        {},
        description='Numbers of single accounts, as JSON: `{"<account>": {"plan": 500000, "batch": 1000}}`. '
        "The rules are `storage`, `ingestion`, `events`, `batch`, `simulate`, `export` (a minute) and "
        "`plan` (an hour).",
    )
    cors_origins: str | None = Field(
        None,
        pattern=r"^(\*|https?://[^\s,/*?#]+(,https?://[^\s,/*?#]+)*)$",
        description="Origins of web pages that may call from a browser, separated by commas, or `*` for all.",
    )
    cors_credentials: bool = Field(
        False,
        description="Whether those pages may send cookies and client certificates, which Floe itself never "
        "needs; not with `*`.",
    )
