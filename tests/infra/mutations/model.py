"""A mistake, and the files it may be made in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mistake: `old` becomes `new`, once, in `file`."""

    what: str
    file: str
    old: str
    new: str


MAIN = "main.bicep"
STORAGE = "modules/storage-account.bicep"
HUBS = "modules/event-hubs.bicep"
HUB = "modules/event-hub.bicep"
VAULT = "modules/key-vault.bicep"
APP = "modules/function-app.bicep"
ALERTS = "modules/alerts.bicep"
NETWORK = "modules/network.bicep"
ENDPOINT = "modules/private-endpoint.bicep"
MONITORING = "modules/monitoring.bicep"
PUBSUB = "modules/web-pubsub.bicep"
BUDGET = "modules/budget.bicep"
