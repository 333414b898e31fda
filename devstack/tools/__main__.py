"""`python -m devstack.tools`: installs what the stack needs; says what is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from devstack.screen import Screen
from devstack.tools import azurite, kafka, swagger_ui
from devstack.tools.installation import Announce, ToolMissingError


def main() -> int:
    """Installs all; 1 when the stack could not run at all."""
    screen = Screen()
    try:
        _ensure(screen, "azurite", azurite.ensure)
        _ensure(screen, "swagger-ui", swagger_ui.ensure)
    except ToolMissingError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        _ensure(screen, "kafka", kafka.ensure)
    except ToolMissingError as error:
        screen.about("kafka", f"cannot be had, so a volatile broker will stand in for it: {error}")
    return 0


def _ensure(screen: Screen, name: str, ensure: Callable[[Announce], None]) -> None:
    with screen.step(name) as step:
        ensure(partial(screen.about, name))
        step.says = "installed"


if __name__ == "__main__":
    sys.exit(main())
