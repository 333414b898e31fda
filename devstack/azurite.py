"""Azurite, the storage emulator: blobs, queues and tables in one process."""

from __future__ import annotations

import http.client
import os
import signal
from collections.abc import Sequence

from devstack.home import Home
from devstack.ports import LOOPBACK, prefer
from devstack.tools.azurite import executable

ACCOUNT = "devstoreaccount1"
# The key that Azurite documents for this account; it guards nothing.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
DEFAULT_PORTS = (10000, 10001, 10002)
_SERVICES = ("Blob", "Queue", "Table")


class Azurite:
    """A storage account at three ports of this machine; its data stay in `$FLOE_HOME/azurite`."""

    name = "azurite"
    # It keeps an index in memory and saves it every five seconds and on SIGTERM, so it is never just killed.
    orphan_signal = signal.SIGTERM

    def __init__(self, home: Home, preferred: Sequence[int] = DEFAULT_PORTS) -> None:
        self._location = home.path / "azurite"
        self.ports: tuple[int, ...] = tuple(preferred)
        self.choose_ports()

    @property
    def listens_on(self) -> Sequence[int]:
        """One for each of its services."""
        return self.ports

    def choose_ports(self) -> bool:
        """Takes free ports in place of those that are taken; whether there were any."""
        before, self.ports = self.ports, tuple(prefer(port) for port in self.ports)
        return before != self.ports

    @property
    def connection_string(self) -> str:
        """What storage SDKs take."""
        endpoints = (
            f"{service}Endpoint=http://{LOOPBACK}:{port}/{ACCOUNT};"
            for service, port in zip(_SERVICES, self.ports, strict=True)
        )
        account = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        return account + "".join(endpoints)

    @property
    def address(self) -> str:
        """The ports, for the screen."""
        blob, queue, table = self.ports
        return f"{LOOPBACK}:{blob} (blobs), {queue} (queues), {table} (tables)"

    async def prepare(self) -> None:
        """Makes the data folder."""
        self._location.mkdir(parents=True, exist_ok=True)

    def command(self) -> Sequence[str]:
        """Node with Azurite's own entry point, so that the process id is Azurite's."""
        listeners: list[str] = []
        for service, port in zip(_SERVICES, self.ports, strict=True):
            listeners += [f"--{service.lower()}Host", LOOPBACK, f"--{service.lower()}Port", str(port)]
        quiet = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        return ["node", str(executable()), "--location", str(self._location), *quiet, *listeners]

    def environment(self) -> dict[str, str]:
        """That of the stack."""
        return dict(os.environ)

    def answers(self, output: str) -> bool:
        """Whether all three services answer as Azurite's."""
        return all(_is_azurite(port) for port in self.ports)


def _is_azurite(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=0.3)
    try:
        connection.request("GET", f"/{ACCOUNT}?comp=list")
        return connection.getresponse().getheader("Server", "").startswith("Azurite-")
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
