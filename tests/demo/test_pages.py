"""What the pages tell users to run works as pasted, on a running stack."""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from devstack.demo.watchers import storage_options
from tests.stack.running import PROJECT, RunningStack

pytestmark = pytest.mark.stack


def blocks(page: str, language: str) -> list[str]:
    """The page's code blocks in `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", (PROJECT / page).read_text(), re.MULTILINE | re.DOTALL)


TOUR = blocks("README.md", "bash")
# What each block's answer must hold, wherever and whenever it runs.
ANSWERS = (
    '"topic":"events.transaction"',
    "",
    '"page": "/b"',
    '"asset_id":"pump-7"',
    '"status":"completed"',
    "transaction",
    "invalid_data",
    '"job_id":"upload-',
    '"status":"succeeded"',
    '"name":"pump-7/',
    'floe_landed_rows_total{topic="sensor-data"}',
    "x-ratelimit-remaining: ",
)
PROGRAMS = [
    pytest.param(block, id=f"{page} {number}")
    for page in ("docs/dead-letters.md", "docs/kafka-clients.md", "docs/operations.md", "docs/sensors.md")
    for number, block in enumerate(blocks(page, "python"), 1)
]


def paste(block: str, stack: RunningStack, *command: str) -> str:
    """What `command` prints for a block, in which the stack's addresses stand for the usual ones."""
    info = stack.info
    block = block.replace("127.0.0.1:7071", urlsplit(info["http_url"]).netloc)
    block = block.replace("127.0.0.1:9092", info["kafka_bootstrap"])
    blobs = storage_options(info["storage_connection_string"])["endpoint"].rpartition("/")[0]
    environment = {**stack.environment, "AZURITE_BLOB_STORAGE_URL": blobs}
    done = subprocess.run(
        command, input=block, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def toured(stack: RunningStack) -> RunningStack:
    """A stack on which the README's tour was made, block by block."""
    for block, answer in zip(TOUR, ANSWERS, strict=True):

        def answered(block: str = block, answer: str = answer) -> bool:
            return answer in paste(block, stack, "bash", "-e")

        # An event is landed a moment after the broker has acknowledged it.
        stack.wait_until(answered, what=block)
    return stack


def test_the_tour_of_the_readme_works_as_pasted(toured: RunningStack) -> None:
    assert len(TOUR) == len(ANSWERS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_in_the_pages_run(toured: RunningStack, program: str) -> None:
    paste(program, toured, sys.executable, "-")
