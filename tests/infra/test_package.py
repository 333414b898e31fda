"""What `make package` makes runs on its own, holds nothing else, and is the same every time."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from scripts import infra_facts
from scripts.package import archive
from scripts.package.__main__ import PROJECT, build
from scripts.package.contents import SITE_PACKAGES, belongs, copy_own
from scripts.package.dependencies import pinned
from tests.stack.running import RunningStack

_EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_SECRETS = (
    re.compile(rb"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----"),
    re.compile(rb"floe_[A-Za-z0-9_-]{43}"),
    re.compile(rb"AccountKey=(?!Eby8vdM02xNOcq)[A-Za-z0-9+/]{40}"),
    re.compile(rb"eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that a package was made in, of what is installed here; stored, for zipping takes long."""
    folder = tmp_path_factory.mktemp("package")
    build(folder, installed=True, level=0)
    shutil.rmtree(folder / "app")  # what follows sees the zip alone
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def unpacked(made: Path) -> Path:
    """The zip's contents."""
    with zipfile.ZipFile(made / "floe.zip") as package:
        package.extractall(made / "unpacked")
    return made / "unpacked"


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Azure brings (the worker library), and the driver of these tests."""
    folder = tmp_path_factory.mktemp("beside")
    for name in ("azure_functions_runtime", "azurefunctions"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.submodule_search_locations
        (folder / name).symlink_to(next(iter(spec.submodule_search_locations)))
    for name in ("devstack", "tests"):
        (folder / name).symlink_to(PROJECT / name)
    return folder


def run(package: Path, beside: Path, environment: dict[str, str], *requests: dict[str, Any]) -> Any:
    """What the packaged app has and answers, in a process that knows no other packages."""
    program = str(Path(__file__).with_name("run_package.py"))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", program, str(package), str(beside)],
        input=json.dumps(requests),
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd=package,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def own_names(unpacked: Path) -> set[str]:
    """The app's own files in the package."""
    names = (file.relative_to(unpacked).as_posix() for file in archive.files(unpacked))
    return {name for name in names if not name.startswith(SITE_PACKAGES.as_posix())}


@pytest.mark.stack
@pytest.mark.timeout(300)  # with the making of the package and the start of a stack
def test_it_runs_on_its_own_and_an_event_goes_in_and_comes_out(
    unpacked: Path, beside: Path, stack: RunningStack
) -> None:
    environment = {
        "FLOE_STORAGE_CONNECTION_STRING": stack.info["storage_connection_string"],
        "FLOE_KAFKA_BOOTSTRAP": stack.info["kafka_bootstrap"],
        "FLOE_AUTH": "local",
        **infra_facts.facts()["schedules"],
    }
    event = {"event_type": "error", "event_id": "packaged-1", "data": {"said": "grüß dich"}}
    sent = {
        "function": "create_event",
        "method": "POST",
        "headers": {"content-type": "application/json"},
        "body": json.dumps(event),
    }
    flush = {"function": "flush_storage", "method": "POST"}
    query = {"function": "query_events", "url": "http://127.0.0.1/?event_type=error&limit=100"}
    did = run(unpacked, beside, environment, {"function": "get_openapi"}, sent, flush, query)
    assert [answer.get("status") for answer in did["answers"]] == ["200"] * 4, did["answers"]
    found = [
        one for one in json.loads(did["answers"][-1]["body"])["events"] if one["event_id"] == "packaged-1"
    ]
    assert [one["data"] for one in found] == [event["data"]]
    assert did["functions"].keys() >= infra_facts.triggers().keys()
    from_elsewhere = {
        name: place
        for name, place in did["modules"].items()
        if "site-packages" in place and not place.startswith(str(unpacked))
    }
    assert from_elsewhere == {}
    assert {"pyarrow", "deltalake", "confluent_kafka", "obstore"} <= did["modules"].keys()


