"""A client of the running stack."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.stack.running import RunningStack


@pytest.fixture
def http(stack: RunningStack) -> Iterator[httpx.Client]:
    """Requests to the shared stack."""
    with httpx.Client(base_url=stack.info["http_url"], timeout=30) as client:
        yield client
