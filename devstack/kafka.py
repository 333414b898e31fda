"""Apache Kafka, one node in KRaft mode, set up to behave like an Event Hubs namespace."""

from __future__ import annotations

import os
import signal
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path

from devstack.children import run_to_end
from devstack.home import Home, StackError
from devstack.ports import LOOPBACK, free_port, prefer
from devstack.provision import broker_answers, make_topics
from devstack.tools.kafka import LOGGING, class_archive, class_path

DEFAULT_PORT = 9092
_JVM = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
# What an Event Hubs namespace does: broker time, 1 MB messages, seven days.
log.message.timestamp.type=LogAppendTime
message.max.bytes=1048588
log.retention.hours=168
num.partitions={partitions}
auto.create.topics.enable=true
delete.topic.enable=true
# One node: a single replica of everything, and few partitions of what is internal.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
# A killed broker may register again once its old session is over: do not wait the usual nine seconds.
broker.session.timeout.ms=2500
broker.heartbeat.interval.ms=500
"""


class Kafka:
    """A broker whose data stay in `$FLOE_HOME/kafka` and survive a kill."""

    name = "kafka"
    orphan_signal = signal.SIGKILL
    kind = "kafka"
    volatile = False

    def __init__(self, home: Home, partitions: int, preferred: int = DEFAULT_PORT) -> None:
        self._home = home.path / "kafka"
        self._data = self._home / "data"
        self._properties = self._home / "server.properties"
        self._partitions = partitions
        self._ports = (preferred, free_port())
        # Java ignores an archive that is missing or does not fit.
        self._archive_option = f"-XX:SharedArchiveFile={class_archive()}"
        self.choose_ports()

    @property
    def listens_on(self) -> Sequence[int]:
        """For clients and for the controller."""
        return self._ports

    def choose_ports(self) -> bool:
        """Takes free ports in place of those that are taken; whether there were any."""
        before, self._ports = self._ports, (prefer(self._ports[0]), prefer(self._ports[1]))
        return before != self._ports

    @property
    def bootstrap(self) -> str:
        """What Kafka clients take."""
        return f"{LOOPBACK}:{self._ports[0]}"

    async def prepare(self) -> None:
        """Writes the configuration and, once, formats the data folder."""
        self._home.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(
            _PROPERTIES.format(
                host=LOOPBACK,
                port=self._ports[0],
                controller_port=self._ports[1],
                data=self._data,
                partitions=self._partitions,
            )
        )
        if not (self._data / "meta.properties").exists():
            await self._format()

    async def _format(self) -> None:
        # Some ids start with a hyphen, which the tool would take for an option if they stood alone.
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", f"--cluster-id={cluster}"]
        code, output = await run_to_end(_java(*tool, "-c", str(self._properties)))
        if code != 0:
            raise StackError(f"Kafka could not format {self._data}:\n{output}")

    def command(self) -> Sequence[str]:
        """Java with the broker's main class."""
        return _java(self._archive_option, "kafka.Kafka", str(self._properties))

    def archive_classes(self, archive: Path) -> None:
        """Makes Java write the classes of this run to `archive` when it ends."""
        self._archive_option = f"-XX:ArchiveClassesAtExit={archive}"

    def environment(self) -> dict[str, str]:
        """That of the stack."""
        return dict(os.environ)

    def answers(self, output: str) -> bool:
        """Whether it tells a client about itself."""
        return broker_answers(self.bootstrap)

    def make_topics(self, topics: Iterable[str], partitions: int) -> None:
        """Makes the topics that are missing. Blocks."""
        make_topics(self.bootstrap, topics, partitions)


def _java(*main: str) -> list[str]:
    return ["java", *_JVM, f"-Dlog4j2.configurationFile={LOGGING}", "-cp", class_path(), *main]
