"""Notices and generations in memory."""

from __future__ import annotations


class MemoryNotices:
    """Implements shared.ingest.ports.Notices."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str, str]] = []

    def post(self, kind: str, subject: str, message: str) -> None:
        self.posted.append((kind, subject, message))


class MemoryGenerations:
    """Implements shared.ingest.ports.Generations."""

    def __init__(self) -> None:
        self.newest: dict[str, str] = {}

    def seen(self, topic: str, generation: str) -> str | None:
        before = self.newest.get(topic)
        self.newest[topic] = generation
        return None if before == generation else before
