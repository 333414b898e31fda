"""Who a host is to brokers and storage: the same one again after a restart on the same address."""

import socket
import uuid


def host_identity(url: str) -> str:
    """From the address that the host listens on, which no two living hosts share.

    So a host that was killed and started again takes up its lease and its partitions at once, instead of
    waiting until its own ghost has timed out.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{socket.gethostname()} {url}"))
