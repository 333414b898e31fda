"""The reading and evaluating of Bicep, by itself: text in, values or a complaint out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.check_infra.checks import ROOT
from scripts.check_infra.evaluate import evaluate
from scripts.check_infra.findings import BicepError
from scripts.check_infra.parser import parse
from scripts.check_infra.program import Program


def outputs(text: str, parameters: str = "", **others: str) -> dict[str, Any]:
    """The outputs of a main file."""
    files = {"main.bicep": text, "main.bicepparam": f"using './main.bicep'\n{parameters}", **others}
    return evaluate(Program(Path("nowhere"), files), "main.bicepparam", {}, {}).outputs


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 3 - 2", 5),
        ("true || false && false", True),
        ("!false && 1 < 2", True),
        ("1 == 2 ? 'a' : 2 == 2 ? 'b' : 'c'", "b"),
        ("true ? { a: 1 }.a : 2", 1),
        ("null ?? 'x'", "x"),
        ("'${'a'}-${1 + 1}-${true}'", "a-2-true"),
        ("'it\\'s \\${no}'", "it's ${no}"),
        ("'''\nas it ${is}'''", "as it ${is}"),
        ("[for (one, i) in ['a', 'b']: '${one}${i}']", ["a0", "b1"]),
        ("map([1, 2], one => one + 1)", [2, 3]),
        ("filter([{ a: 1 }, { a: 2 }], one => one.a == 2)[0].a", 2),
        ("union({ a: { b: 1 } }, { a: { c: 2 } })", {"a": {"b": 1, "c": 2}}),
        ("items({ b: 2, a: 1 })[0].key", "a"),
        ("{ 'a-b': 1 }['a-b']", 1),
        ("{ a: 1 }.?b ?? 3", 3),
        ("cidrSubnet('10.0.0.0/23', 24, 1)", "10.0.1.0/24"),
        ("[\n  1\n  2\n]", [1, 2]),
    ],
)
def test_expressions(expression: str, value: object) -> None:
    text = f"targetScope = 'subscription'\noutput found object = {{ value: {expression} }}\n"
    assert outputs(text)["found"]["value"] == value


@pytest.mark.parametrize(
    "text",
    [
        "param",
        "param a string = ",
        "var a = 'open",
        "var a = [1",
        "var a = { b: 1 b: 2 }",
        "var a = { b: 1\n  b: 2 }",
        "var a = 1\nvar a = 2",
        "var a = (1, 2)",
        "var a = 1 var b = 2",
        "resource a 'Type' = {}",
        "import 'x'",
        "var a = § 1",
    ],
)
def test_what_is_no_bicep_is_refused(text: str) -> None:
    with pytest.raises(BicepError, match=r"x\.bicep:\d"):
        parse("x.bicep", text)


@pytest.mark.parametrize(
    ("declared", "given", "complaint"),
    [
        ("param a int", "param a = 'x'", "no int"),
        ("param a string[]", "param a = ['x', 1]", "no string array"),
        ("@allowed(['x'])\nparam a string", "param a = 'y'", "not allowed"),
        ("@maxLength(2)\nparam a string", "param a = 'abc'", "not allowed"),
        ("@minValue(2)\nparam a int", "param a = 1", "not allowed"),
        ("param a int", "", "not given"),
        ("param b int = 1", "param a = 1", "no parameter a"),
    ],
)
def test_parameters_are_held_to_their_declarations(declared: str, given: str, complaint: str) -> None:
    with pytest.raises(BicepError, match=complaint):
        outputs(f"targetScope = 'subscription'\n{declared}\n", given)


INNER = """
param name string
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: 'x'
}
output principal string = identity.properties.principalId
"""


def module(name: str, more: str = "") -> str:
    """A main file with one module, and a second that is called `name`."""
    return f"""
targetScope = 'subscription'
module first 'inner.bicep' = {{
  name: 'first'
  scope: resourceGroup('group')
  params: {{ name: 'one' }}
}}
module second 'inner.bicep' = {{
  name: 'second'
  scope: resourceGroup('group')
  params: {{ name: {name} }}
}}
{more}
"""


def test_what_azure_makes_up_can_be_passed_on() -> None:
    found = outputs(module("first.outputs.principal"), **{"inner.bicep": INNER})
    assert found == {}


def test_what_azure_makes_up_is_no_name_and_no_condition() -> None:
    late = INNER.replace("name: name", "name: '${name}${identity2.properties.principalId}'") + INNER.replace(
        "param name string", ""
    ).replace("identity ", "identity2 ").replace("identity.", "identity2.").replace(
        "principal string", "p string"
    )
    with pytest.raises(BicepError, match="a name must be known before the deployment runs"):
        outputs(module("'two'"), **{"inner.bicep": late})
    text = module("'two'", "output x string = first.outputs.principal == 'a' ? 'b' : 'c'\n")
    assert outputs(text, **{"inner.bicep": INNER})["x"] in ("b", "c")


def test_every_file_of_the_project_reads_the_same_twice() -> None:
    program = Program(ROOT)
    assert len(program.paths()) > 15
    assert all(parse(path, program.text(path)) == program.file(path) for path in program.paths())
