"""Where storage, the broker and the identity are."""

from __future__ import annotations

from pydantic import Field, SecretStr


class ConnectionSettings:
    """Where storage, the broker and the identity are."""

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
