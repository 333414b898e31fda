"""All checks together: every file is read, and each deployment below is evaluated and judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.check_infra import (
    agreement,
    alerts,
    bodies,
    compilers,
    completeness,
    hosting,
    names,
    networking,
    references,
    roles,
    security,
)
from scripts.check_infra.deployment import Deployment
from scripts.check_infra.evaluate import evaluate
from scripts.check_infra.findings import BicepError, Finding
from scripts.check_infra.program import Program

ROOT = Path(__file__).parents[2] / "infra" / "bicep"
MAIN = "main.bicep"

# What azd sets for every environment.
AZD = {"AZURE_ENV_NAME": "trial", "AZURE_LOCATION": "westeurope"}
_KEY = "0" * 64
_EVERYTHING: dict[str, Any] = {
    "adminKeySha256": _KEY,
    "consumerGroups": ["spark", "audit"],
    "topicOverrides": {
        "events.transaction": {"partitions": 32, "retentionHours": 24, "consumerGroups": ["x"]}
    },
    "sasClients": True,
    "zoneRedundant": True,
    "privateNetworking": True,
    "webPubSub": True,
    "alertEmails": ["somebody@example.com"],
    "expectsData": True,
    "monthlyBudget": 10,
    "floeSettings": {"FLOE_LOG_LEVEL": "WARNING"},
    "extraTags": {"team": "telemetry"},
}
# Name, parameter file, environment, and what differs from the file.
DEPLOYMENTS: tuple[tuple[str, str, Mapping[str, str], Mapping[str, Any]], ...] = (
    ("azd", "main.bicepparam", AZD, {}),
    ("dev", "dev.bicepparam", {}, {}),
    ("prod", "prod.bicepparam", {"ADMIN_KEY_SHA256": _KEY}, {}),
    ("everything on", "prod.bicepparam", {}, _EVERYTHING),
    (
        "private, free Web PubSub",
        "dev.bicepparam",
        {},
        {"privateNetworking": True, "webPubSub": True, "webPubSubUnits": 0},
    ),
)


def check(program: Program, facts: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that is wrong; `facts` are what the code says (`scripts.infra_facts`)."""
    try:
        yield from read(program)
    except BicepError as error:
        yield error.finding
        return
    for name, parameter_file, environment, changes in DEPLOYMENTS:
        try:
            deployment = evaluate(program, parameter_file, environment, changes)
        except BicepError as error:
            yield Finding(f"[{name}] {error.finding.where}", error.finding.what)
            continue
        for finding in judge(program, deployment, facts):
            yield Finding(f"[{name}] {finding.where}", finding.what)


def read(program: Program) -> Iterator[Finding]:
    """What reading alone finds in any file."""
    for path in program.paths():
        if path.endswith(".bicep"):
            yield from compilers.grammar(path, program.text(path))
        yield from references.check(program, program.file(path))
    yield from references.composition(program, program.file(MAIN))
    used = {
        program.module(file, module).path
        for file in map(program.file, program.paths())
        for module in file.modules.values()
    }
    for path in program.paths():
        if path.startswith("modules/") and path not in used:
            yield Finding(path, "no file uses this module")


def judge(program: Program, deployment: Deployment, facts: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with one deployment."""
    for resource in deployment.resources:
        if program.schemas.version(resource.type) is not None:
            yield from bodies.check(resource, program.schemas)
    sent = {one["name"] for one in facts["topics"] if one["send"]}
    rules: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: completeness.check(deployment, program.schemas),
        lambda: names.check(deployment),
        lambda: security.check(deployment),
        lambda: roles.check(program, deployment, sent),
        lambda: networking.check(deployment),
        lambda: hosting.check(deployment),
        lambda: alerts.check(deployment),
        lambda: agreement.check(deployment, dict(facts)),
    )
    for rule in rules:
        try:
            yield from rule()
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # What the rules take for granted is not there: no resource of a kind, or a body of another form.
            yield Finding("the deployment", f"cannot be judged: {error!r}")


def on_file(program: Program, facts: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether `floe.json` is what the code says."""
    if json.loads(program.text("floe.json")) != facts:
        yield Finding("floe.json", "is not what the code says: run `make docs`")
