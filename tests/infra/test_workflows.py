"""Workflows: actions by commit, no secrets, the least rights, approval, and only targets that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.imports import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
_PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    """The workflow; `on`, which YAML takes for true, under its own name."""
    found = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in found.items()}


def test_there_are_workflows() -> None:
    assert [path.stem for path in WORKFLOWS] == ["check", "deploy"]


@each_workflow
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (.+)$", path.read_text(), re.MULTILINE)
    assert used
    assert [one for one in used if not _PINNED.fullmatch(one)] == []


@each_workflow
def test_no_secrets_are_used(path: Path) -> None:
    assert not re.search(r"\bsecrets\.|creds:|client-secret", path.read_text())


@each_workflow
def test_rights_are_the_least(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    rights = {name: job.get("permissions", {}) for name, job in workflow["jobs"].items()}
    allowed = {"deploy": {"contents": "read", "id-token": "write"}}
    assert {name: right for name, right in rights.items() if right} == {
        name: right for name, right in allowed.items() if name in rights
    }
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())


@each_workflow
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake (?:--silent )?([a-z-]+)", path.read_text()))
    assert named
    assert named <= targets


@each_workflow
def test_nobody_elses_text_becomes_a_command(path: Path) -> None:
    for job in read(path)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step


def test_a_deployment_waits_for_its_environment() -> None:
    workflow = read(GITHUB / "workflows/deploy.yml")
    choices = workflow["on"]["workflow_dispatch"]["inputs"]["environment"]["options"]
    assert workflow["jobs"]["deploy"]["environment"] == "${{ inputs.environment }}"
    assert all((ROOT / f"infra/bicep/{choice}.bicepparam").is_file() for choice in choices)
    outputs = re.findall(r"^output (\w+)", (ROOT / "infra/bicep/main.bicep").read_text(), re.MULTILINE)
    read_back = re.findall(r"outputs\.([A-Z_]+)", (GITHUB / "workflows/deploy.yml").read_text())
    assert set(read_back) <= set(outputs)


def test_everything_that_is_pinned_is_kept_up_to_date() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    watched = {
        (update["package-ecosystem"], folder.strip("/"))
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    pinned = {("github-actions", ""), ("pip", "")}
    pinned |= {("npm", str(file.parent.relative_to(ROOT))) for file in ROOT.glob("devstack/**/package.json")}
    pinned |= {("maven", str(file.parent.relative_to(ROOT))) for file in ROOT.glob("devstack/**/pom.xml")}
    assert watched == pinned
