"""The stack's own settings: defaults, and sentences about wrong ones."""

from __future__ import annotations

import os

import pytest

from devstack.home import StackError
from devstack.settings import read_settings
from devstack.tools import PROJECT


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FLOE_")]:
        monkeypatch.delenv(name)


def test_defaults() -> None:
    settings = read_settings()
    assert (str(settings.home), settings.port, settings.kafka) == (".floe", 7071, None)
    assert (settings.broker, settings.partitions, settings.host) == ("kafka", 4, "local")
    assert settings.app == PROJECT


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("FLOE_PORT", "http", "a whole number from 1 to 65535"),
        ("FLOE_PORT", "65536", "a whole number from 1 to 65535"),
        ("FLOE_PARTITIONS", "0", "a whole number from 1 to 32"),
        ("FLOE_BROKER", "redpanda", "'kafka' or 'mock'"),
        ("FLOE_HOST", "docker", "'local' or 'func'"),
    ],
)
def test_wrong_setting_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StackError) as refused:
        read_settings()
    assert str(refused.value) == f"{name} is {value!r}: it must be {allowed}."


def test_core_tools_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_HOST", "func")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StackError, match="needs Azure Functions Core Tools"):
        read_settings()
