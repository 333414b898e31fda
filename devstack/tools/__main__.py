"""`python -m devstack.tools`: installs what the stack needs, and with `--for-tests` what the tests need too;
says what is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from devstack.home import StackError
from devstack.screen import Screen
from devstack.tools import axe, azurite, chromium, class_archive, kafka, swagger_ui, uplot
from devstack.tools.installation import Announce, ToolMissingError


def main() -> int:
    """Installs all; 1 when the stack could not run at all, or the tests could not."""
    for_tests = sys.argv[1:] == ["--for-tests"]
    screen = Screen()
    try:
        _ensure(screen, "azurite", azurite.ensure)
        _ensure(screen, "swagger-ui", swagger_ui.ensure)
        _ensure(screen, "uplot", uplot.ensure)
        if for_tests:
            _ensure(screen, "axe", axe.ensure)
            _ensure(screen, "chromium", chromium.ensure)
    except ToolMissingError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        _ensure(screen, "kafka", _ensure_kafka)
    except (ToolMissingError, StackError) as error:
        screen.about("kafka", f"cannot be had, so a volatile broker will stand in for it: {error}")
    return 0


def _ensure_kafka(announce: Announce) -> None:
    kafka.ensure(announce)
    class_archive.ensure(announce)


def _ensure(screen: Screen, name: str, ensure: Callable[[Announce], None]) -> None:
    with screen.step(name) as step:
        ensure(partial(screen.about, name))
        step.says = "installed"


if __name__ == "__main__":
    sys.exit(main())
