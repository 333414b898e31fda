"""Bicep's functions, as far as this project calls them."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
TENANT = "11111111-1111-1111-1111-111111111111"
ENVIRONMENT = {"suffixes": {"storage": "core.windows.net", "keyvaultDns": ".vault.azure.net"}}


def unique_string(*parts: str) -> str:
    """Thirteen letters and digits that depend on the parts; other ones than Azure's."""
    digest = hashlib.sha256("|".join(parts).encode()).hexdigest()
    return "u" + digest[:12]


def union(*given: Any) -> Any:
    """Objects merged, the later one's values first; arrays without what repeats."""
    if all(isinstance(one, list) for one in given):
        flat = flatten(given)
        return [one for i, one in enumerate(flat) if one not in flat[:i]]
    merged: dict[str, Any] = {}
    for one in given:
        for key, value in one.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = union(merged[key], value) if both else value
    return merged


def flatten(of: Iterable[list[Any]]) -> list[Any]:
    """The items of all the arrays."""
    return [item for one in of for item in one]


def cidr_subnet(network: str, length: int, index: int) -> str:
    """The range of `length` bits that is `index`th in `network`; raises ValueError where there is none."""
    subnets = list(ipaddress.ip_network(network).subnets(new_prefix=length))
    if index >= len(subnets):
        raise ValueError(f"{network} has no {index + 1} ranges of /{length}")
    return str(subnets[index])


def items(of: dict[str, Any]) -> list[dict[str, Any]]:
    """Keys and values, in the keys' order."""
    return [{"key": key, "value": of[key]} for key in sorted(of)]


def utc_now(form: str = "yyyy-MM-ddTHH:mm:ssZ") -> str:
    """Now, in one of .NET's forms."""
    for net, python in (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S")):
        form = form.replace(net, python)
    return datetime.now(UTC).strftime(form)


def subscription_resource_id(kind: str, *names: str) -> str:
    """The id of something that belongs to the subscription."""
    return f"{SUBSCRIPTION}/providers/{kind}/{'/'.join(names)}"


def as_boolean(given: Any) -> bool:
    """`true` or `false`, from text; raises ValueError."""
    if str(given).lower() not in ("true", "false"):
        raise ValueError(f"{given!r} is neither true nor false")
    return str(given).lower() == "true"


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "bool": as_boolean,
    "cidrSubnet": cidr_subnet,
    "concat": lambda *given: flatten(given) if isinstance(given[0], list) else "".join(map(str, given)),
    "contains": lambda of, what: what in of,
    "empty": lambda of: not of,
    "environment": lambda: ENVIRONMENT,
    "filter": lambda of, keep: [one for one in of if keep(one)],
    "first": lambda of: of[0],
    "flatten": flatten,
    "guid": lambda *parts: str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(parts))),
    "int": int,
    "items": items,
    "json": json.loads,
    "length": len,
    "map": lambda of, made: [made(one) for one in of],
    "max": max,
    "min": min,
    "range": lambda first, count: list(range(first, first + count)),
    "replace": lambda text, old, new: text.replace(old, new),
    "split": lambda text, mark: text.split(mark),
    "string": str,
    "subscription": lambda: {"id": SUBSCRIPTION, "tenantId": TENANT},
    "subscriptionResourceId": subscription_resource_id,
    "take": lambda of, count: of[:count],
    "tenant": lambda: {"tenantId": TENANT},
    "toLower": lambda text: text.lower(),
    "toUpper": lambda text: text.upper(),
    "union": union,
    "uniqueString": unique_string,
    "utcNow": utc_now,
}
# Those that the evaluation answers itself, for they depend on where they are called.
IN_PLACE = ("loadJsonContent", "readEnvironmentVariable", "resourceGroup")
