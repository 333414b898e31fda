"""Takes the schemas of the resources in use out of Microsoft's `msmcp-azure`: `make infra-schemas`.

    python -m scripts.check_infra.extract_schemas path/to/azmcp [--check]

The tool needs 150 MB and two seconds a question, so what it says is kept in `schemas.json`, without
descriptions. With `--check` nothing is written: it fails where the file differs. Types that the tool does
not know stand in `schemas_by_hand.json`, written from Microsoft's reference pages.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KEPT = HERE / "schemas.json"
BY_HAND = HERE / "schemas_by_hand.json"
TOOL = "msmcp-azure 3.0.0"

RESOURCES = (
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Consumption/budgets",
    "Microsoft.EventHub/namespaces",
    "Microsoft.EventHub/namespaces/authorizationRules",
    "Microsoft.EventHub/namespaces/eventhubs",
    "Microsoft.EventHub/namespaces/eventhubs/consumergroups",
    "Microsoft.Insights/components",
    "Microsoft.KeyVault/vaults",
    "Microsoft.KeyVault/vaults/secrets",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "Microsoft.Storage/storageAccounts/managementPolicies",
    "Microsoft.Storage/storageAccounts/queueServices",
    "Microsoft.Storage/storageAccounts/queueServices/queues",
    "Microsoft.Storage/storageAccounts/tableServices",
    "Microsoft.Storage/storageAccounts/tableServices/tables",
    "Microsoft.Web/serverfarms",
    "Microsoft.Web/sites",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "Microsoft.Web/sites/config",
)
# Of resources that are many things under one type, the one in use.
_NAMED = {
    "Microsoft.Web/sites/config": "appsettings",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "ftp",
}
_WORD = re.compile(r"[A-Za-z_]\w*")


def extract(azmcp: str) -> dict[str, Any]:
    """What `azmcp` says of RESOURCES, in the form of `schemas.json`."""
    resources, types = {}, {}
    for name in RESOURCES:
        answers = _ask(azmcp, name)
        resource = next(one for one in answers if one["$type"] == "Resource")
        known = {one["name"]: one for one in answers if one["$type"] in ("Object", "DiscriminatedObject")}
        body = _body(name, resource["bodyType"])
        version = resource["name"].partition("@")[2]
        resources[name] = {"version": version, "body": f"{name}#"}
        types[f"{name}#"] = _object(name, body)
        waiting = _named_in(body)
        while waiting:
            inner = waiting.pop()
            if inner in known and f"{name}#{inner}" not in types:
                types[f"{name}#{inner}"] = _object(name, known[inner])
                waiting |= _named_in(known[inner])
    _qualify(types)
    return {"from": f"{TOOL} (MIT), azmcp bicepschema get", "resources": resources, "types": types}


def _ask(azmcp: str, resource: str) -> list[dict[str, Any]]:
    quiet = {**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false"}
    asked = [azmcp, "bicepschema", "get", "--resource-type", resource]
    said = subprocess.run(asked, env=quiet, capture_output=True, check=True)
    answers: list[dict[str, Any]] = json.loads(said.stdout)["results"]["BicepSchemaResult"]
    return answers


def _body(name: str, body: dict[str, Any]) -> dict[str, Any]:
    for element in body.get("elements", []):
        if any(one["name"] == "name" and one["type"] == _NAMED[name] for one in element["properties"]):
            return {**element, "properties": [_free(one) for one in element["properties"]]}
    return body


def _free(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "type": "string"} if one["name"] == "name" else one


def _object(resource: str, described: dict[str, Any]) -> dict[str, Any]:
    given = [*described.get("properties", []), *described.get("baseProperties", [])]
    kept: dict[str, Any] = {"properties": {one["name"]: _property(one) for one in given}}
    if described["$type"] == "DiscriminatedObject" or "additionalPropertiesType" in described:
        kept["more"] = described.get("additionalPropertiesType") or "any"
    return kept


def _property(one: dict[str, Any]) -> list[str]:
    """Type, flags and bounds; trailing empty ones are left out."""
    flags = [flag for flag in ("Required", "ReadOnly") if flag in one.get("flags", "")]
    kept = [one["type"], " ".join(flags), one.get("modifiers", "").replace("sensitive", "")]
    while not kept[-1]:
        kept.pop()
    return kept


def _named_in(described: dict[str, Any]) -> set[str]:
    found = [one["type"] for one in [*described.get("properties", []), *described.get("baseProperties", [])]]
    found += [described.get("additionalPropertiesType") or ""]
    return {word for text in found for word in _WORD.findall(text)}


def _qualify(types: dict[str, Any]) -> None:
    """Object types are named by the resource that they belong to, for names repeat between resources."""
    for name, kept in types.items():
        resource = name.partition("#")[0]

        def qualified(text: str, resource: str = resource) -> str:
            inner = text.removesuffix("[]")
            return f"{resource}#{text}" if f"{resource}#{inner}" in types else text

        for one in kept["properties"].values():
            one[0] = qualified(one[0])
        if "more" in kept:
            kept["more"] = qualified(kept["more"])


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.check_infra.extract_schemas")
    parser.add_argument("azmcp", help="the program of msmcp-azure")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file differs")
    given = parser.parse_args()
    text = json.dumps(extract(given.azmcp), separators=(",", ":"), sort_keys=True) + "\n"
    if given.check:
        same = KEPT.read_text() == text
        print("the schemas are those of the tool" if same else "the schemas differ from the tool's")
        return 0 if same else 1
    KEPT.write_text(text)
    print(f"wrote {KEPT.name}: {len(text):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
