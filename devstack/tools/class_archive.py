"""Kafka's classes, loaded once and archived, so that later brokers start in half the time.

Java makes the archive at the end of a run, so a broker is run for it, once for each installation.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from devstack.children import Child
from devstack.home import Home
from devstack.kafka import Kafka
from devstack.ports import free_port
from devstack.tools.installation import Announce, one_at_a_time
from devstack.tools.kafka import class_archive

_WRITTEN_WITHIN = 60


def ensure(announce: Announce) -> None:
    """Makes the archive unless it is there. Raises StackError when a broker cannot run."""
    if class_archive().exists():
        return
    announce("preparing")
    with one_at_a_time(), tempfile.TemporaryDirectory() as folder:
        draft = class_archive().with_suffix(".draft")
        asyncio.run(_run_broker(Home(Path(folder)), draft))
        if draft.exists():
            draft.replace(class_archive())


async def _run_broker(home: Home, archive: Path) -> None:
    kafka = Kafka(home, partitions=1, preferred=free_port())
    kafka.archive_classes(archive)
    child = Child(kafka, home)
    try:
        await child.start()
        await child.answered()
    finally:
        await child.stop(_WRITTEN_WITHIN)
