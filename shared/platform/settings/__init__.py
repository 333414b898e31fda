"""Every setting of Floe, in one typed model that is checked at start.

The only package that reads the environment. `make docs` writes `docs/settings.md` and
`local.settings.example.json` from it, and a test holds them to it. Its groups stand in a module each.
"""

from __future__ import annotations

from functools import cache
from typing import Self

from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.platform.errors import SettingsError
from shared.platform.settings.access import AccessSettings
from shared.platform.settings.anomalies import AnomalySettings
from shared.platform.settings.connections import ConnectionSettings
from shared.platform.settings.intake import IntakeSettings
from shared.platform.settings.lake import LakeSettings
from shared.platform.settings.telemetry import TelemetrySettings
from shared.platform.settings.work import WorkSettings


# The groups are plain classes: a model for each would lengthen every cold start. Pydantic collects their
# fields from the last base on, so the last one comes first in the documents.
class Settings(
    TelemetrySettings,
    WorkSettings,
    AnomalySettings,
    LakeSettings,
    IntakeSettings,
    ConnectionSettings,
    AccessSettings,
    BaseSettings,
):
    """Floe's settings, each read from the environment variable `FLOE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="FLOE_", extra="ignore", frozen=True, env_ignore_empty=True)

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
        return Settings()
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
