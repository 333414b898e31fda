"""The function app as a child of the stack, under Floe's development host or under Core Tools."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devstack.home import sha256_hex
from devstack.ports import LOOPBACK, is_free
from devstack.settings import HostChoice
from shared.platform.state_tables import QUEUE_CONNECTION

_READY = re.compile(r"^host ready (http://\S+)", re.MULTILINE)
# For the binding's sake; the development host reads topics from the broker that it is told about.
_EVENT_HUBS = (
    "Endpoint=sb://127.0.0.1;SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true;"
)
# Azurite saves its index every five seconds: a checkpoint must not be quicker than what it stands for.
_CHECKPOINT_LAG = 12.0
FUNC_NOTE = (
    "The app runs under Azure Functions Core Tools, whose Event Hub triggers cannot read the local broker: "
    "set EventHubConnection, and FLOE_EVENTHUB_NAMESPACE for what the app sends, to a real namespace."
)


@dataclass(frozen=True)
class Wiring:
    """What the app is connected to."""

    storage_connection_string: str
    kafka_bootstrap: str
    broker_volatile: bool
    admin_key: str


class FunctionApp:
    """The host process and the app in it."""

    name = "host"
    orphan_signal = signal.SIGKILL

    def __init__(self, app: Path, port: int, wiring: Wiring, host: HostChoice = "local") -> None:
        self.app = app
        self.wiring = wiring
        self.url = f"http://{LOOPBACK}:{port}"
        self._port = port
        self._host = host

    @property
    def listens_on(self) -> Sequence[int]:
        """None that has to be looked at: the host says itself that it serves."""
        return ()

    def choose_ports(self) -> bool:
        """Nothing to choose: the user has chosen."""
        return False

    async def prepare(self) -> None:
        """Nothing to prepare."""

    def command(self) -> Sequence[str]:
        """The host's command line."""
        if self._host == "func":
            return ["func", "start", "--script-root", str(self.app), "--port", str(self._port)]
        arguments = [
            "--app",
            str(self.app),
            "--port",
            str(self._port),
            "--kafka",
            self.wiring.kafka_bootstrap,
            "--checkpoint-lag",
            str(_CHECKPOINT_LAG),
        ]
        return [sys.executable, "-m", "devstack.host", *arguments]

    def environment(self) -> dict[str, str]:
        """The user's environment, with the local defaults below it and the wiring above it."""
        environment = {**_DEFAULTS, **os.environ, **self._wired()}
        if self._host == "func" and "FLOE_EVENTHUB_NAMESPACE" in os.environ:
            return _without(environment, "FLOE_STORAGE_ACCOUNT", "FLOE_KAFKA_BOOTSTRAP")
        return _without(environment, "FLOE_STORAGE_ACCOUNT", "FLOE_EVENTHUB_NAMESPACE")

    def _wired(self) -> dict[str, str]:
        wiring = self.wiring
        return {
            "AzureWebJobsStorage": wiring.storage_connection_string,
            QUEUE_CONNECTION: wiring.storage_connection_string,
            "FLOE_STORAGE_CONNECTION_STRING": wiring.storage_connection_string,
            "FLOE_KAFKA_BOOTSTRAP": wiring.kafka_bootstrap,
            "FLOE_BROKER_VOLATILE": str(wiring.broker_volatile).lower(),
            "FLOE_ADMIN_KEY_SHA256": sha256_hex(wiring.admin_key),
        }

    def answers(self, output: str) -> bool:
        """Whether the host says that it serves, or under Core Tools has taken its port."""
        if self._host == "func":
            return not is_free(self._port)
        announced = _READY.search(output)
        if announced:
            self.url = announced[1].rstrip("/")
        return announced is not None


_MANY = "1000000000"
# High enough for any load test, and never asking storage.
HIGH_LIMITS = {
    "API_RATE_LIMIT": _MANY,
    **{
        f"FLOE_RATE_{rule}": _MANY
        for rule in ("BATCH", "SIMULATE", "EXPORT", "AUTH", "CREDENTIALS", "ANONYMOUS", "FREE")
    },
    "FLOE_RATE_PROFESSIONAL": _MANY,
    "FLOE_RATE_ENTERPRISE": _MANY,
}
_DEFAULTS = {
    **HIGH_LIMITS,
    "EventHubConnection": _EVENT_HUBS,
    "FLOE_AUTH": "local",
    "FLOE_ENVIRONMENT": "local",
    "FLOE_REGISTRATION": "open",
    "FLOE_FLUSH_SCHEDULE": "*/10 * * * * *",
    "FLOE_SCAN_SCHEDULE": "5/20 * * * * *",
    "FLOE_UPLOAD_SCHEDULE": "0 15 * * * *",
    "FLOE_CLEANUP_SCHEDULE": "0 45 * * * *",
    # Few arenas: glibc keeps what each of them once held, and the worker's memory is to stay flat.
    "MALLOC_ARENA_MAX": "2",
    "PYTHONUNBUFFERED": "1",
}


def _without(environment: dict[str, str], *names: str) -> dict[str, str]:
    # The stack says where storage and the broker are; a second answer from the user's shell is an error.
    return {name: value for name, value in environment.items() if name not in names}
