"""The runbook has a page for each alert, and the pages on deploying name what there is."""

from __future__ import annotations

import json
import re

import pytest

from scripts.check_infra import alerts
from scripts.check_infra.checks import DEPLOYMENTS, ROOT, evaluate
from scripts.check_infra.program import Program
from tests.architecture.imports import ROOT as PROJECT

RUNBOOK = (PROJECT / "docs/runbook.md").read_text()
DEPLOY = (PROJECT / "docs/deploy.md").read_text()
MAIN = Program(ROOT).file("main.bicep")


def test_the_runbook_has_a_page_for_each_alert_and_no_other() -> None:
    _, file, environment, changes = DEPLOYMENTS[-1]
    deployed = alerts.names(evaluate(Program(ROOT), file, environment, changes))
    pages = re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)
    assert set(pages) == deployed | {"budget"}
    assert len(pages) == len(set(pages))


@pytest.mark.parametrize(
    "page", re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)[1:], ids=lambda page: page.split()[0]
)
def test_a_page_says_what_it_means_what_to_look_at_and_what_to_do(page: str) -> None:
    assert all(part in page for part in ("**It means**", "**Look at**", "**Do**"))


def test_parameters_that_are_named_exist() -> None:
    table = DEPLOY.partition("| parameter | azd variable |")[2].partition("\n\n")[0]
    named = {
        name
        for line in table.splitlines()
        for name in re.findall(r"`([a-z]\w+)`", line.split("|")[1] if "|" in line else "")
    }
    assert len(named) > 10
    assert named <= MAIN.parameters.keys()


def test_variables_of_azd_are_those_of_its_parameter_file() -> None:
    read = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (ROOT / "main.bicepparam").read_text()))
    table = DEPLOY.partition("| parameter | azd variable |")[2].partition("\n\n")[0]
    named = {
        name for line in table.splitlines()[2:] for name in re.findall(r"`([A-Z_]+)`", line.split("|")[2])
    }
    assert named | {"AZURE_ENV_NAME", "AZURE_LOCATION", "ADMIN_KEY_SHA256"} == read


def test_outputs_that_are_named_exist() -> None:
    named = set(re.findall(r"\$\(output (\w+)\)", DEPLOY)) | set(re.findall(r"output `(\w+)`", DEPLOY))
    assert named
    assert named <= MAIN.outputs.keys()


def test_roles_that_are_named_are_those_that_are_given() -> None:
    known = json.loads((ROOT / "roles.json").read_text()).keys()
    table = DEPLOY.partition("| role | at |")[2].partition("\n\n")[0]
    assert {role for role in known if role in table} == set(known)
