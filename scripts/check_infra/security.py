"""No keys, nothing public, TLS 1.2, what is deleted comes back, and logs of who did what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scripts.check_infra.deployment import Deployed, Deployment
from scripts.check_infra.findings import Finding

_STORAGE = "Microsoft.Storage/storageAccounts"
_HUBS = "Microsoft.EventHub/namespaces"
_VAULT = "Microsoft.KeyVault/vaults"

# Property, what it must be, and why.
_WANTED: dict[str, tuple[tuple[str, Any, str], ...]] = {
    _STORAGE: (
        ("allowSharedKeyAccess", False, "account keys open everything"),
        ("allowBlobPublicAccess", False, "no blob is for everybody"),
        ("allowCrossTenantReplication", False, "data stay in the directory"),
        ("defaultToOAuthAuthentication", True, "the portal asks by identity"),
        ("minimumTlsVersion", "TLS1_2", "older TLS is broken"),
        ("supportsHttpsTrafficOnly", True, "nothing goes in the clear"),
    ),
    f"{_STORAGE}/blobServices/containers": (("publicAccess", "None", "no blob is for everybody"),),
    _HUBS: (("minimumTlsVersion", "1.2", "older TLS is broken"),),
    _VAULT: (
        ("enableRbacAuthorization", True, "roles, not access policies"),
        ("enableSoftDelete", True, "what is deleted comes back"),
    ),
    "Microsoft.Web/sites": (
        ("httpsOnly", True, "nothing goes in the clear"),
        ("siteConfig.minTlsVersion", "1.2", "older TLS is broken"),
    ),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": (("allow", False, "no publishing passwords"),),
    "Microsoft.Insights/components": (("DisableLocalAuth", True, "telemetry takes the role"),),
    "Microsoft.OperationalInsights/workspaces": (("features.disableLocalAuth", True, "logs take the role"),),
    "Microsoft.SignalRService/webPubSub": (("disableLocalAuth", True, "access keys open everything"),),
}


def check(deployment: Deployment) -> Iterator[Finding]:
    """What is open that should be closed."""
    for resource in deployment.resources:
        for path, wanted, why in _WANTED.get(resource.type, ()):
            found = _found(resource.properties, path)
            if found != wanted or type(found) is not type(wanted):
                yield Finding(resource.where, f"{path} is {found!r}, not {wanted!r}: {why}")
    for account in deployment.of(_STORAGE):
        yield from _kept_when_deleted(deployment, account)
    for namespace in deployment.of(_HUBS):
        yield from _keys_of(deployment, namespace)
    yield from _publishing(deployment)
    yield from _audited(deployment)


def _found(properties: dict[str, Any], path: str) -> Any:
    value: Any = properties
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _kept_when_deleted(deployment: Deployment, account: Deployed) -> Iterator[Finding]:
    services = list(deployment.below(f"{_STORAGE}/blobServices", account))
    for policy in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
        kept = [service.properties.get(policy, {}) for service in services]
        if not any(one.get("enabled") is True and one.get("days", 0) >= 1 for one in kept):
            yield Finding(account.where, f"{policy} is not on: what is deleted is gone")


def _keys_of(deployment: Deployment, namespace: Deployed) -> Iterator[Finding]:
    wanted = deployment.parameters["sasClients"]
    if namespace.properties.get("disableLocalAuth") is not (not wanted):
        yield Finding(namespace.where, "disableLocalAuth does not agree with the switch sasClients")
    rules = list(deployment.below(f"{_HUBS}/authorizationRules", namespace))
    if bool(rules) is not wanted:
        yield Finding(namespace.where, "the authorization rules do not agree with the switch sasClients")
    for rule in rules:
        if rule.properties.get("rights") != ["Send"]:
            yield Finding(rule.where, "clients may send, and nothing else")


def _publishing(deployment: Deployment) -> Iterator[Finding]:
    kind = "Microsoft.Web/sites/basicPublishingCredentialsPolicies"
    for site in deployment.of("Microsoft.Web/sites"):
        found = {policy.name for policy in deployment.below(kind, site)}
        for missing in sorted({"ftp", "scm"} - found):
            yield Finding(site.where, f"publishing by password over {missing} is not turned off")


def _audited(deployment: Deployment) -> Iterator[Finding]:
    known = {one.extends: one for one in deployment.of("Microsoft.Insights/diagnosticSettings")}
    (workspace,) = deployment.of("Microsoft.OperationalInsights/workspaces")
    for kind, group, category in ((_VAULT, "audit", None), (_HUBS, None, "OperationalLogs")):
        for resource in deployment.of(kind):
            setting = known.get(resource.id)
            properties = setting.properties if setting else {}
            on = [log for log in properties.get("logs", []) if log.get("enabled") is True]
            if not any(log.get("categoryGroup") == group and log.get("category") == category for log in on):
                yield Finding(resource.where, f"{group or category} is not logged")
            if properties.get("workspaceId") not in (None, workspace.id):
                yield Finding(resource.where, "its log goes elsewhere than to the workspace")
    for namespace in deployment.of(_HUBS):
        setting = known.get(namespace.id)
        metrics = setting.properties.get("metrics", []) if setting else []
        if {"category": "AllMetrics", "enabled": True} not in metrics:
            yield Finding(namespace.where, "its metrics do not reach the workspace, which alerts ask")
