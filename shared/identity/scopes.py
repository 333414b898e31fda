"""What credentials may be good for: every scope that an operation asks for stands here."""

from __future__ import annotations

# Stands for all of them.
EVERYTHING = "*"

SCOPES: dict[str, str] = {
    "admin": "Make, list and revoke API keys; register users where registration is closed.",
    "anomalies:write": "Acknowledge anomalies.",
    "dead-letters:read": "See what could not become rows, byte for byte.",
    "dead-letters:write": "Put dead letters through again.",
    "events:read": "Find events, and what is made from them.",
    "events:write": "Send events.",
    "metrics:read": "Read the metrics.",
    "profile:read": "Read one's own profile.",
    "profile:write": "Change one's own profile, and log out.",
    "storage:read": "See files, buffers and the figures of storage.",
    "storage:write": "Flush, upload and clean up by hand.",
}

# What a registered user may do: own things only. Operations on own things add their scopes here.
USER_SCOPES: tuple[str, ...] = ("profile:read", "profile:write")
