"""Apache Kafka's jars, through Maven."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from devstack.tools.installation import Announce, ToolMissingError, install, installed_at, run

LOGGING = Path(__file__).with_name("log4j2.properties")
_POM = Path(__file__).with_name("pom.xml")
_JAVA = 17


def class_path() -> str:
    """All jars, for `java -cp`."""
    return f"{_installation()}/libs/*"


def class_archive() -> Path:
    """An archive of the classes that a running broker has loaded; it saves half of its start."""
    return _installation() / "classes.jsa"


def ensure(announce: Announce) -> None:
    """Brings the jars when they are not there; raises ToolMissingError when Kafka cannot run here."""
    _check_java()
    install(_installation(), _fill, announce)


def check() -> None:
    """Raises ToolMissingError when Kafka cannot run here as things stand."""
    _check_java()
    if not _installation().exists():
        raise ToolMissingError("its jars are not installed")


def _installation() -> Path:
    return installed_at("kafka", [_POM])


def _check_java() -> None:
    if shutil.which("java") is None:
        raise ToolMissingError(f"Java {_JAVA} or newer is not on the PATH")
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < _JAVA:
        raise ToolMissingError(f"Kafka needs Java {_JAVA} or newer, and this is {said.splitlines()[:1]}")


def _fill(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise ToolMissingError("Maven (mvn), which brings Kafka's jars, is not on the PATH")
    shutil.copy(_POM, folder)
    libs = f"-DoutputDirectory={folder / 'libs'}"
    run(["mvn", "-B", "-q", "dependency:copy-dependencies", libs], folder)
