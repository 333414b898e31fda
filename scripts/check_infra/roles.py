"""One identity, the least roles, each by name and at the narrowest scope: what is given is what is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from scripts.check_infra.deployment import Deployed, Deployment
from scripts.check_infra.findings import Finding
from scripts.check_infra.functions import FUNCTIONS
from scripts.check_infra.program import Program
from scripts.check_infra.promises import stand_in

# From Microsoft's list of built-in roles; held here a second time on purpose.
_IDS = {
    "Azure Event Hubs Data Receiver": "a638d3c7-ab3a-418d-83e6-5f17a39d4fde",
    "Azure Event Hubs Data Sender": "2b629674-e913-4c01-ae53-ef4638d8f975",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Web PubSub Service Owner": "12cf5a90-567b-43ae-8102-96cf46c7d9b4",
}
_STORAGE = "Microsoft.Storage/storageAccounts"
_PER_ITEM = {
    f"{_STORAGE}/blobServices/containers": "Storage Blob Data Contributor",
    f"{_STORAGE}/queueServices/queues": "Storage Queue Data Contributor",
    f"{_STORAGE}/tableServices/tables": "Storage Table Data Contributor",
    "Microsoft.EventHub/namespaces/eventhubs": "Azure Event Hubs Data Receiver",
    "Microsoft.Insights/components": "Monitoring Metrics Publisher",
    "Microsoft.KeyVault/vaults/secrets": "Key Vault Secrets User",
    "Microsoft.SignalRService/webPubSub": "Web PubSub Service Owner",
}
# What the host itself needs of AzureWebJobsStorage: leases, packages and checkpoints; diagnostic events.
_OF_THE_HOST = ("Storage Blob Data Owner", "Storage Table Data Contributor")


def check(program: Program, deployment: Deployment, sent: set[str]) -> Iterator[Finding]:
    """Roles that are missing, too many, or wrong; `sent` are the topics that the app sends to."""
    yield from _file(program)
    (identity,) = deployment.of("Microsoft.ManagedIdentity/userAssignedIdentities")
    principal = stand_in(identity.type, "principalId", identity.name)
    given: set[tuple[str, str]] = set()
    for assignment in deployment.of("Microsoft.Authorization/roleAssignments"):
        role, scope = _role(assignment), assignment.extends or ""
        if role is None:
            yield Finding(assignment.where, "gives a role that is not known by its id")
            continue
        given.add((scope, role))
        yield from _assignment(assignment, principal, _IDS[role])
    needed = set(_needed(deployment, sent))
    for scope, role in sorted(needed - given):
        yield Finding(_short(scope), f"the role {role} is missing")
    for scope, role in sorted(given - needed):
        yield Finding(_short(scope), f"the role {role} is not needed there")


def _file(program: Program) -> Iterator[Finding]:
    for name, identifier in json.loads(program.text("roles.json")).items():
        if _IDS.get(name) != identifier:
            yield Finding("roles.json", f"{identifier} is not the role {name}")


def _role(assignment: Deployed) -> str | None:
    identifier = str(assignment.properties.get("roleDefinitionId")).rpartition("/")[2]
    return next((name for name, known in _IDS.items() if known == identifier), None)


def _assignment(assignment: Deployed, principal: str, role: str) -> Iterator[Finding]:
    properties = assignment.properties
    if properties.get("principalId") != principal:
        yield Finding(assignment.where, "is not given to the app's identity")
    if properties.get("principalType") != "ServicePrincipal":
        yield Finding(assignment.where, "principalType has to be ServicePrincipal for a new identity")
    if assignment.name != FUNCTIONS["guid"](assignment.extends, principal, role):
        yield Finding(assignment.where, "its name is not guid(scope, principal, role)")
    if properties.get("roleDefinitionId") != FUNCTIONS["subscriptionResourceId"](
        "Microsoft.Authorization/roleDefinitions", role
    ):
        yield Finding(assignment.where, "its role is not named as the subscription's")


def _needed(deployment: Deployment, sent: set[str]) -> Iterator[tuple[str, str]]:
    host = next((one for one in deployment.of(_STORAGE) if "host" in one.name), None)
    for kind, role in _PER_ITEM.items():
        for resource in deployment.of(kind):
            if host is None or not resource.id.startswith(f"{host.id}/"):
                yield resource.id, role
    for hub in deployment.of("Microsoft.EventHub/namespaces/eventhubs"):
        if hub.name in sent:
            yield hub.id, "Azure Event Hubs Data Sender"
    for role in _OF_THE_HOST if host else ():
        yield (host.id if host else ""), role


def _short(scope: str) -> str:
    return "/".join(scope.split("/")[-2:])
