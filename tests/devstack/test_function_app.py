"""What the function app is started with."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack.function_app import HIGH_LIMITS, FunctionApp, Wiring
from devstack.home import sha256_hex
from shared.platform.settings import Settings

WIRING = Wiring("storage", "127.0.0.1:1", broker_volatile=True, admin_key="key")
APP = Path("/app")


def test_app_gets_its_wiring_and_local_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLOE_AUTH", "FLOE_FLUSH_SCHEDULE", "FLOE_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    environment = FunctionApp(APP, 7071, WIRING).environment()
    expected = {
        "AzureWebJobsStorage": "storage",
        "FLOE_STORAGE_CONNECTION_STRING": "storage",
        "FLOE_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "FLOE_BROKER_VOLATILE": "true",
        "FLOE_ADMIN_KEY_SHA256": sha256_hex("key"),
        "FLOE_AUTH": "local",
        "FLOE_ENVIRONMENT": "local",
        "FLOE_FLUSH_SCHEDULE": "*/10 * * * * *",
    }
    assert expected.items() <= environment.items()
    assert "Endpoint=sb://" in environment["EventHubConnection"]


def test_users_settings_win_over_the_defaults_but_not_over_the_wiring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLOE_AUTH", "required")
    monkeypatch.setenv("FLOE_MAX_BATCH_EVENTS", "5")
    monkeypatch.setenv("FLOE_KAFKA_BOOTSTRAP", "elsewhere:9092")
    monkeypatch.setenv("FLOE_STORAGE_ACCOUNT", "elsewhere")
    environment = FunctionApp(APP, 7071, WIRING).environment()
    assert (environment["FLOE_AUTH"], environment["FLOE_MAX_BATCH_EVENTS"]) == ("required", "5")
    assert environment["FLOE_KAFKA_BOOTSTRAP"] == "127.0.0.1:1"
    assert "FLOE_STORAGE_ACCOUNT" not in environment


def test_core_tools_run_the_app_at_the_port() -> None:
    command = FunctionApp(APP, 7071, WIRING, "func").command()
    assert command == ["func", "start", "--script-root", "/app", "--port", "7071"]


def test_core_tools_may_send_to_a_real_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_EVENTHUB_NAMESPACE", "real.servicebus.windows.net")
    monkeypatch.setenv("EventHubConnection", "real")
    environment = FunctionApp(APP, 7071, WIRING, "func").environment()
    assert environment["EventHubConnection"] == "real"
    assert "FLOE_KAFKA_BOOTSTRAP" not in environment


def test_host_is_ready_when_it_says_so() -> None:
    app = FunctionApp(APP, 7071, WIRING)
    assert not app.answers("host ready soon\n")
    assert app.answers("starting\nhost ready http://127.0.0.1:7072/\n")
    assert app.url == "http://127.0.0.1:7072"


def test_every_rate_limit_is_high_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {name for name in Settings.model_fields if name.startswith("rate_")} - {"rate_accounts"}
    assert set(HIGH_LIMITS) == {"API_RATE_LIMIT"} | {f"FLOE_{name.upper()}" for name in counts}
    monkeypatch.setenv("API_RATE_LIMIT", "5")
    environment = FunctionApp(APP, 7071, WIRING).environment()
    assert environment["API_RATE_LIMIT"] == "5"
    assert environment["FLOE_RATE_AUTH"] == HIGH_LIMITS["FLOE_RATE_AUTH"]
