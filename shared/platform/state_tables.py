"""The tables of mutable state, and the queues. A new one is a new line here; the local stack makes what is
missing."""

from __future__ import annotations

USERS = "users"
USER_CLAIMS = "userclaims"
API_KEYS = "apikeys"
SIGNING_KEYS = "signingkeys"
REFRESH_FAMILIES = "refreshfamilies"
REVOCATIONS = "revocations"
LOGIN_ATTEMPTS = "loginattempts"
RATE_LIMITS = "ratelimits"
JOBS = "jobs"
METRICS = "metrics"
ANOMALIES = "anomalies"
ANOMALY_CLAIMS = "anomalyclaims"

STATE_TABLES: tuple[str, ...] = (
    USERS,
    USER_CLAIMS,
    API_KEYS,
    SIGNING_KEYS,
    REFRESH_FAMILIES,
    REVOCATIONS,
    LOGIN_ATTEMPTS,
    RATE_LIMITS,
    JOBS,
    METRICS,
    ANOMALIES,
    ANOMALY_CLAIMS,
)

# Tables whose rows carry `expires_at` and are of no use after it.
EXPIRING_TABLES: tuple[str, ...] = (
    SIGNING_KEYS,
    REFRESH_FAMILIES,
    REVOCATIONS,
    LOGIN_ATTEMPTS,
    RATE_LIMITS,
    JOBS,
    ANOMALIES,
    ANOMALY_CLAIMS,
)

# Where messages that could not be handled end is the trigger's choice: `-poison` after the queue's name.
JOBS_QUEUE = "jobs"
JOBS_POISON_QUEUE = f"{JOBS_QUEUE}-poison"
QUEUES: tuple[str, ...] = (JOBS_QUEUE, JOBS_POISON_QUEUE)
# The app setting that says how queue triggers reach the account of QUEUES.
QUEUE_CONNECTION = "FloeStorage"
