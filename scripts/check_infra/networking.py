"""The switches privateNetworking and zoneRedundant: each is carried out whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.check_infra.deployment import Deployed, Deployment
from scripts.check_infra.findings import Finding

_STORAGE = "Microsoft.Storage/storageAccounts"
_PUBSUB = "Microsoft.SignalRService/webPubSub"
_ENDPOINT = "Microsoft.Network/privateEndpoints"
_ZONE = "Microsoft.Network/privateDnsZones"
_GROUPS = {
    _STORAGE: ("blob", "queue", "table"),
    "Microsoft.EventHub/namespaces": ("namespace",),
    "Microsoft.KeyVault/vaults": ("vault",),
    _PUBSUB: ("webpubsub",),
}
_ZONES = {
    "blob": "privatelink.blob.core.windows.net",
    "queue": "privatelink.queue.core.windows.net",
    "table": "privatelink.table.core.windows.net",
    "namespace": "privatelink.servicebus.windows.net",
    "vault": "privatelink.vaultcore.azure.net",
    "webpubsub": "privatelink.webpubsub.azure.com",
}
_SERVERS_ONLY = {"ServerConnection", "RESTAPI", "Trace"}


def check(deployment: Deployment) -> Iterator[Finding]:
    """What is left public, or has no way in, or stands in one zone."""
    private = deployment.parameters["privateNetworking"]
    yield from _access(deployment, private)
    if private:
        yield from _endpoints(deployment)
        yield from _app(deployment)
        yield from _zones(deployment)
    else:
        for kind in (_ENDPOINT, _ZONE, "Microsoft.Network/virtualNetworks"):
            for resource in deployment.of(kind):
                yield Finding(resource.where, "is there without privateNetworking")
        for site in deployment.of("Microsoft.Web/sites"):
            if site.properties.get("virtualNetworkSubnetId") is not None:
                yield Finding(site.where, "is in a subnet without privateNetworking")
    yield from _spread(deployment, deployment.parameters["zoneRedundant"])


def _access(deployment: Deployment, private: bool) -> Iterator[Finding]:
    wanted = "Disabled" if private else "Enabled"
    for kind in _GROUPS:
        for resource in deployment.of(kind):
            found = resource.properties.get("publicNetworkAccess")
            if kind == _PUBSUB:
                yield from _browsers(resource, private)
            elif found != wanted:
                yield Finding(resource.where, f"publicNetworkAccess is {found!r}, not {wanted!r}")
            rules = resource.properties.get("networkAcls")
            action = rules.get("defaultAction") if rules else None
            if rules is not None and action != ("Deny" if private else "Allow"):
                yield Finding(resource.where, f"networkAcls.defaultAction is {action!r}")


def _browsers(service: Deployed, private: bool) -> Iterator[Finding]:
    """Browsers come from anywhere, servers by the endpoint."""
    rules = service.properties.get("networkACLs", {})
    denied = set(rules.get("publicNetwork", {}).get("deny", []))
    if denied != (_SERVERS_ONLY if private else set()) or rules.get("defaultAction") != "Allow":
        yield Finding(service.where, "its public access does not agree with privateNetworking")
    if service.properties.get("publicNetworkAccess") != "Enabled":
        yield Finding(service.where, "browsers cannot reach it")


def _endpoints(deployment: Deployment) -> Iterator[Finding]:
    zones = {zone.name: zone for zone in deployment.of(_ZONE)}
    found: set[tuple[str, str]] = set()
    for endpoint in deployment.of(_ENDPOINT):
        (connection,) = endpoint.properties["privateLinkServiceConnections"]
        target, groups = (connection["properties"][key] for key in ("privateLinkServiceId", "groupIds"))
        found |= {(target, group) for group in groups}
        if not endpoint.properties["subnet"]["id"].endswith("/subnets/endpoints"):
            yield Finding(endpoint.where, "stands in another subnet than that of endpoints")
        records = deployment.below(f"{_ENDPOINT}/privateDnsZoneGroups", endpoint)
        named = {
            one["properties"]["privateDnsZoneId"]
            for record in records
            for one in record.properties["privateDnsZoneConfigs"]
        }
        for group in groups:
            zone = zones.get(_ZONES.get(group, ""))
            if zone is None or named != {zone.id}:
                yield Finding(endpoint.where, f"has no name in {_ZONES.get(group)}")
    for kind, groups in _GROUPS.items():
        free = kind == _PUBSUB and deployment.parameters["webPubSubUnits"] == 0
        for resource in () if free else deployment.of(kind):
            for group in groups:
                if (resource.id, group) not in found:
                    yield Finding(resource.where, f"has no private endpoint for {group}")


def _app(deployment: Deployment) -> Iterator[Finding]:
    (network,) = deployment.of("Microsoft.Network/virtualNetworks")
    subnets = {subnet["name"]: subnet["properties"] for subnet in network.properties["subnets"]}
    served = {one["properties"]["serviceName"] for one in subnets.get("app", {}).get("delegations", [])}
    if served != {"Microsoft.App/environments"}:
        yield Finding(network.where, "the app's subnet is not delegated to Microsoft.App/environments")
    for site in deployment.of("Microsoft.Web/sites"):
        if site.properties.get("virtualNetworkSubnetId") != f"{network.id}/subnets/app":
            yield Finding(site.where, "does not run in the app's subnet")


def _zones(deployment: Deployment) -> Iterator[Finding]:
    (network,) = deployment.of("Microsoft.Network/virtualNetworks")
    for zone in deployment.of(_ZONE):
        links = deployment.below(f"{_ZONE}/virtualNetworkLinks", zone)
        if network.id not in [link.properties["virtualNetwork"]["id"] for link in links]:
            yield Finding(zone.where, f"{zone.name} is not linked to the network")


def _spread(deployment: Deployment, wanted: bool) -> Iterator[Finding]:
    for kind in ("Microsoft.Web/serverfarms", "Microsoft.EventHub/namespaces"):
        for resource in deployment.of(kind):
            if resource.properties.get("zoneRedundant") is not wanted:
                yield Finding(resource.where, "does not agree with the switch zoneRedundant")
    for account in deployment.of(_STORAGE):
        sku = account.body.get("sku", {}).get("name", "")
        if sku.endswith("ZRS") is not wanted:
            yield Finding(account.where, f"{sku} does not agree with the switch zoneRedundant")
