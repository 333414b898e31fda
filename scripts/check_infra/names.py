"""How long names may be, and of what they may consist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scripts.check_infra.deployment import Deployed, Deployment
from scripts.check_infra.findings import Finding

# From Microsoft's page on naming rules (learn.microsoft.com, resource-name-rules).
_RULES = {
    "Microsoft.Consumption/budgets": r"[A-Za-z0-9_-]{1,63}",
    "Microsoft.EventHub/namespaces": r"[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]",
    "Microsoft.EventHub/namespaces/eventhubs": r"[A-Za-z0-9]([A-Za-z0-9._-]{0,254}[A-Za-z0-9])?",
    "Microsoft.EventHub/namespaces/eventhubs/consumergroups": r"[A-Za-z0-9]([\w.-]{0,48}[A-Za-z0-9])?",
    "Microsoft.Insights/actionGroups": r"[^/&%\\?]{1,259}[^/&%\\?. ]",
    "Microsoft.Insights/components": r"[^%&\\?/]{1,259}[^%&\\?/. ]",
    "Microsoft.Insights/metricAlerts": r"[^*#&+:<>?@%{}\\/]{1,259}[^*#&+:<>?@%{}\\/. ]",
    "Microsoft.Insights/scheduledQueryRules": r"[^*<>%{}&:\\?/#]{1,259}[^*<>%{}&:\\?/#. ]",
    "Microsoft.KeyVault/vaults": r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]",
    "Microsoft.KeyVault/vaults/secrets": r"[A-Za-z0-9-]{1,127}",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9_]",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9_]",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Resources/resourceGroups": r"[\w().-]{0,89}[\w()-]",
    "Microsoft.SignalRService/webPubSub": r"[A-Za-z][A-Za-z0-9-]{1,61}[A-Za-z0-9]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.Storage/storageAccounts/queueServices/queues": r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.Storage/storageAccounts/tableServices/tables": r"[A-Za-z][A-Za-z0-9]{2,62}",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,60}",
    # The host tells apps apart by the first 32 characters.
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]",
}


def check(deployment: Deployment) -> Iterator[Finding]:
    """Names that Azure would refuse, and resources that are there twice."""
    seen: dict[str, Deployed] = {}
    for resource in deployment.resources:
        rule = _RULES.get(resource.type)
        if rule is not None and re.fullmatch(rule, resource.name) is None:
            yield Finding(resource.where, f"{resource.name!r} is no name for a {resource.type}")
        if resource.id.lower() in seen:
            yield Finding(resource.where, f"is {seen[resource.id.lower()].where} again")
        seen[resource.id.lower()] = resource
