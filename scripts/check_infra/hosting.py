"""What Flex Consumption takes and what it refuses, and the limits of the Event Hubs tier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scripts.check_infra.deployment import Deployed, Deployment
from scripts.check_infra.findings import Finding

# Settings of other plans, which Flex Consumption refuses or is broken by.
_FORBIDDEN_SETTINGS = (
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "FUNCTIONS_MAX_HTTP_CONCURRENCY",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_CONTENTOVERVNET",
    "WEBSITE_DNS_SERVER",
    "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
    "WEBSITE_NODE_DEFAULT_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_SKIP_CONTENTSHARE_VALIDATION",
    "WEBSITE_USE_PLACEHOLDER",
    "WEBSITE_VNET_ROUTE_ALL",
)
_FORBIDDEN_IN_SITE = (
    "alwaysOn",
    "ftpsState",
    "functionAppScaleLimit",
    "functionsRuntimeScaleMonitoringEnabled",
    "linuxFxVersion",
    "minimumElasticInstanceCount",
    "preWarmedInstanceCount",
    "use32BitWorkerProcess",
)
_MEMORY = (512, 2048, 4096)
_HUBS_OF_A_NAMESPACE = 10
_GROUPS_OF_A_HUB = 20


def check(deployment: Deployment) -> Iterator[Finding]:
    """What the plan or the namespace would refuse."""
    for plan in deployment.of("Microsoft.Web/serverfarms"):
        if plan.body.get("sku") != {"name": "FC1", "tier": "FlexConsumption"}:
            yield Finding(plan.where, f"{plan.body.get('sku')} is not Flex Consumption")
        if plan.properties.get("reserved") is not True:
            yield Finding(plan.where, "reserved is not true: Flex Consumption is Linux")
        on_it = [
            one for one in deployment.of("Microsoft.Web/sites") if one.properties["serverFarmId"] == plan.id
        ]
        if len(on_it) != 1:
            yield Finding(plan.where, f"{len(on_it)} apps: a Flex Consumption plan has one")
    for site in deployment.of("Microsoft.Web/sites"):
        yield from _site(deployment, site)
    for namespace in deployment.of("Microsoft.EventHub/namespaces"):
        yield from _namespace(deployment, namespace)


def settings(deployment: Deployment) -> dict[str, Any]:
    """The function app's settings."""
    found = [one for one in deployment.of("Microsoft.Web/sites/config") if one.name == "appsettings"]
    return found[0].properties if len(found) == 1 else {}


def _site(deployment: Deployment, site: Deployed) -> Iterator[Finding]:
    if site.body.get("kind") != "functionapp,linux":
        yield Finding(site.where, f"kind is {site.body.get('kind')!r}, not 'functionapp,linux'")
    (identity,) = deployment.of("Microsoft.ManagedIdentity/userAssignedIdentities")
    own = site.body.get("identity", {})
    if own.get("type") != "UserAssigned" or set(own.get("userAssignedIdentities", {})) != {identity.id}:
        yield Finding(site.where, "does not act as the one identity")
    if site.properties.get("keyVaultReferenceIdentity") != identity.id:
        yield Finding(site.where, "keyVaultReferenceIdentity is not the identity: secrets stay unread")
    for name in _FORBIDDEN_IN_SITE:
        if name in site.properties.get("siteConfig", {}):
            yield Finding(site.where, f"siteConfig.{name} is not for Flex Consumption")
    for name in settings(deployment):
        if name in _FORBIDDEN_SETTINGS:
            yield Finding(site.where, f"the setting {name} is not for Flex Consumption")
    config = site.properties.get("functionAppConfig") or {}
    yield from _package(deployment, site, config.get("deployment", {}).get("storage", {}), identity.id)
    scale = config.get("scaleAndConcurrency", {})
    if scale.get("instanceMemoryMB") not in _MEMORY:
        yield Finding(site.where, f"instanceMemoryMB is none of {_MEMORY}")
    if not 40 <= scale.get("maximumInstanceCount", 0) <= 1000:
        yield Finding(site.where, "maximumInstanceCount is not within 40 and 1000")


def _package(
    deployment: Deployment, site: Deployed, storage: dict[str, Any], identity: str
) -> Iterator[Finding]:
    proof = storage.get("authentication", {})
    if proof != {"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": identity}:
        yield Finding(site.where, "the package is not read by the identity")
    containers = [
        f"https://{container.id.split('/')[8]}.blob.core.windows.net/{container.name}"
        for container in deployment.of("Microsoft.Storage/storageAccounts/blobServices/containers")
    ]
    if storage.get("type") != "blobContainer" or storage.get("value") not in containers:
        yield Finding(site.where, f"there is no container {storage.get('value')} for the package")


def _namespace(deployment: Deployment, namespace: Deployed) -> Iterator[Finding]:
    sku = namespace.body.get("sku", {})
    if sku.get("name") != "Standard" or sku.get("tier") != "Standard":
        yield Finding(
            namespace.where, f"{sku.get('name')}: the tier is Standard; Basic has no Kafka endpoint"
        )
    capacity, most = sku.get("capacity", 0), namespace.properties.get("maximumThroughputUnits", 0)
    grows = namespace.properties.get("isAutoInflateEnabled")
    if grows is not (most > capacity) or (not grows and most != 0) or most > 40:
        yield Finding(namespace.where, "isAutoInflateEnabled does not agree with maximumThroughputUnits")
    hubs = list(deployment.below("Microsoft.EventHub/namespaces/eventhubs", namespace))
    if len(hubs) > _HUBS_OF_A_NAMESPACE:
        yield Finding(namespace.where, f"{len(hubs)} hubs: the Standard tier has {_HUBS_OF_A_NAMESPACE}")
    for hub in hubs:
        yield from _hub(deployment, hub)


def _hub(deployment: Deployment, hub: Deployed) -> Iterator[Finding]:
    groups = list(deployment.below("Microsoft.EventHub/namespaces/eventhubs/consumergroups", hub))
    if len(groups) + 1 > _GROUPS_OF_A_HUB:
        yield Finding(
            hub.where, f"{len(groups) + 1} consumer groups: the Standard tier has {_GROUPS_OF_A_HUB}"
        )
    wanted = deployment.parameters["consumerGroups"]
    overridden = deployment.parameters["topicOverrides"].get(hub.name, {})
    if sorted(one.name for one in groups) != sorted(overridden.get("consumerGroups", wanted)):
        yield Finding(hub.where, "its consumer groups are not those of the parameters")
    partitions = overridden.get("partitions", deployment.parameters["partitions"])
    if hub.properties.get("partitionCount") != partitions:
        yield Finding(hub.where, f"partitionCount is not the parameters' {partitions}")
    kept = hub.properties.get("retentionDescription", {})
    hours = overridden.get("retentionHours", deployment.parameters["retentionHours"])
    if kept != {"cleanupPolicy": "Delete", "retentionTimeInHours": hours}:
        yield Finding(hub.where, f"messages are not kept for the parameters' {hours} hours")
