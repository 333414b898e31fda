"""The broker and the storage account that tests share."""

from __future__ import annotations

from devstack.provision import broker_answers


def test_broker_answers(kafka_bootstrap: str) -> None:
    assert broker_answers(kafka_bootstrap)


def test_storage_keeps_a_blob(storage_connection_string: str) -> None:
    from azure.storage.blob import ContainerClient

    with ContainerClient.from_connection_string(storage_connection_string, "shared-services") as container:
        container.create_container()
        container.upload_blob("a", b"1")
        assert container.download_blob("a").readall() == b"1"
