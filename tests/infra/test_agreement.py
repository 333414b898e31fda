"""What is new in the code fails the check until the infrastructure has it, and the other way round."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scripts import infra_facts
from scripts.check_infra.checks import ROOT, check, on_file
from scripts.check_infra.program import Program
from shared.streams import registry
from shared.streams.readings import READINGS

Change = Callable[[dict[str, Any]], None]


def said(facts: dict[str, Any], instead: dict[str, str] | None = None) -> str:
    """All that the check says where the code says `facts`."""
    program = Program(ROOT, instead)
    return "\n".join(map(str, [*on_file(program, facts), *check(program, facts)]))


NEW: dict[str, tuple[Change, str]] = {
    "topic": (
        lambda facts: facts["topics"].append({"name": "new", "send": False}),
        "eventhubs: new is missing",
    ),
    "sent topic": (lambda facts: facts["topics"][-1].update(send=True), "Data Sender is missing"),
    "container": (lambda facts: facts["containers"].append("new"), "containers: new is missing"),
    "queue": (lambda facts: facts["queues"].append("new"), "queues: new is missing"),
    "table": (lambda facts: facts["tables"].append("new"), "tables: new is missing"),
    "raw files": (lambda facts: facts["rawPrefixes"].append("new/raw/"), "not the raw files"),
    "runtime": (lambda facts: facts["runtime"].update(version="3.14"), "the runtime is"),
}
GONE: dict[str, tuple[Change, str]] = {
    "topic": (lambda facts: facts["topics"].pop(), "is nothing that the code knows"),
    "sent topic": (lambda facts: facts["topics"][0].update(send=False), "Data Sender is not needed there"),
    "container": (lambda facts: facts["containers"].pop(), "is nothing that the code knows"),
    "queue": (lambda facts: facts["queues"].pop(), "is nothing that the code knows"),
    "table": (lambda facts: facts["tables"].pop(), "is nothing that the code knows"),
}


@pytest.mark.parametrize("what", NEW)
def test_what_is_new_in_the_code_is_missed_in_the_infrastructure(what: str) -> None:
    change, complaint = NEW[what]
    facts = copy.deepcopy(infra_facts.facts())
    change(facts)
    found = said(facts)
    assert "floe.json: is not what the code says" in found
    assert complaint in found


@pytest.mark.parametrize("what", GONE)
def test_what_is_gone_from_the_code_is_too_much_in_the_infrastructure(what: str) -> None:
    change, complaint = GONE[what]
    facts = copy.deepcopy(infra_facts.facts())
    change(facts)
    assert complaint in said(facts)


def test_a_new_stream_is_all_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = replace(READINGS, name="trial", topics=("trial-data",), container="trial-cold-storage")
    more = (*registry.STREAMS, stream)
    monkeypatch.setattr(registry, "STREAMS", more)
    monkeypatch.setattr(registry, "TABLES", (*registry.TABLES, stream))
    monkeypatch.setattr(infra_facts, "STREAMS", more)
    facts = infra_facts.facts()
    found = said(facts)
    assert "eventhubs: trial-data is missing" in found
    assert "containers: trial-cold-storage is missing" in found
    assert "trial-cold-storage/raw/" in found
    assert said(facts, {"floe.json": json.dumps(facts)}) == ""


def test_a_setting_that_a_trigger_names_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = infra_facts.named_settings()
    monkeypatch.setattr(infra_facts, "named_settings", lambda: known | {"FLOE_LOG_LEVEL"})
    assert "FLOE_LOG_LEVEL is missing: a trigger names it" in said(infra_facts.facts())


def test_a_connection_that_a_trigger_names_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(infra_facts.triggers())
    known["new"] = {"type": "queueTrigger", "connection": "Elsewhere", "queueName": "jobs"}
    monkeypatch.setattr(infra_facts, "triggers", lambda: known)
    assert "Elsewhere__queueServiceUri is None" in said(infra_facts.facts())


def test_every_trigger_has_what_it_listens_to() -> None:
    facts = infra_facts.facts()
    topics = {topic["name"] for topic in facts["topics"]}
    triggers = infra_facts.triggers().values()
    assert {one["eventHubName"] for one in triggers if one["type"] == "eventHubTrigger"} == topics
    assert {one["queueName"] for one in triggers if one["type"] == "queueTrigger"} == set(facts["queues"])
