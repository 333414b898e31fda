"""Where a request comes from, for limits on clients that are not known otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address

UNKNOWN = "unknown"


def client_address(headers: Mapping[str, str], proxy_hops: int = 0) -> str:
    """The address that the platform's front end saw, the last in `X-Forwarded-For` but `proxy_hops`.

    What stands before it is the client's own word. An IPv6 address counts as its /64, which is what one
    client has. The local stack sets no header, and everybody is `unknown` there.
    """
    seen = headers.get("x-forwarded-for", "").split(",")
    if len(seen) <= proxy_hops:
        return UNKNOWN
    last = seen[-1 - proxy_hops].strip()
    host = last[1:].partition("]")[0] if last.startswith("[") else last
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
