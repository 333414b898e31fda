"""How librdkafka reaches the broker: plainly on the local stack, by OAUTHBEARER on Event Hubs."""

from __future__ import annotations

from typing import Any

from shared.platform.settings import Settings


def kafka_connection(settings: Settings) -> dict[str, Any]:
    """librdkafka's configuration of the broker that `settings` name."""
    if settings.kafka_bootstrap is not None:
        return {"bootstrap.servers": settings.kafka_bootstrap}
    namespace = settings.eventhub_namespace

    def token(_: str) -> tuple[str, float]:
        from shared.adapters.identity import credential

        issued = credential().get_token(f"https://{namespace}/.default")
        return issued.token, float(issued.expires_on)

    return {
        "bootstrap.servers": f"{namespace}:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "OAUTHBEARER",
        "oauth_cb": token,
    }
