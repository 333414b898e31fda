"""Infrastructure against code, in both directions: topics, state, settings, triggers, queries of alerts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from pydantic import ValidationError

from devstack.host.errors import SettingError
from devstack.host.ncrontab import Cron
from scripts import infra_facts
from scripts.check_infra import hosting
from scripts.check_infra.deployment import Deployed, Deployment
from scripts.check_infra.findings import Finding
from scripts.check_infra.promises import stand_in
from shared.platform.settings import Settings, describe
from shared.platform.state_tables import QUEUE_CONNECTION

_STORAGE = "Microsoft.Storage/storageAccounts"
_HOST = "AzureWebJobsStorage"
# Settings of the host or the platform that belong to no trigger.
_OTHERS = {
    "AzureWebJobsDisableHomepage",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
# What a trigger's connection needs beside the identity.
_ADDRESSES = {"eventHubTrigger": "fullyQualifiedNamespace", "queueTrigger": "queueServiceUri"}
_KEY_VAULT = "@Microsoft.KeyVault("
_FUNCTION_NAMED = re.compile(r'\bName (==|startswith) "(\w+)"')
_LINE_FIELD = re.compile(r"line\.(\w+)")


def check(deployment: Deployment, facts: dict[str, Any]) -> Iterator[Finding]:
    """What infrastructure and code say differently; `facts` are those of `scripts.infra_facts`."""
    yield from _state(deployment, facts)
    yield from _lifecycle(deployment, facts)
    yield from _settings(deployment)
    yield from _connections(deployment)
    yield from _queries(deployment)
    for site in deployment.of("Microsoft.Web/sites"):
        found = (site.properties.get("functionAppConfig") or {}).get("runtime")
        if found != facts["runtime"]:
            yield Finding(site.where, f"the runtime is {found}, not {facts['runtime']}")
        if site.body.get("tags", {}).get("azd-service-name") not in _azd_services():
            yield Finding(site.where, "azure.yaml has no service of its azd-service-name")


def _state(deployment: Deployment, facts: dict[str, Any]) -> Iterator[Finding]:
    data = _account(deployment, "data")
    (namespace,) = deployment.of("Microsoft.EventHub/namespaces")
    topics = {topic["name"] for topic in facts["topics"]}
    for kind, parent, wanted in (
        ("Microsoft.EventHub/namespaces/eventhubs", namespace, topics),
        (f"{_STORAGE}/blobServices/containers", data, set(facts["containers"])),
        (f"{_STORAGE}/queueServices/queues", data, set(facts["queues"])),
        (f"{_STORAGE}/tableServices/tables", data, set(facts["tables"])),
    ):
        found = {resource.name for resource in deployment.below(kind, parent)}
        what = kind.rpartition("/")[2]
        for name in sorted(wanted - found):
            yield Finding(what, f"{name} is missing")
        for name in sorted(found - wanted):
            yield Finding(what, f"{name} is nothing that the code knows")


def _account(deployment: Deployment, what: str) -> Deployed:
    (found,) = (one for one in deployment.of(_STORAGE) if what in one.name)
    return found


def _lifecycle(deployment: Deployment, facts: dict[str, Any]) -> Iterator[Finding]:
    """Only raw files may move by age, and only to where they can still be read: the code does the rest."""
    policies = list(deployment.of(f"{_STORAGE}/managementPolicies"))
    rules = [rule for policy in policies for rule in policy.properties["policy"]["rules"]]
    prefixes = [prefix for rule in rules for prefix in rule["definition"]["filters"].get("prefixMatch", [])]
    if sorted(prefixes) != sorted(facts["rawPrefixes"]):
        yield Finding("lifecycle", f"moves {prefixes}, not the raw files {facts['rawPrefixes']}")
    # Dead letters stay raw until they are dropped; everything else is merged within days.
    least = Settings.model_fields["retention_days_dead_letters"].default
    for rule in rules:
        actions = rule["definition"]["actions"]
        moves = actions.get("baseBlob", {})
        days = moves.get("tierToCool", {}).get("daysAfterModificationGreaterThan", 0)
        if set(actions) != {"baseBlob"} or set(moves) != {"tierToCool"} or not rule.get("enabled"):
            yield Finding("lifecycle", f"{rule['name']} does more or less than to cool files down")
        if days <= least:
            yield Finding("lifecycle", f"{days} days: the code may still rewrite files of that age")


def _settings(deployment: Deployment) -> Iterator[Finding]:
    given = hosting.settings(deployment)
    variables = {
        field.validation_alias if isinstance(field.validation_alias, str) else f"FLOE_{name.upper()}"
        for name, field in Settings.model_fields.items()
    }
    for name in sorted(given):
        if name not in variables | _OTHERS and "__" not in name:
            yield Finding("app settings", f"{name} is nothing that the code reads")
    for name in sorted(infra_facts.named_settings() - given.keys()):
        yield Finding("app settings", f"{name} is missing: a trigger names it, and the host knows no default")
    for name in sorted(_OTHERS - given.keys()):
        yield Finding("app settings", f"{name} is missing")
    for name in infra_facts.named_settings() & given.keys():
        yield from _schedule(name, str(given[name]))
    for name in ("FLOE_AUTH", "FLOE_ENVIRONMENT"):
        if name not in given:
            yield Finding("app settings", f"{name} is left to its default")
    yield from _accepted(deployment, given)


def _schedule(name: str, text: str) -> Iterator[Finding]:
    try:
        Cron(text)
    except SettingError as error:
        yield Finding("app settings", f"{name}: {error}")


def _accepted(deployment: Deployment, given: dict[str, Any]) -> Iterator[Finding]:
    """Whether the app would start with these settings, and with the right accounts."""
    known = {name: str(value) for name, value in given.items() if not str(value).startswith(_KEY_VAULT)}
    with patch.dict(os.environ, known, clear=True):
        try:
            loaded = Settings()
        except ValidationError as error:
            yield Finding("app settings", describe(error))
            return
    (namespace,) = deployment.of("Microsoft.EventHub/namespaces")
    (identity,) = deployment.of("Microsoft.ManagedIdentity/userAssignedIdentities")
    for what, found, wanted in (
        ("FLOE_STORAGE_ACCOUNT", loaded.storage_account, _account(deployment, "data").name),
        ("FLOE_EVENTHUB_NAMESPACE", loaded.eventhub_namespace, f"{namespace.name}.servicebus.windows.net"),
        ("AZURE_CLIENT_ID", loaded.azure_client_id, _client(identity)),
        ("FLOE_AUTH", loaded.auth, "required"),
        ("FLOE_ENVIRONMENT", loaded.environment, deployment.parameters["environmentName"]),
    ):
        if found != wanted:
            yield Finding("app settings", f"{what} is {found!r}, not {wanted!r}")
    secrets = [
        f"{_KEY_VAULT}SecretUri=https://{secret.id.split('/')[8]}.vault.azure.net/secrets/{secret.name})"
        for secret in deployment.of("Microsoft.KeyVault/vaults/secrets")
    ]
    wanted_secrets = [given["FLOE_ADMIN_KEY_SHA256"]] if "FLOE_ADMIN_KEY_SHA256" in given else []
    if secrets != wanted_secrets or bool(secrets) is not bool(deployment.parameters["adminKeySha256"]):
        yield Finding("app settings", "FLOE_ADMIN_KEY_SHA256 is not a reference to the secret in the vault")
    telemetry = f"ClientId={_client(identity)};Authorization=AAD"
    if given.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING") != telemetry:
        yield Finding("app settings", "telemetry is not sent as the identity")


def _client(identity: Deployed) -> str:
    return stand_in(identity.type, "clientId", identity.name)


def _connections(deployment: Deployment) -> Iterator[Finding]:
    given = hosting.settings(deployment)
    (identity,) = deployment.of("Microsoft.ManagedIdentity/userAssignedIdentities")
    (namespace,) = deployment.of("Microsoft.EventHub/namespaces")
    data, host = _account(deployment, "data").name, _account(deployment, "host").name
    places = {
        "fullyQualifiedNamespace": f"{namespace.name}.servicebus.windows.net",
        "queueServiceUri": f"https://{data}.queue.core.windows.net/",
    }
    wanted = {(QUEUE_CONNECTION, "queueServiceUri"): places["queueServiceUri"]}
    for trigger in infra_facts.triggers().values():
        if trigger["type"] in _ADDRESSES:
            address = _ADDRESSES[trigger["type"]]
            wanted[trigger["connection"], address] = places[address]
    for service in ("blob", "queue", "table"):
        wanted[_HOST, f"{service}ServiceUri"] = f"https://{host}.{service}.core.windows.net/"
    for connection in {connection for connection, _ in wanted}:
        wanted[connection, "credential"] = "managedidentity"
        wanted[connection, "clientId"] = _client(identity)
    for (connection, key), value in sorted(wanted.items()):
        found = given.get(f"{connection}__{key}")
        if found != value:
            yield Finding("app settings", f"{connection}__{key} is {found!r}, not {value!r}")
    for name in sorted(given):
        connection, parts, key = name.partition("__")
        if parts and (connection, key) not in wanted:
            yield Finding("app settings", f"{name} belongs to no trigger")


def _queries(deployment: Deployment) -> Iterator[Finding]:
    """Queries name functions that exist, and read lines that the code writes."""
    functions = infra_facts.triggers()
    if "telemetryMode" in json.loads((infra_facts.ROOT / "host.json").read_text()):
        yield Finding("host.json", "telemetryMode changes the names of invocations, which alerts ask for")
    for alert in deployment.of("Microsoft.Insights/scheduledQueryRules"):
        (criterion,) = alert.properties["criteria"]["allOf"]
        query = criterion["query"]
        for how, name in _FUNCTION_NAMED.findall(query):
            if not any(one == name or (how == "startswith" and one.startswith(name)) for one in functions):
                yield Finding(alert.where, f"there is no function {name}")
        fields = set(_LINE_FIELD.findall(query)) - {"event"}
        event = re.search(r'line\.event == "([\w ]+)"', query)
        if event and not fields <= _fields_of(event.group(1)):
            yield Finding(alert.where, f"no line {event.group(1)!r} has all of {sorted(fields)}")


def _fields_of(event: str) -> set[str]:
    """The fields that the code logs with `event`."""
    found: set[str] = set()
    for file in (infra_facts.ROOT / "shared").rglob("*.py"):
        for call in re.finditer(rf'_log\.\w+\(\s*"{event}",(.*?)\n?\s*\)\n', file.read_text(), re.DOTALL):
            found |= set(re.findall(r"(\w+)=", call.group(1)))
    return found


def _azd_services() -> set[str]:
    text = (infra_facts.ROOT / "azure.yaml").read_text()
    services = text.partition("\nservices:\n")[2]
    return set(re.findall(r"^  (\w+):$", services, re.MULTILINE))
