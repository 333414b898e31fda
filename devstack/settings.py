"""What a user can choose about the local stack, from the environment."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from devstack.broker import BrokerChoice
from devstack.home import StackError
from devstack.tools import PROJECT

HostChoice = Literal["local", "func"]


@dataclass(frozen=True)
class StackSettings:
    """One stack's settings; each is the environment variable `FLOE_<NAME>`."""

    # Where state and logs are kept.
    home: Path
    # The HTTP port of the function app.
    port: int
    # A broker that already runs, as `host:port`, in place of one of the stack's own.
    kafka: str | None
    # `mock` forces the volatile broker.
    broker: BrokerChoice
    # Partitions of topics that the stack makes.
    partitions: int
    # `func` runs the app under Azure Functions Core Tools.
    host: HostChoice
    # The folder of the function app.
    app: Path


def read_settings() -> StackSettings:
    """The settings in the environment; raises StackError, which names what is wrong with one."""
    return StackSettings(
        home=Path(_text("HOME", ".floe")),
        port=_number("PORT", 7071, 65_535),
        kafka=_text("KAFKA", "") or None,
        broker=cast(BrokerChoice, _one_of("BROKER", "kafka", "mock")),
        partitions=_number("PARTITIONS", 4, 32),
        host=_host(),
        app=Path(_text("APP", str(PROJECT))).resolve(),
    )


def _text(name: str, default: str) -> str:
    return os.environ.get(f"FLOE_{name}") or default


def _number(name: str, default: int, most: int) -> int:
    value = _text(name, str(default))
    if not (value.isdecimal() and 1 <= int(value) <= most):
        raise StackError(f"FLOE_{name} is {value!r}: it must be a whole number from 1 to {most}.")
    return int(value)


def _one_of(name: str, default: str, other: str) -> str:
    value = _text(name, default)
    if value not in (default, other):
        raise StackError(f"FLOE_{name} is {value!r}: it must be {default!r} or {other!r}.")
    return value


def _host() -> HostChoice:
    choice = cast(HostChoice, _one_of("HOST", "local", "func"))
    if choice == "func" and shutil.which("func") is None:
        raise StackError(
            "FLOE_HOST=func needs Azure Functions Core Tools (`func`) on the PATH: install them, "
            "or unset FLOE_HOST to use Floe's own development host."
        )
    return choice
