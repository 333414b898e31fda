"""Documents that are generated stay in step with the code."""

from __future__ import annotations

import json
import tomllib

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from scripts.write_docs import contents
from shared.platform.settings import Settings
from shared.platform.version import VERSION
from tests.architecture.imports import ROOT


@pytest.mark.parametrize(
    "name",
    [
        "docs/openapi.json",
        "docs/metrics.md",
        "docs/settings.md",
        "local.settings.example.json",
        "infra/bicep/floe.json",
    ],
)
def test_generated_file_is_current(name: str) -> None:
    assert (ROOT / name).read_text() == contents()[name], f"{name} is out of date: run `make docs`"


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(json.loads(contents()["docs/openapi.json"])).validate()


def test_every_setting_is_described() -> None:
    undescribed = [name for name, field in Settings.model_fields.items() if not field.description]
    assert undescribed == []


def test_the_version_is_the_projects() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
