"""The search for secrets in logs finds them, in one process and in several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT
from tests.leaks import BODY_MARKER, PLANTED, leaks, passwords_in

HELD = {
    "plain": "floe_" + "0" * 16 + "_" + "A" * 43,
    "jwt": "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
    "hash": "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
    "connection": "AccountName=x;AccountKey=" + "Ab1+" * 10,
    "body": f'{{"data": "{BODY_MARKER}"}}',
}
# Split, or else this very file would name it to the search.
PASSWORD_HERE = "horse " + "of the tests"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The folder of a run, which the search through this run passes over."""
    (tmp_path / PLANTED).mkdir()
    return tmp_path / PLANTED


def log_in(base: Path, text: str) -> None:
    log = base / "popen-gw0" / "stack0" / "logs" / "host.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"a line\nanother with {text} in it\n")


@pytest.mark.parametrize("text", HELD.values(), ids=HELD.keys())
def test_forms_are_found(base: Path, text: str) -> None:
    log_in(base, text)
    (leak,) = leaks(base)
    assert leak.number == 2
    assert text not in str(leak)


def test_the_administrators_key_is_found(base: Path) -> None:
    log_in(base, "key-of-this-run")
    assert leaks(base) == []
    (base / "popen-gw0" / "stack0" / "admin.key").write_text("key-of-this-run\n")
    assert [leak.what for leak in leaks(base)] == ["the administrator's key"]


def test_passwords_are_read_from_source() -> None:
    source = f"""
ask({{"password": "{PASSWORD_HERE} 1", "name": "ada lovelace"}})
log_in(password="{PASSWORD_HERE} 2")
PASSWORD = "{PASSWORD_HERE} 3"
short = {{"password": "x"}}
"""
    assert list(passwords_in(source)) == [f"{PASSWORD_HERE} {number}" for number in (3, 1, 2)]


def test_harmless_logs_are_no_leak(base: Path) -> None:
    log_in(base, "a key floe_0123456789abcdef that is named by its prefix")
    assert leaks(base) == []


@pytest.mark.parametrize(("workers", "text", "code"), [("0", "nothing", 0), ("2", HELD["plain"], 1)])
def test_a_run_fails_by_what_it_logged(base: Path, workers: str, text: str, code: int) -> None:
    (base / "test_inner.py").write_text(
        f"import logging\ndef test_it():\n    logging.getLogger('floe.x').warning({text!r})\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = ["-m", "pytest", "-c", os.devnull, "-p", "xdist", "-p", "tests.leaks", "-n", workers]
    done = subprocess.run(
        [
            sys.executable,
            *command,
            f"--rootdir={base}",
            f"--basetemp={base / 'run'}",
            "test_inner.py",
        ],
        cwd=base,
        env=environment | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout
    assert done.returncode == code, done.stdout
    assert ("SECRET IN A LOG" in done.stdout) == bool(code)
