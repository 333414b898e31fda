"""Output bindings: what functions send to queues, as `$return` or by an output parameter."""

import json
import logging
from collections.abc import Iterable

from azure.core.exceptions import AzureError

from devstack.host.bindings import Binding, Function
from devstack.host.protos import InvocationResponse, TypedData
from devstack.host.storage import Storage, encode_message, send_text

log = logging.getLogger(__name__)


class Outputs:
    """Writes what an invocation put out."""

    def __init__(self, storage: Storage, base64_encoded: bool) -> None:
        self._storage = storage
        self._base64 = base64_encoded

    async def write(self, function: Function, response: InvocationResponse) -> bool:
        """Send everything; False (logged) when something could not be sent, which fails the invocation."""
        try:
            for binding, value in _queue_outputs(function, response):
                await self._send(binding, value)
        except (AzureError, ValueError) as error:
            log.error("%s: an output could not be written: %s", function.name, error)
            return False
        return True

    async def _send(self, binding: Binding, value: TypedData) -> None:
        queue = self._storage.queue(binding.text("queueName"), binding.text("connection"))
        for body in _message_bodies(value):
            await self._storage.run(send_text, queue, encode_message(body, self._base64))


def _queue_outputs(function: Function, response: InvocationResponse) -> Iterable[tuple[Binding, TypedData]]:
    if not any(binding.type == "queue" for binding in function.outputs.values()):
        return
    values = {output.name: output.data for output in response.output_data} | {
        "$return": response.return_value
    }
    for name, value in values.items():
        binding = function.outputs.get(name)
        if binding is not None and binding.type == "queue" and value is not None:
            yield binding, value


def _message_bodies(value: TypedData) -> Iterable[bytes]:
    """One body an item; the SDK's QueueMessage comes as `{"id": …, "body": …}`."""
    kind = value.WhichOneof("data")
    if kind == "bytes":
        return [value.bytes]
    if kind == "string":
        return [value.string.encode()]
    content = json.loads(value.json)
    return map(_item_body, content if isinstance(content, list) else [content])


def _item_body(item: object) -> bytes:
    if isinstance(item, dict) and item.keys() == {"id", "body"}:
        item = item["body"]
    return (item if isinstance(item, str) else json.dumps(item)).encode()
