"""Every setting of Floe, in one typed model that is checked at start.

The only module that reads the environment. `make docs` writes `docs/settings.md` and
`local.settings.example.json` from it, and a test holds them to it.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.platform.errors import SettingsError

RequestCount = Annotated[int, Field(ge=1, le=1_000_000_000)]
RateRule = Literal["storage", "ingestion", "events", "plan", "batch", "simulate", "export"]


def _from_json(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


RateAccounts = Annotated[dict[str, dict[RateRule, RequestCount]], NoDecode, BeforeValidator(_from_json)]


class Settings(BaseSettings):
    """Floe's settings, each read from the environment variable `FLOE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="FLOE_", extra="ignore", frozen=True, env_ignore_empty=True)

    environment: str = Field(
        "production", description="Name of the deployment, shown by `/info` and in logs."
    )
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

    storage_connection_string: SecretStr | None = Field(
        None,
        description="Connection string of the data storage account; for Azurite only. "
        "Deployed apps set `FLOE_STORAGE_ACCOUNT`.",
    )
    storage_account: str | None = Field(
        None,
        pattern=r"^[a-z0-9]{3,24}$",
        description="Name of the data storage account, reached with the managed identity.",
    )
    kafka_bootstrap: str | None = Field(
        None,
        pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$",
        description="`host:port` of the Kafka broker, without authentication; for the local stack.",
    )
    eventhub_namespace: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]+$",
        description="Fully qualified Event Hubs namespace, reached with the managed identity.",
    )
    azure_client_id: str | None = Field(
        None,
        validation_alias="AZURE_CLIENT_ID",
        description="Client id of the user-assigned managed identity.",
    )
    identity_endpoint: str | None = Field(
        None,
        validation_alias="IDENTITY_ENDPOINT",
        description="Where tokens of the managed identity come from; set by Azure Functions itself.",
    )
    broker_volatile: bool = Field(
        False, description="Set by the local stack when its broker keeps messages in memory only."
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

    max_body_bytes: Annotated[int, Field(ge=1024, le=100 * 2**20)] = Field(
        10 * 2**20, description="Largest request body, in bytes, after decompression."
    )
    max_event_bytes: Annotated[int, Field(ge=1024, le=900 * 1024)] = Field(
        256 * 1024, description="Largest single event over HTTP, in bytes."
    )
    max_batch_events: Annotated[int, Field(ge=1, le=100_000)] = Field(
        10_000, description="Most events in one batch request."
    )
    pack_bytes: Annotated[int, Field(ge=1024, le=1_000_000)] = Field(
        256 * 1024, description="Largest message that batches are packed into, in bytes; a broker takes 1 MB."
    )
    produce_timeout_seconds: Annotated[float, Field(ge=0.5, le=30)] = Field(
        8.0, description="How long a request waits for the broker's acknowledgement before it answers 503."
    )

    segment_max_rows: Annotated[int, Field(ge=1000, le=1_000_000)] = Field(
        100_000, description="Most rows in one landing segment; larger batches make several."
    )
    segment_max_bytes: Annotated[int, Field(ge=64 * 2**10, le=2**28)] = Field(
        2 * 2**20, description="Most message bytes that are decoded into one landing segment."
    )
    bad_share_alarm: Annotated[float, Field(gt=0, le=1)] = Field(
        0.1, description="Share of a batch's events that may be dead letters before `/health` turns degraded."
    )
    bad_share_minimum: Annotated[int, Field(ge=1)] = Field(
        10, description="Fewest dead letters in a batch that can raise that alarm."
    )

    flush_schedule: str = Field(
        "0 * * * * *", description="NCRONTAB schedule of the flush timer, seconds first, in UTC."
    )
    flush_max_rows: Annotated[int, Field(ge=1000, le=5_000_000)] = Field(
        500_000, description="Most rows in one Delta commit of the flush."
    )
    flush_max_bytes: Annotated[int, Field(ge=2**20, le=2**30)] = Field(
        16 * 2**20, description="Most Arrow bytes held in memory for one Delta commit of the flush."
    )
    flush_max_files: Annotated[int, Field(ge=1, le=10_000)] = Field(
        200,
        description="Most files of single sensors that a commit of the flush writes; where there would be "
        "more, the sensors of an asset share one.",
    )
    hour_grace_minutes: Annotated[int, Field(ge=0, le=1440)] = Field(
        10, description="How long after its end an hour counts as closed, so that its raw files are merged."
    )
    final_tier: Literal["Hot", "Cool", "Cold"] = Field(
        "Cold",
        description="Access tier of final files; Azure charges for cool ones at least 30 days, for cold ones "
        "90.",
    )
    final_files: Literal["sensor", "asset"] = Field(
        "sensor",
        description="Whether a final file of readings holds an hour of one sensor or of all of an asset's; "
        "docs/scale.md says from how many sensors on.",
    )
    final_file_bytes: Annotated[int, Field(ge=2**20, le=2**30)] = Field(
        32 * 2**20,
        description="Bytes from which on an hour's final file is followed by a further one; one is held in "
        "memory.",
    )
    upload_max_rows: Annotated[int, Field(ge=1000, le=2**40)] = Field(
        50_000_000, description="Most rows that one commit of the upload merges."
    )
    upload_max_files: Annotated[int, Field(ge=1, le=100_000)] = Field(
        5000, description="Most raw files that one commit of the upload merges; a key's hour stays together."
    )
    upload_max_bytes: Annotated[int, Field(ge=2**20, le=2**30)] = Field(
        64 * 2**20, description="About how many Arrow bytes the upload holds in memory to merge files."
    )
    removed_files_hours: Annotated[int, Field(ge=1, le=24 * 30)] = Field(
        1,
        description="How long files that were merged or dropped stay for readers that still use them, and "
        "for time travel.",
    )
    retention_days_events: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Days of event time that events are kept; without it for ever."
    )
    retention_days_readings: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Days of event time that sensor readings are kept; without it for ever."
    )
    retention_days_dead_letters: Annotated[int, Field(ge=1)] | None = Field(
        30, description="Days that dead letters are kept."
    )
    lease_seconds: Annotated[int, Field(ge=15, le=60)] = Field(
        15, description="Length of the blob lease that one writer holds on a table; renewed while it works."
    )

    upload_schedule: str = Field(
        "0 15 * * * *", description="NCRONTAB schedule of the upload of closed hours, seconds first, in UTC."
    )
    cleanup_schedule: str = Field(
        "0 45 * * * *", description="NCRONTAB schedule of the clean-up, seconds first, in UTC."
    )
    job_lapse_seconds: Annotated[int, Field(ge=6, le=600)] = Field(
        60, description="Silence of a job's runner after which another instance takes the job."
    )
    job_slice_seconds: Annotated[int, Field(ge=10, le=540)] = Field(
        240, description="How long one invocation works on a job before another goes on with it."
    )
    job_retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="How long ended jobs are kept."
    )

    instance_id: str | None = Field(
        None,
        validation_alias="WEBSITE_INSTANCE_ID",
        description="Name of the instance in logs; set by Azure Functions itself.",
    )
    applicationinsights_connection_string: SecretStr | None = Field(
        None,
        validation_alias="APPLICATIONINSIGHTS_CONNECTION_STRING",
        description="Connection string of the Application Insights that gets traces, logs and metrics.",
    )
    otlp_endpoint: str | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        pattern=r"^https?://\S+$",
        description="OpenTelemetry collector that gets them, by OTLP over HTTP.",
    )
    worker_opentelemetry: bool = Field(
        False,
        validation_alias="PYTHON_ENABLE_OPENTELEMETRY",
        description="On Azure, together with `telemetryMode` in host.json: the Functions host leaves the "
        "app's logs to the app. Without both, logs go through the host, so that none comes twice.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe level that is logged."
    )

    @model_validator(mode="after")
    def _one_storage_and_one_broker(self) -> Self:
        if (self.storage_connection_string is None) == (self.storage_account is None):
            raise ValueError("set exactly one of FLOE_STORAGE_ACCOUNT and FLOE_STORAGE_CONNECTION_STRING")
        if (self.kafka_bootstrap is None) == (self.eventhub_namespace is None):
            raise ValueError("set exactly one of FLOE_EVENTHUB_NAMESPACE and FLOE_KAFKA_BOOTSTRAP")
        if self.cors_credentials and (self.cors_origins or "*") == "*":
            raise ValueError("FLOE_CORS_CREDENTIALS needs origins by name in FLOE_CORS_ORIGINS")
        return self

    def delta_identity(self) -> dict[str, str]:
        """delta-rs's storage options of the managed identity."""
        options = {"azure_client_id": self.azure_client_id, "azure_msi_endpoint": self.identity_endpoint}
        return {name: value for name, value in options.items() if value is not None}


@cache
def load_settings() -> Settings:
    """The checked settings of this process.

    Raises SettingsError, which names each wrong setting, its value and what is allowed.
    """
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        raise SettingsError(describe(error)) from None


def describe(error: ValidationError) -> str:
    """One line for each wrong setting: its name, its value (secrets apart) and what is allowed."""
    lines = []
    for problem in error.errors():
        name = _variable(str(problem["loc"][0])) if problem["loc"] else "settings"
        value = "" if not problem["loc"] or "CONNECTION" in name else f" is {problem['input']!r}:"
        lines.append(f"{name}{value} {problem['msg']}")
    return "; ".join(lines)


def _variable(field: str) -> str:
    return field if field.isupper() else "FLOE_" + field.upper()
