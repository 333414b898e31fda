"""What the deployment is called, and where it reports to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr


class TelemetrySettings:
    """What the deployment is called, and where it reports to."""

    environment: str = Field(
        "production", description="Name of the deployment, shown by `/info` and in logs."
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
