"""The settings, checked once."""

from __future__ import annotations

from functools import cache

from shared.platform import logs
from shared.platform.settings import Settings, load_settings


@cache
def settings() -> Settings:
    """The checked settings; logging follows them from here on."""
    loaded = load_settings()
    logs.configure(loaded.log_level, loaded.instance_id)
    return loaded
