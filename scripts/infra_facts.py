"""What the infrastructure has to know of the code: `make docs` writes it to `infra/bicep/floe.json`.

Topics, containers, queues, tables and the schedules that triggers take from app settings. Bicep loads the
file, so that none of these is written twice.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from shared.lake.paths import RAW
from shared.platform.settings import Settings
from shared.platform.state_tables import QUEUES, STATE_TABLES
from shared.streams import STREAMS, all_containers, all_topics
from shared.streams.events import EVENTS

ROOT = Path(__file__).parent.parent

# The streams that the app itself sends to; the others are fed by Kafka clients alone.
_SENT = (EVENTS,)
_SETTING = re.compile(r"%([A-Za-z_][A-Za-z0-9_]*)%")


def text() -> str:
    """The file's text."""
    return json.dumps(facts(), indent=2) + "\n"


def facts() -> dict[str, Any]:
    """What Bicep loads."""
    sent = {topic for stream in _SENT for topic in stream.topics}
    return {
        "runtime": {"name": "python", "version": python_version()},
        "topics": [{"name": topic, "send": topic in sent} for topic in all_topics()],
        "containers": sorted(set(all_containers())),
        "rawPrefixes": [f"{stream.container}/{RAW}" for stream in STREAMS],
        "queues": list(QUEUES),
        "tables": list(STATE_TABLES),
        "schedules": {name: _default(name) for name in sorted(named_settings())},
    }


def python_version() -> str:
    """The version that the project requires, such as 3.13."""
    required: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    return required.removeprefix("==").removesuffix(".*")


@cache
def triggers() -> dict[str, Mapping[str, Any]]:
    """Each function's trigger, as Microsoft's SDK describes it to the host."""
    example = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    given = {name: text for name, text in example.items() if text}
    with patch.dict(os.environ, given | os.environ):  # the app checks its settings when it is imported
        import function_app

    # The SDK tells its functions once in a process.
    known: dict[str, Mapping[str, Any]] = {}
    for function in function_app.app.get_functions():
        trigger = function.get_trigger()
        if trigger is not None:
            known[str(function.get_function_name())] = trigger.get_dict_repr()
    return known


def named_settings() -> set[str]:
    """App settings that triggers name as `%NAME%`: the host reads those itself, and knows no defaults."""
    return set(_SETTING.findall(json.dumps(list(triggers().values()), default=str)))


def _default(variable: str) -> str:
    return str(Settings.model_fields[variable.removeprefix("FLOE_").lower()].default)
