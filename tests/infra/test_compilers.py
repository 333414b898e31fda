"""Where a Bicep compiler is installed, it is asked too; here a program in its place says what one would."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.check_infra.compilers import compiled, compiler, grammar

_ASKED = 'echo "$0 $*" | sed "s|.*/||" >> "$(dirname "$0")/asked"\n'
_WARNS = (
    "echo '/x/main.bicep(3,7) : Warning no-unused-vars: Variable \"a\" is declared but never used.' >&2\n"
)
_NEWS = "echo 'WARNING: A new Bicep release is available: v9.' >&2\n"


def install(folder: Path, name: str, script: str) -> None:
    """Puts a program into a folder of the PATH."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{_ASKED}{script}")
    program.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on a PATH without compilers."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_without_a_compiler_there_is_none(path: Path) -> None:
    install(path, "az", "exit 1\n")
    assert compiler() is None


def test_bicep_itself_is_asked(path: Path) -> None:
    install(path, "bicep", _WARNS)
    assert compiler() == ["bicep"]
    (finding,) = compiled(["bicep"], Path("main.bicep"), {})
    assert "no-unused-vars" in finding.what
    assert (path / "asked").read_text() == "bicep build main.bicep --stdout\n"


def test_the_azure_cli_is_asked_where_it_has_bicep(path: Path) -> None:
    install(path, "az", f'{_NEWS}test -n "$AZURE_ENV_NAME" || test "$2" = version\n')
    assert compiler() == ["az", "bicep"]
    assert list(compiled(["az", "bicep"], Path("main.bicepparam"), {"AZURE_ENV_NAME": "trial"})) == []
    assert (path / "asked").read_text().splitlines()[
        -1
    ] == "az bicep build-params --file main.bicepparam --stdout"


def test_a_compiler_that_fails_without_a_word_is_a_finding(path: Path) -> None:
    install(path, "bicep", "echo no license >&2\nexit 3\n")
    (finding,) = compiled(["bicep"], Path("main.bicep"), {})
    assert finding.what == "the compiler ended with 3: no license"


def test_the_grammar_is_asked() -> None:
    assert grammar("x.bicep", "var a = 1\n") == ()
    assert grammar("x.bicep", "var a = = 1\n")