def test_dependencies_are_those_of_the_requirements(unpacked: Path) -> None:
    installed = (unpacked / SITE_PACKAGES).glob("*.dist-info")
    found = {folder.name.removesuffix(".dist-info").lower().replace("_", "-") for folder in installed}
    assert found == {
        f"{name.lower().replace('_', '-')}-{version}"
        for name, version in pinned(PROJECT / "requirements.txt").items()
    }


def test_nothing_is_in_it_that_does_not_belong(unpacked: Path) -> None:
    names = [file.relative_to(unpacked) for file in archive.files(unpacked)]
    folders = {part for name in names for part in name.parts[:-1]}
    assert not folders & {
        "tests",
        "test",
        "devstack",
        "bench",
        "scripts",
        "docs",
        "infra",
        "__pycache__",
        "bin",
    }
    top = {name.parts[0] for name in names}
    assert top == {".python_packages", "function_app.py", "host.json", "LICENSE", "functions", "shared"}
    suspects = {".pyc", ".pem", ".key", ".pfx", ".log", ".db", ".sqlite", ".env"}
    assert {str(name) for name in names if name.suffix in suspects} <= {
        str(SITE_PACKAGES / "certifi/cacert.pem")
    }
    assert not [name for name in names if "local.settings" in name.name or "stack.json" in name.name]


def test_no_secrets_are_in_it(unpacked: Path) -> None:
    found = [
        name
        for name in own_names(unpacked)
        for secret in _SECRETS
        if secret.search((unpacked / name).read_bytes())
    ]
    assert found == []


def test_the_search_for_secrets_finds_them() -> None:
    texts = (
        b"-----BEGIN PRIVATE KEY-----",
        b"floe_" + b"a" * 43,
        b"AccountKey=" + b"b" * 86 + b"==",
        b".".join([b"eyJ" + b"c" * 30, b"eyJ" + b"d" * 30, b"e" * 43]),
    )
    assert all(secret.search(text) for secret, text in zip(_SECRETS, texts, strict=True))
    assert not any(secret.search(f"AccountKey={_EMULATOR_KEY}".encode()) for secret in _SECRETS)


def test_the_list_of_contents_and_the_parts_are_those_of_the_zip(made: Path, unpacked: Path) -> None:
    assert (made / "floe.contents.txt").read_text() == archive.listing(unpacked)
    parts = json.loads((made / "floe.cdx.json").read_text())
    wanted = pinned(PROJECT / "requirements.txt").items()
    known = {f"pkg:pypi/{name.lower().replace('_', '-')}@{quote(version)}" for name, version in wanted}
    from_npm = {"pkg:npm/swagger-ui-dist@5.35.0", "pkg:npm/uplot@1.6.32"}
    assert {part["purl"] for part in parts["components"]} == known | from_npm
    assert (parts["bomFormat"], parts["specVersion"]) == ("CycloneDX", "1.6")
    unlicensed = [part["name"] for part in parts["components"] if "licenses" not in part]
    assert unlicensed == []


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for name in ("first", "second"):
        copy_own(PROJECT, tmp_path / name)
        for file in sorted((tmp_path / name).rglob("*.py"), reverse=name == "second"):
            file.touch()  # neither times nor the order of making matter
        archive.write(tmp_path / name, tmp_path / f"{name}.zip")
        digests.add(hashlib.sha256((tmp_path / f"{name}.zip").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_azd_uploads_what_was_made() -> None:
    azd = yaml.safe_load((PROJECT / "azure.yaml").read_text())
    service = azd["services"]["api"]
    assert (service["project"], service["remoteBuild"]) == ("dist/app", False)
    assert azd["hooks"]["prepackage"]["posix"]["run"] == "make package"
    assert (PROJECT / azd["infra"]["path"] / f"{azd['infra']['module']}.bicep").is_file()


def test_files_of_the_installer_are_left_out() -> None:
    assert not belongs(Path("numpy-2.5.5.dist-info/RECORD"))
    assert not belongs(Path("numpy/_core/tests/test_api.py"))
    assert belongs(Path("numpy/testing/__init__.py"))
    assert belongs(Path("numpy-2.5.5.dist-info/METADATA"))
