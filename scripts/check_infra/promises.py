"""Properties that Azure fills in when it makes a resource, with stand-ins of the form that they have."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from scripts.check_infra.findings import BicepError
from scripts.check_infra.runtime_values import Late
from scripts.check_infra.schemas import ObjectType, Schemas

_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
_STORAGE = "Microsoft.Storage/storageAccounts"
_STAND_INS: dict[tuple[str, str], Callable[[str], str]] = {
    (_IDENTITY, "principalId"): lambda name: str(uuid.uuid5(uuid.NAMESPACE_DNS, f"principal.{name}")),
    (_IDENTITY, "clientId"): lambda name: str(uuid.uuid5(uuid.NAMESPACE_DNS, f"client.{name}")),
    (_STORAGE, "primaryEndpoints.blob"): "https://{}.blob.core.windows.net/".format,
    (_STORAGE, "primaryEndpoints.queue"): "https://{}.queue.core.windows.net/".format,
    (_STORAGE, "primaryEndpoints.table"): "https://{}.table.core.windows.net/".format,
    ("Microsoft.EventHub/namespaces", "serviceBusEndpoint"): "https://{}.servicebus.windows.net:443/".format,
    ("Microsoft.KeyVault/vaults", "vaultUri"): "https://{}.vault.azure.net/".format,
    ("Microsoft.Web/sites", "defaultHostName"): "{}.azurewebsites.net".format,
    (
        "Microsoft.Insights/components",
        "ConnectionString",
    ): "InstrumentationKey={}".format,
}


def stand_in(kind: str, path: str, name: str) -> str:
    """What stands in for the property at `path` of the resource `name`."""
    made = _STAND_INS.get((kind, path))
    return f"«{name}.{path}»" if made is None else made(name)


class Promised(dict[str, Any]):
    """A resource's `properties`: each is late, and one that the schema does not know is refused."""

    def __init__(self, kind: str, name: str, schemas: Schemas, where: str) -> None:
        super().__init__()
        properties = schemas.body(kind).properties.get("properties")
        self._kind = kind
        self._name = name
        self._schemas = schemas
        self._where = where
        self._path = ""
        self._type = schemas.object(properties.type) if properties else None

    def __missing__(self, key: str) -> Any:
        path = f"{self._path}.{key}".removeprefix(".")
        known = self._type.properties.get(key) if self._type else None
        if known is None:
            raise BicepError(self._where, f"{self._kind} has no property {path} to be read")
        inner = self._schemas.object(known.type)
        if inner is not None:
            return self._inside(inner, path)
        return Late(stand_in(self._kind, path, self._name))

    def _inside(self, kind: ObjectType, path: str) -> Promised:
        deeper = Promised(self._kind, self._name, self._schemas, self._where)
        deeper._type, deeper._path = kind, path
        return deeper
