"""Import time is cold-start time: what `import function_app` loads."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.architecture.imports import ROOT

HEAVY = {
    "pyarrow",
    "numpy",
    "deltalake",
    "confluent_kafka",
    "obstore",
    "pandas",
    "jwt",
    "argon2",
    "cryptography",
    "prometheus_client",
    "opentelemetry",
}
HEAVY_AZURE = ("azure.storage", "azure.identity", "azure.data", "azure.eventhub")


ENVIRONMENT = {"FLOE_STORAGE_ACCOUNT": "floetests", "FLOE_KAFKA_BOOTSTRAP": "127.0.0.1:9"}


def test_importing_the_index_loads_nothing_heavy() -> None:
    program = "import sys, json, function_app; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    assert "functions.http.health" in loaded
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    assert not [name for name in loaded if name.startswith(HEAVY_AZURE)]


def test_a_wrong_setting_stops_the_start_by_name() -> None:
    wrong = ENVIRONMENT | {"FLOE_FLUSH_MAX_ROWS": "many"}
    done = subprocess.run(
        [sys.executable, "-c", "import function_app"], cwd=ROOT, env=wrong, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "SettingsError: FLOE_FLUSH_MAX_ROWS is 'many': Input should be a valid integer" in " ".join(
        done.stderr.split()
    ).replace("shared.platform.errors.", "")
