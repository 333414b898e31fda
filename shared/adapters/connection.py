"""How the data storage account is reached, for each SDK that needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.platform.errors import SettingsError
from shared.platform.settings import Settings

# What Azurite documents for its account; the key guards nothing.
_EMULATOR = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey="
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """The data account: by its key on Azurite, by managed identity on Azure (`key` is None)."""

    name: str
    blob_endpoint: str
    key: str | None
    connection_string: str | None

    @property
    def table_endpoint(self) -> str:
        """Where its tables are, on Azure; for Azurite the connection string says so."""
        return f"https://{self.name}.table.core.windows.net"

    @property
    def queue_endpoint(self) -> str:
        """Where its queues are, on Azure; for Azurite the connection string says so."""
        return f"https://{self.name}.queue.core.windows.net"

    @property
    def insecure(self) -> bool:
        """Whether it is reached by plain HTTP, as Azurite is."""
        return urlsplit(self.blob_endpoint).scheme == "http"


def storage_account(settings: Settings) -> StorageAccount:
    """The account that `settings` name."""
    if settings.storage_account is not None:
        return account_on_azure(settings.storage_account)
    assert settings.storage_connection_string is not None
    return account_of(settings.storage_connection_string.get_secret_value())


def account_on_azure(name: str) -> StorageAccount:
    """The account `name`, reached with the managed identity or a developer's own login."""
    return StorageAccount(name, f"https://{name}.blob.core.windows.net", None, None)


def account_of(text: str) -> StorageAccount:
    """The account of a connection string; raises SettingsError."""
    if text.strip().rstrip(";") == "UseDevelopmentStorage=true":
        text = _EMULATOR
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    try:
        return StorageAccount(parts["AccountName"], parts["BlobEndpoint"], parts["AccountKey"], text)
    except KeyError as missing:
        raise SettingsError(f"FLOE_STORAGE_CONNECTION_STRING has no {missing.args[0]}") from None
