"""The functions of an app as the host sees them: a trigger, outputs and a retry policy each."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devstack.host.errors import SettingError, UnsupportedBinding
from devstack.host.protos import RpcFunctionMetadata, RpcRetryOptions

TRIGGERS = frozenset({"httpTrigger", "eventHubTrigger", "timerTrigger", "queueTrigger"})
OUTPUTS = frozenset({"http", "queue"})

_EXPRESSION = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding, its `%NAME%` expressions resolved."""

    name: str
    type: str
    fields: Mapping[str, Any]

    def text(self, field: str, default: str = "") -> str:
        """A field that is text."""
        value = self.fields.get(field)
        return default if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app."""

    id: str
    name: str
    trigger: Binding
    outputs: Mapping[str, Binding]
    retry: RpcRetryOptions | None = None


def read_function(metadata: RpcFunctionMetadata, settings: Mapping[str, str]) -> Function:
    """The function that the worker indexed.

    Raises UnsupportedBinding for a binding that this host does not have and SettingError for an expression
    that names no app setting.
    """
    bindings = [_read_binding(json.loads(raw), metadata.name, settings) for raw in metadata.raw_bindings]
    triggers = [binding for binding in bindings if binding.type in TRIGGERS]
    outputs = {binding.name: binding for binding in bindings if binding.type in OUTPUTS}
    if len({binding.name for binding in bindings}) < len(bindings):
        raise UnsupportedBinding(f"function {metadata.name} has two bindings of one name")
    for binding in bindings:
        if binding.type not in TRIGGERS | OUTPUTS:
            raise UnsupportedBinding(
                f"function {metadata.name}: this host has no {binding.type} binding "
                f"(it has {', '.join(sorted(TRIGGERS | OUTPUTS))})"
            )
    if len(triggers) != 1:
        raise UnsupportedBinding(
            f"function {metadata.name} must have exactly one trigger, not {len(triggers)}"
        )
    return Function(metadata.function_id, metadata.name, triggers[0], outputs, metadata.retry_options)


def _read_binding(fields: dict[str, Any], function: str, settings: Mapping[str, str]) -> Binding:
    resolved = {
        name: _resolve(value, function, settings) if isinstance(value, str) else value
        for name, value in fields.items()
    }
    return Binding(resolved["name"], resolved["type"], resolved)


def _resolve(text: str, function: str, settings: Mapping[str, str]) -> str:
    def setting(match: re.Match[str]) -> str:
        value = settings.get(match[1])
        if value is None:
            raise SettingError(f"function {function}: there is no app setting {match[1]} for {match[0]}")
        return value

    return _EXPRESSION.sub(setting, text)
