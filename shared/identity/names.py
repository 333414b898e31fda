"""What usernames and email addresses look like."""

from __future__ import annotations

import re

USERNAME_FORM = r"^[A-Za-z0-9_.\-]{3,64}$"
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")


def valid_email(text: str) -> str:
    """`text` if it has the syntax of an email address; raises ValueError."""
    local, _, domain = text.rpartition("@")
    known = (
        len(text) <= 254 and len(local) <= 64 and _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain)
    )
    if not known:
        raise ValueError("Invalid email format")
    return text
