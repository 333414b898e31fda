"""`python -m scripts.check_infra`: says what is wrong with the infrastructure; 1 where anything is."""

from __future__ import annotations

import sys

from scripts import infra_facts
from scripts.check_infra.checks import AZD, DEPLOYMENTS, ROOT, check, on_file
from scripts.check_infra.compilers import compiled, compiler
from scripts.check_infra.evaluate import evaluate
from scripts.check_infra.program import Program


def main() -> int:
    """The exit code."""
    program = Program(ROOT)
    facts = infra_facts.facts()
    found = [*on_file(program, facts), *check(program, facts)]
    call = compiler()
    if call is None:
        print("no Bicep compiler here: read, evaluated and compared with the schemas without one")
    else:
        found += [finding for path in program.paths() for finding in compiled(call, ROOT / path, AZD)]
    for finding in found:
        print(finding)
    if not found:
        for name, parameter_file, environment, changes in DEPLOYMENTS:
            count = len(evaluate(program, parameter_file, environment, changes).resources)
            print(f"{name}: {count} resources, nothing found wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
