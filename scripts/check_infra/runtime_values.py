"""Values that are known only while a deployment runs, such as an endpoint that Azure makes up.

They may be passed on; a name, a condition, a scope or the list that a loop runs over must not hold one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Late:
    """A value of which `value` is a stand-in until the deployment runs."""

    value: Any


def is_late(value: Any) -> bool:
    """Whether `value` is late, or holds something that is."""
    if isinstance(value, dict):
        return any(is_late(one) for one in value.values())
    if isinstance(value, list):
        return any(is_late(one) for one in value)
    return isinstance(value, Late)


def settled(value: Any) -> Any:
    """`value` with stand-ins in the place of what is late."""
    if isinstance(value, Late):
        return settled(value.value)
    if isinstance(value, dict):
        return {key: settled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [settled(one) for one in value]
    return value


def lifted(function: Callable[..., Any], *arguments: Any) -> Any:
    """`function` of the arguments; late where one of them is late itself."""
    if any(isinstance(one, Late) for one in arguments):
        return Late(function(*(one.value if isinstance(one, Late) else one for one in arguments)))
    return function(*arguments)
