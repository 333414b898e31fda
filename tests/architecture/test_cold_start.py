"""Import time is cold-start time: what `import function_app` loads."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.architecture.imports import ROOT

HEAVY = {"pyarrow", "numpy", "deltalake", "confluent_kafka", "obstore", "pandas"}
HEAVY_AZURE = ("azure.storage", "azure.identity", "azure.data", "azure.eventhub")


def test_importing_the_index_loads_nothing_heavy() -> None:
    program = "import sys, json, function_app; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={}, capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    assert "functions.http.health" in loaded
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    assert not [name for name in loaded if name.startswith(HEAVY_AZURE)]


def test_the_index_needs_no_settings_to_be_imported() -> None:
    """Proved by the empty environment above; here: nothing of the app is built at import."""
    program = "import function_app; from shared import runtime; print(runtime.settings.cache_info().currsize)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"
