# Every target sets up what it needs; nothing has to be installed by hand beyond what `make help` names.
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run test check check-infra infra-schemas package smoke demo bench bench-anomalies clean docs screenshots key lock setup

help:  ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'
	@echo
	@echo "Needs: Python 3.13 (uv or pyenv), Node 20 and npm; Java 17 and Maven for a durable broker."

$(STAMP): requirements-dev.txt .python-version scripts/find-python
	@echo "setup: Python environment in $(VENV)"
	@python="$$(scripts/find-python)" && "$$python" -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(STAMP)  ## Install the Python environment and the local stack's tools (Azurite, Kafka)
	@$(PY) -m devstack.tools

run: $(STAMP)  ## Start Azurite, Kafka and the function app in the foreground
	@exec $(PY) -m devstack

test: $(STAMP)  ## Run every test
	@$(PY) -m devstack.tools --for-tests
	@$(PY) -m pytest -n $$(( $$(nproc) + 1 )) --dist loadgroup

check: setup  ## Lint, types, dependency rules, docs and OpenAPI in step with the code
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m pytest tests/architecture

check-infra: $(STAMP)  ## Read, evaluate and check the Bicep files against Azure's schemas and the code
	@$(PY) -m scripts.check_infra

package: setup  ## Write dist/floe.zip for Azure: the app and its dependencies (ARGS=--installed: without a network)
	@$(PY) -m scripts.package $(ARGS)

smoke: $(STAMP)  ## Try a deployment: send, wait, read back, compare, clean up (URL=https://… KEY=floe_…)
	@exec $(PY) -m scripts.smoke --url "$(URL)" --key "$(KEY)" $(ARGS)

infra-schemas:  ## Take Azure's schemas anew out of msmcp-azure (AZMCP=path/to/azmcp)
	@$(PY) -m scripts.check_infra.extract_schemas $(AZMCP)

demo: $(STAMP)  ## Replay real series through the stack and compare what comes out (ARGS=--help)
	@exec $(PY) -m devstack.demo $(ARGS)

bench: setup  ## Measure the design's goals on this machine, side by side with a hand-written consumer
	@exec $(PY) -m bench $(ARGS)

bench-anomalies: $(STAMP)  ## Score the anomaly detector on labelled series (DATA=<folder> OUT=<folder>)
	@exec $(PY) -m bench.anomalies $(if $(DATA),--data $(DATA)) --out $(or $(OUT),bench/results/anomalies)

docs: $(STAMP)  ## Write docs/openapi.json, docs/metrics.md, docs/settings.md and local.settings.example.json from the code
	@$(PY) -m scripts.write_docs

screenshots: $(STAMP)  ## Picture the dashboard of the running stack for docs/images (ARGS=--help)
	@$(PY) -m devstack.tools --for-tests
	@exec $(PY) -m scripts.screenshots $(ARGS)

lock: $(STAMP)  ## Pin all dependencies anew from pyproject.toml
	@$(VENV)/bin/uv pip compile pyproject.toml --quiet --python-version 3.13 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" -o requirements.txt
	@$(VENV)/bin/uv pip compile pyproject.toml --quiet --group stack --group dev --python-version 3.13 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" -o requirements-dev.txt

key: $(STAMP)  ## Make an API key straight in storage: ARGS="--name x --scopes events:write --stack .floe"
	@$(PY) -m scripts.create_key $(ARGS)

clean:  ## Remove the environment, the tools, caches and the local stack's state
	@rm -rf $(VENV) .tools .floe dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache functions/http/static
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
