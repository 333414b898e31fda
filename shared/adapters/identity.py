"""The managed identity, or a developer's own login, as credentials of each SDK."""

from __future__ import annotations

from functools import cache
from typing import Any

from azure.identity import DefaultAzureCredential

_STORAGE_SCOPE = "https://storage.azure.com/.default"


@cache
def credential() -> DefaultAzureCredential:
    """The process's credential; AZURE_CLIENT_ID picks among several managed identities."""
    return DefaultAzureCredential()


def storage_token_provider() -> Any:
    """A token provider for obstore."""
    from obstore.auth.azure import AzureCredentialProvider

    return AzureCredentialProvider(credential=credential(), scopes=[_STORAGE_SCOPE])


def storage_token() -> str:
    """A bearer token for storage, cached by the SDK until shortly before it expires."""
    return credential().get_token(_STORAGE_SCOPE).token
