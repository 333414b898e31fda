"""Tools are installed once for each pin, in one step, whoever asks."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devstack.tools import (
    PROJECT,
    STATIC,
    TOOLS,
    axe,
    azurite,
    chromium,
    installation,
    kafka,
    npm,
    swagger_ui,
    uplot,
)
from devstack.tools.installation import ToolMissingError, install, installed_at


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(installation, "TOOLS", tmp_path)
    return tmp_path


def _say_nothing(text: str) -> None: ...


def test_installs_once_when_many_ask_at_once(tools: Path) -> None:
    fills: list[Path] = []

    def fill(folder: Path) -> None:
        fills.append(folder)
        (folder / "program").write_text("1")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: install(tools / "tool-1", fill, _say_nothing), range(4)))
    assert len(fills) == 1
    assert (tools / "tool-1/program").read_text() == "1"


def test_failed_installation_leaves_nothing_and_can_be_tried_again(tools: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise ToolMissingError("no network")

    with pytest.raises(ToolMissingError):
        install(tools / "tool-1", fail, _say_nothing)
    assert [path.name for path in tools.iterdir()] == ["lock"]
    install(tools / "tool-1", lambda folder: None, _say_nothing)
    assert (tools / "tool-1").exists()


def test_other_pins_are_another_installation(tools: Path) -> None:
    pins = tools / "pins"
    pins.write_text("1.0")
    first = installed_at("tool", [pins])
    pins.write_text("1.1")
    assert installed_at("tool", [pins]) != first


def test_installer_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match=r"(?s)`sh -c .*` failed:.*out of luck"):
        installation.run(["sh", "-c", "echo out of luck; exit 3"], tmp_path)


def test_missing_node_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        ToolMissingError, match=r"needs Node\.js 20 or newer with npm; not on the PATH: node and npm\."
    ):
        npm.check_node()


def test_missing_java_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolMissingError, match="Java 17 or newer is not on the PATH"):
        kafka.check()


def test_missing_chromium_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for ask in (chromium.executable, lambda: chromium.ensure(_say_nothing)):
        with pytest.raises(ToolMissingError, match=r"need Chromium.*apt-get install chromium"):
            ask()


def test_root_gets_chromium_from_debian_once(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, programs = tools / "log", tools / "programs"
    programs.mkdir()
    (programs / "env").symlink_to("/usr/bin/env")
    apt = programs / "apt-get"
    apt.write_text(
        f"#!/bin/sh\necho $DEBIAN_FRONTEND $@ >> {log}\n"
        f'case "$*" in *install*) /bin/cp "$0" {programs}/chromium;; esac\n'
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 0)
    for _ in range(2):
        chromium.ensure(_say_nothing)
        assert chromium.executable() == str(programs / "chromium")
    assert log.read_text().splitlines() == [
        "noninteractive -qq update",
        "noninteractive -qq install -y --no-install-recommends chromium",
    ]


def test_old_java_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match=r"Java 17 or newer.*11\.0\.2"):
        kafka.check()


@pytest.mark.parametrize("tool", [axe, azurite, swagger_ui, uplot])
def test_lock_files_name_no_registry(tool: object) -> None:
    folder = Path(str(getattr(tool, "__file__", ""))).parent
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)


def test_second_run_changes_nothing() -> None:
    command = [sys.executable, "-m", "devstack.tools"]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    before = {path: path.stat().st_mtime_ns for path in [*TOOLS.iterdir(), *STATIC.iterdir()]}
    again = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    assert "installing" not in again.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {path.name for path in STATIC.iterdir()} >= {*swagger_ui.FILES, *uplot.FILES.values()}
