"""The README's tour works as pasted, block by block, on a running stack."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import urlsplit

import pytest

from devstack.demo.watchers import storage_options
from tests.stack.running import PROJECT, RunningStack

pytestmark = pytest.mark.stack

_BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = _BLOCK.findall((PROJECT / "README.md").read_text())
# What each block's answer must hold, wherever and whenever it runs.
ANSWERS = (
    '"topic":"events.transaction"',
    "",
    '"page": "/b"',
    '"status":"completed"',
    "transaction",
    "invalid_data",
)


def paste(block: str, stack: RunningStack) -> str:
    """Runs a block as a user would, with the stack's addresses in place of the usual ones."""
    info = stack.info
    block = block.replace("127.0.0.1:7071", urlsplit(info["http_url"]).netloc)
    block = block.replace("127.0.0.1:9092", info["kafka_bootstrap"])
    blobs = storage_options(info["storage_connection_string"])["endpoint"].rpartition("/")[0]
    environment = {**stack.environment, "AZURITE_BLOB_STORAGE_URL": blobs}
    done = subprocess.run(
        ["bash", "-e"], input=block, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_block_of_the_tour_has_an_answer_to_hold() -> None:
    assert len(BLOCKS) == len(ANSWERS)


def test_the_tour_works_as_pasted(stack: RunningStack) -> None:
    for block, answer in zip(BLOCKS, ANSWERS, strict=True):
        # An event is landed a moment after the broker has acknowledged it.
        stack.wait_until(lambda block=block, answer=answer: answer in paste(block, stack), what=block)  # type: ignore[misc]
