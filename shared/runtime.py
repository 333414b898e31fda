"""The composition root: builds each service once, when first asked for, and alone picks the adapters."""

from __future__ import annotations

from functools import cache

from shared.health.ports import Deployment, Facts
from shared.health.service import HealthService
from shared.platform import logs
from shared.platform.settings import Settings, load_settings


@cache
def settings() -> Settings:
    """The checked settings; logging follows them from here on."""
    loaded = load_settings()
    logs.configure(loaded.log_level)
    return loaded


@cache
def health() -> HealthService:
    """The health service, over probes of what this deployment rests on."""
    return HealthService((), _NothingMeasured(), Deployment(azure_configured=True, container_name=None))


class _NothingMeasured:
    async def read(self) -> Facts:
        return Facts()
