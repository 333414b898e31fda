"""The schemas that are kept are whole, are those in use, and refuse what they should."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from scripts.check_infra.bodies import check
from scripts.check_infra.checks import ROOT
from scripts.check_infra.deployment import Deployed
from scripts.check_infra.extract_schemas import BY_HAND, KEPT, RESOURCES
from scripts.check_infra.program import Program
from scripts.check_infra.schemas import schemas

TAKEN = json.loads(KEPT.read_text())
WRITTEN = json.loads(BY_HAND.read_text())
_PLAIN = {"string", "int", "bool", "object", "any"}


def complaints(kind: str, body: dict[str, Any]) -> list[str]:
    """What the schema of `kind` says of a body."""
    resource = Deployed("here", kind, "", "", "", None, body)
    return [finding.what for finding in check(resource, schemas())]


def test_what_is_kept_is_what_is_in_use() -> None:
    program = Program(ROOT)
    files = [program.file(path) for path in program.paths()]
    used = {(resource.type, resource.version) for file in files for resource in file.resources.values()}
    known = [*TAKEN["resources"].items(), *WRITTEN["resources"].items()]
    assert used == {(name, described["version"]) for name, described in known}
    assert set(TAKEN["resources"]) == set(RESOURCES)
    assert not set(TAKEN["resources"]) & set(WRITTEN["resources"])


@pytest.mark.parametrize("kept", [TAKEN, WRITTEN], ids=["taken", "written"])
def test_every_type_that_is_named_is_there(kept: dict[str, Any]) -> None:
    named = {
        one[0].removesuffix("[]")
        for described in kept["types"].values()
        for one in described["properties"].values()
    }
    named |= {described["more"] for described in kept["types"].values() if "more" in described}
    unknown = {name for name in named if "#" in name} - kept["types"].keys()
    assert unknown == set()
    words = {
        name for name in named if re.fullmatch(r"[A-Z]\w+(Properties|Description|Policy|Settings)", name)
    }
    assert words == set(), "object types that were not taken along"
    assert re.search(r"msmcp-azure [\d.]+ \(MIT\)|Microsoft's template reference", kept["from"])


def test_a_body_that_is_right_is_taken() -> None:
    body = {
        "name": "a",
        "properties": {"partitionCount": 2, "retentionDescription": {"cleanupPolicy": "Delete"}},
    }
    assert complaints("Microsoft.EventHub/namespaces/eventhubs", body) == []


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"partitions": 2}, "properties.partitions: there is no such property"),
        ({"partitionCount": "2"}, "properties.partitionCount: '2' is no int"),
        ({"partitionCount": True}, "properties.partitionCount: True is no int"),
        ({"partitionCount": 0}, "properties.partitionCount: 0 is not within"),
        ({"partitionIds": ["0"]}, "properties.partitionIds: is read only"),
        ({"retentionDescription": 7}, "properties.retentionDescription: 7 is no object"),
        ({"retentionDescription": {"cleanupPolicy": "Drop"}}, "'Drop' is none of Delete, Compact"),
    ],
)
def test_a_body_that_is_wrong_is_refused(properties: dict[str, Any], complaint: str) -> None:
    body = {"name": "a", "properties": properties}
    assert [one for one in complaints("Microsoft.EventHub/namespaces/eventhubs", body) if complaint in one]


def test_what_is_required_is_asked_for() -> None:
    assert "properties.groupShortName: is required" in complaints(
        "Microsoft.Insights/actionGroups",
        {"name": "a", "location": "global", "properties": {"enabled": True}},
    )
