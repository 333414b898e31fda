"""Properties that Azure would fill in by itself, and that this project does not leave to it."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.check_infra.deployment import Deployed, Deployment
from scripts.check_infra.findings import Finding
from scripts.check_infra.schemas import Schemas

_HERE: dict[str, tuple[str, ...]] = {
    "Microsoft.Consumption/budgets": ("properties.notifications.*.thresholdType",),
    "Microsoft.EventHub/namespaces": ("sku.capacity",),
    "Microsoft.EventHub/namespaces/eventhubs/consumergroups": ("properties",),
    "Microsoft.Insights/components": ("properties.WorkspaceResourceId",),
    "Microsoft.Insights/actionGroups": ("properties.emailReceivers.*.useCommonAlertSchema",),
    "Microsoft.Insights/metricAlerts": ("properties.autoMitigate",),
    "Microsoft.Insights/scheduledQueryRules": (
        "kind",
        "properties.autoMitigate",
        "properties.displayName",
        "properties.severity",
        "properties.evaluationFrequency",
        "properties.windowSize",
        "properties.criteria.allOf.*.failingPeriods.numberOfEvaluationPeriods",
        "properties.criteria.allOf.*.failingPeriods.minFailingPeriodsToAlert",
    ),
    "Microsoft.KeyVault/vaults": ("properties.networkAcls.bypass",),
    "Microsoft.KeyVault/vaults/secrets": ("properties.value", "properties.contentType"),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": ("properties.registrationEnabled",),
    "Microsoft.Network/privateEndpoints": ("properties.privateLinkServiceConnections.*.name",),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": ("properties.privateDnsZoneConfigs.*.name",),
    "Microsoft.Network/virtualNetworks": (
        "properties.addressSpace.addressPrefixes",
        "properties.subnets.*.properties.addressPrefix",
        "properties.subnets.*.properties.delegations.*.name",
    ),
    "Microsoft.OperationalInsights/workspaces": ("properties.sku.name", "properties.retentionInDays"),
    "Microsoft.SignalRService/webPubSub": ("sku.capacity", "properties.tls.clientCertEnabled"),
    "Microsoft.Storage/storageAccounts": ("properties.accessTier", "properties.networkAcls.bypass"),
    "Microsoft.Web/serverfarms": ("kind",),
    "Microsoft.Web/sites": (
        "properties.clientAffinityEnabled",
        "properties.siteConfig.http20Enabled",
        "properties.functionAppConfig.scaleAndConcurrency.alwaysReady.*.name",
        "properties.functionAppConfig.scaleAndConcurrency.alwaysReady.*.instanceCount",
    ),
}
# Path, and the only value that it may have.
_EXACTLY: dict[str, tuple[tuple[str, object], ...]] = {
    # A new workspace has none of the tables that the queries name.
    "Microsoft.Insights/scheduledQueryRules": (("properties.skipQueryValidation", True),),
    # The app does not remember clients, and Floe registers no machines.
    "Microsoft.Web/sites": (("properties.clientAffinityEnabled", False),),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": (("properties.registrationEnabled", False),),
}


def check(deployment: Deployment, schemas: Schemas) -> Iterator[Finding]:
    """What is left to Azure's defaults."""
    for resource in deployment.resources:
        for path in _HERE.get(resource.type, ()):
            if None in _all(resource.body, path.split(".")):
                yield Finding(resource.where, f"{path} is left to a default")
        for path, wanted in _EXACTLY.get(resource.type, ()):
            if _all(resource.body, path.split(".")) != [wanted]:
                yield Finding(resource.where, f"{path} is not {wanted}")
        yield from _tagged(resource, schemas)
    purge = True if deployment.parameters["purgeProtection"] else None
    for vault in deployment.of("Microsoft.KeyVault/vaults"):
        if vault.properties.get("enablePurgeProtection") is not purge:
            yield Finding(vault.where, "does not agree with the switch purgeProtection; false is refused")


def _all(value: object, path: list[str]) -> list[object]:
    """Every value at `path`, in which `*` stands for each item there is; None for one that is missing."""
    if not path:
        return [value]
    if path[0] == "*":
        items = list(value.values()) if isinstance(value, dict) else value
        return [found for one in items for found in _all(one, path[1:])] if isinstance(items, list) else []
    inner = value.get(path[0]) if isinstance(value, dict) else None
    if inner is None:
        return [] if path[1:2] == ["*"] else [None]
    return _all(inner, path[1:])


def _tagged(resource: Deployed, schemas: Schemas) -> Iterator[Finding]:
    known = schemas.version(resource.type) is not None
    takes_tags = known and "tags" in schemas.body(resource.type).properties and resource.type.count("/") == 1
    if takes_tags and "azd-env-name" not in (resource.body.get("tags") or {}):
        yield Finding(resource.where, "its tags do not name the environment")
