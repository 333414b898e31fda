"""A pytest plugin: at the end of a run, no log that it wrote may hold a secret.

Looked through are the logs and screens of every stack, and what was logged inside the test processes. The
known secrets are the keys that the run made, every password in the tests' source, and whatever has the form
of an API key, a token, a password's hash or a storage key.
"""

from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# What tests put into bodies and data, which no log holds either.
BODY_MARKER = "no-log-holds-this-4f1d"
# A folder of this name holds the secrets of the tests of this very search.
PLANTED = "planted"
_CAPTURED = "captured-log.txt"
_LOGS = (
    "**/stack*/logs/*",
    "**/stack*/screen.txt",
    "**/*-service/keeper.log",
    "**/*-service/logs/*",
    f"**/{_CAPTURED}",
)
_FORMS = {
    "an API key": re.compile(r"floe_[0-9a-f]{16}_[A-Za-z0-9_-]{43}"),
    "a token": re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    "a refresh token": re.compile(r"flor_[0-9a-f]{32}_[A-Za-z0-9_-]{43}"),
    "a password's hash": re.compile(r"\$argon2id?\$v=\d+\$"),
    "a storage key": re.compile(
        r"AccountKey=[A-Za-z0-9+/]{20,}|Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"
    ),
    "a body": re.compile(BODY_MARKER),
}
# Shorter ones would be found by chance.
_SHORTEST = 8


@dataclass(frozen=True)
class Leak:
    """A line of a log with a secret; the secret itself is not repeated."""

    path: Path
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.number} holds {self.what}"


def passwords_in(source: str) -> Iterator[str]:
    """The texts that a program gives as a password: in a dict, as an argument or by a variable's name."""
    if "password" not in source.lower():
        return  # most files, and parsing them takes its time
    for node in ast.walk(ast.parse(source)):
        values: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.Dict):
            values = [
                (ast.literal_eval(key), value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            ]
        elif isinstance(node, ast.keyword) and node.arg:
            values = [(node.arg, node.value)]
        elif isinstance(node, ast.Assign):
            values = [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
        given = [value for name, value in values if isinstance(name, str) and name.lower() == "password"]
        texts = [value.value for value in given if isinstance(value, ast.Constant)]
        yield from (text for text in texts if isinstance(text, str) and len(text) >= _SHORTEST)


def known_secrets(base: Path) -> dict[str, str]:
    """Secret texts, and what each is."""
    found = {
        password: "a password of the tests"
        for path in TESTS.rglob("*.py")
        for password in passwords_in(path.read_text())
    }
    for path in base.glob("**/stack*/stack.json"):
        found[json.loads(path.read_text())["api_key"]] = "the administrator's key"
    for path in base.glob("**/stack*/admin.key"):
        found[path.read_text().strip()] = "the administrator's key"
    return found


def leaks(base: Path) -> list[Leak]:
    """What the logs below `base` hold and should not."""
    secrets = known_secrets(base)
    exact = re.compile("|".join(map(re.escape, secrets)))
    found = []
    for path in _logs(base):
        with path.open(errors="replace") as log:
            for number, line in enumerate(log, 1):
                found += [Leak(path, number, what) for what in _held(line, exact, secrets)]
    return found


def _logs(base: Path) -> Iterable[Path]:
    found = {path for pattern in _LOGS for path in base.glob(pattern) if path.is_file()}
    return sorted(path for path in found if PLANTED not in path.relative_to(base).parts)


def _held(line: str, exact: re.Pattern[str], secrets: dict[str, str]) -> set[str]:
    held = {what for what, form in _FORMS.items() if form.search(line)}
    if secrets:
        held |= {secrets[text] for text in exact.findall(line)}
    return held


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.fixture(scope="session", autouse=True)
def _kept_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps what is logged in this process."""
    handler = logging.FileHandler(tmp_path_factory.getbasetemp() / _CAPTURED)
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    handler.close()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the run where a log holds a secret, once all workers are done."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if _is_worker(session.config) or factory is None or factory._basetemp is None:
        return
    found = leaks(factory.getbasetemp())
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        for leak in found[:50] if reporter else ():
            reporter.write_line(f"SECRET IN A LOG: {leak}", red=True)
