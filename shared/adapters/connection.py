"""How the data storage account is reached, for each SDK that needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """The data account: by its key on Azurite, by managed identity on Azure (`key` is None)."""

    name: str
    blob_endpoint: str
    key: str | None
    connection_string: str | None

    @property
    def insecure(self) -> bool:
        """Whether it is reached by plain HTTP, as Azurite is."""
        return urlsplit(self.blob_endpoint).scheme == "http"


def storage_account(settings: Settings) -> StorageAccount:
    """The account that `settings` name."""
    if settings.storage_account is not None:
        name = settings.storage_account
        return StorageAccount(name, f"https://{name}.blob.core.windows.net", None, None)
    assert settings.storage_connection_string is not None
    text = settings.storage_connection_string.get_secret_value()
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    return StorageAccount(parts["AccountName"], parts["BlobEndpoint"], parts["AccountKey"], text)
