"""Passwords, known as argon2id hashes only."""

from __future__ import annotations

from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


@dataclass(frozen=True, slots=True)
class HashCost:
    """What a hash costs: 19 MiB and about 40 ms of one core as it stands, which OWASP names as the least."""

    memory_kib: int = 19_456
    rounds: int = 2


class Passwords:
    """Hashes and compares; each call holds the memory of its cost: the caller bounds how many run at once."""

    def __init__(self, cost: HashCost | None = None) -> None:
        cost = cost or HashCost()
        self._hasher = PasswordHasher(time_cost=cost.rounds, memory_cost=cost.memory_kib, parallelism=1)
        self._of_nobody = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """The hash, with its salt and cost."""
        return self._hasher.hash(password)

    def verify(self, hashed: str | None, password: str) -> bool:
        """Whether `password` is the one; None, for a user who does not exist, takes as long and is False."""
        try:
            self._hasher.verify(hashed or self._of_nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether it was made at another cost than is asked for now."""
        return self._hasher.check_needs_rehash(hashed)
