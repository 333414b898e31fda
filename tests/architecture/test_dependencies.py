"""The dependency rules: functions on services, services on ports, adapters on SDKs, never the other way."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.imports import Import, module_name, product_files, product_imports, tree_of

ADAPTERS = "shared.adapters"
SDKS = ("confluent_kafka", "obstore", "deltalake", "azure", "opentelemetry")
HEAVY = ("pyarrow", "numpy", "deltalake", "confluent_kafka", "obstore", "azure.storage", "azure.data",
         "azure.identity", "azure.eventhub", "prometheus_client", "opentelemetry")  # fmt: skip
# Packages of `shared` that are no capability: what all may use, and what may use all.
FOUNDATION = {"platform"}
ABOVE = {"adapters", "runtime"}


def offenders(rule: object) -> list[str]:
    """The imports for which `rule` holds, as text."""
    assert callable(rule)
    return [str(one) for one in product_imports() if rule(one)]


def test_only_the_index_and_the_triggers_know_azure_functions() -> None:
    assert not offenders(
        lambda one: one.reaches("azure.functions") and not one.comes_from("functions", "function_app")
    )


def test_only_adapters_import_sdks() -> None:
    assert not offenders(
        lambda one: one.reaches(*SDKS) and not one.reaches("azure.functions") and not one.comes_from(ADAPTERS)
    )


def test_only_the_composition_root_picks_adapters() -> None:
    assert not offenders(lambda one: one.reaches(ADAPTERS) and not one.comes_from(ADAPTERS, "shared.runtime"))


def test_only_triggers_use_the_composition_root() -> None:
    assert not offenders(
        lambda one: (
            one.reaches("shared.runtime")
            and not one.comes_from("functions", "function_app", "shared.runtime")
        )
    )


def test_the_product_stands_alone() -> None:
    assert not offenders(lambda one: one.reaches("devstack", "bench", "tests", "scripts"))
    assert not offenders(lambda one: one.comes_from("shared") and one.reaches("functions"))


def test_heavy_libraries_are_imported_when_first_used() -> None:
    assert not offenders(lambda one: one.reaches(*HEAVY) and not one.lazily and not one.comes_from(ADAPTERS))


def test_adapters_are_imported_when_first_used() -> None:
    assert not offenders(
        lambda one: one.reaches(ADAPTERS) and not one.lazily and not one.comes_from(ADAPTERS)
    )


def capability(module: str) -> str | None:
    """`ingest` for `shared.ingest.land`; None for what is no capability."""
    parts = module.split(".")
    is_one = parts[0] == "shared" and len(parts) > 1 and parts[1] not in FOUNDATION | ABOVE
    return parts[1] if is_one else None


def test_capabilities_have_no_cycles() -> None:
    needs: dict[str, set[str]] = {}
    for one in product_imports():
        user, used = capability(one.importer), capability(one.imported)
        if user and used and user != used:
            needs.setdefault(user, set()).add(used)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_the_platform_rests_on_no_capability() -> None:
    assert not offenders(lambda one: one.comes_from("shared.platform") and capability(one.imported))


def test_only_settings_read_the_environment() -> None:
    readers = [
        f"{module_name(path)}:{node.lineno}"
        for path in product_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "putenv"}
    ]
    readers += offenders(lambda one: one.imported in {"os.environ", "os.getenv"})
    assert [reader for reader in readers if not reader.startswith("shared.platform.settings:")] == []


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    names = {part.strip("_") for path in product_files() for part in module_name(path).split(".")}
    assert not drawers & names


def test_the_rules_would_notice() -> None:
    """The walk sees lazy imports, and skips what only the type checker sees."""
    assert any(one.lazily for one in product_imports())
    assert Import("shared.x", "azure.storage.blob.BlobClient", False).reaches(*SDKS)
    assert not Import("shared.x", "azurelike", False).reaches("azure")
    assert "azure.functions" in {one.imported for one in product_imports()}
