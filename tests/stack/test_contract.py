"""What `make run` promises to tools, seen on one running stack."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import httpx
import pytest
from azure.storage.blob import BlobServiceClient

from devstack.home import sha256_hex
from devstack.provision import broker_answers
from shared.streams import all_containers, all_topics
from tests.stack.data import put_message, read_messages
from tests.stack.running import PROJECT, RunningStack

pytestmark = pytest.mark.stack


def _serves(stack: RunningStack) -> bool:
    try:
        return httpx.get(stack.info["http_url"] + "/health").status_code > 0
    except httpx.HTTPError:
        return False


def _refused(stack: RunningStack, **settings: str) -> str:
    """What a supervisor says that ends at once, with exit code 1."""
    done = subprocess.run(
        [sys.executable, "-m", "devstack"],
        cwd=PROJECT,
        env={**stack.environment, **settings},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1, done.stdout
    return done.stderr


def test_prints_exactly_one_ready_line(stack: RunningStack) -> None:
    assert len([line for line in stack.screen.splitlines() if line.startswith("ready")]) == 1


def test_stack_file_says_how_to_reach_everything(stack: RunningStack) -> None:
    info = stack.info
    assert {"http_url", "kafka_bootstrap", "storage_connection_string", "api_key", "pids"} <= info.keys()
    assert (info["broker"], info["broker_volatile"], info["notes"]) == ("kafka", False, [])
    assert set(info["pids"]) == {"supervisor", "host", "azurite", "kafka"}
    assert broker_answers(info["kafka_bootstrap"])
    assert _serves(stack)


def test_secrets_are_for_their_owner_only(stack: RunningStack) -> None:
    for name in ("stack.json", "admin.key"):
        assert stat.S_IMODE((stack.home / name).stat().st_mode) == 0o600


def test_app_knows_the_administrators_key_by_its_hash_only(stack: RunningStack) -> None:
    environment = (stack.proc("host") / "environ").read_bytes().decode()
    assert f"FLOE_ADMIN_KEY_SHA256={sha256_hex(stack.info['api_key'])}" in environment
    assert stack.info["api_key"] not in environment


def test_topics_and_containers_are_there(stack: RunningStack) -> None:
    from confluent_kafka.admin import AdminClient

    topics = AdminClient({"bootstrap.servers": stack.info["kafka_bootstrap"]}).list_topics(timeout=5).topics
    assert {topic: len(topics[topic].partitions) for topic in all_topics()} == dict.fromkeys(all_topics(), 4)
    with BlobServiceClient.from_connection_string(stack.info["storage_connection_string"]) as storage:
        assert set(all_containers()) <= {container.name for container in storage.list_containers()}


def test_second_supervisor_of_a_home_is_refused(stack: RunningStack) -> None:
    said = _refused(stack)
    assert f"already runs in {stack.home} (supervisor pid {stack.pid('supervisor')})" in said
    assert _serves(stack)


def test_taken_port_is_named_with_its_holder(stack: RunningStack) -> None:
    said = _refused(stack, FLOE_HOME=str(stack.home / "other"))
    assert f"Port {stack.environment['FLOE_PORT']} is taken by" in said
    assert f"(pid {stack.pid('host')})" in said
    assert "FLOE_PORT=" in said


def test_stack_file_is_current_after_a_kill_of_the_host(stack: RunningStack) -> None:
    killed = stack.kill("host")
    stack.wait_until(lambda: stack.pid("host") != killed, what="another host")
    stack.wait_until(lambda: _serves(stack), what="an answer")
    os.kill(stack.pid("host"), 0)


def test_killed_broker_is_back_at_its_port_with_its_messages(stack: RunningStack) -> None:
    before = stack.info["kafka_bootstrap"]
    put_message(stack, b"before the kill")
    killed = stack.kill("kafka")
    stack.wait_until(lambda: stack.pid("kafka") != killed, what="another broker")
    assert read_messages(stack, 1) == [b"before the kill"]
    assert stack.info["kafka_bootstrap"] == before


def test_killed_storage_is_back_with_its_containers(stack: RunningStack) -> None:
    killed = stack.kill("azurite")
    stack.wait_until(lambda: f"is back as pid {stack.pid('azurite')}" in stack.screen, what="storage")
    assert stack.pid("azurite") != killed
    stack.wait_until(lambda: _serves(stack), what="an answer")
