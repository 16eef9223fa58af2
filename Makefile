# Everything runs in .venv, made from requirements.lock. `make` lists the targets.

PYTHON  ?= python3
PROFILE ?= demo
WORKERS ?= 4

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo ui picture test lint format lock clean-venv check-python

help: ## list the targets
	@echo "usage: make TARGET [PYTHON=python3.12] [PROFILE=demo] [WORKERS=4]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv and install the locked packages

demo: $(STAMP) ## bring a small synthetic shop through to its segments
	$(BIN)/segmentation run --profile demo

ui: $(STAMP) ## open the Dagster UI on PROFILE
	$(BIN)/segmentation ui --profile $(PROFILE)

picture: demo ## draw docs/images/dashboard.png anew from the demo (needs chromium)
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,960 \
		--screenshot=docs/images/dashboard.png file://$(CURDIR)/data/demo/reports/latest/dashboard.html

test: $(STAMP) ## run all tests in WORKERS processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(STAMP) ## check style, types and import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## rewrite the code in the agreed format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## write requirements.lock anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url \
		--no-header --all-extras --upgrade --quiet --output-file requirements.lock pyproject.toml

clean-venv: ## remove .venv
	rm -rf $(VENV)

check-python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "error: there is no command '$(PYTHON)'. Hint: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "error: Python 3.11 to 3.13 is needed, '$(PYTHON)' is `$(PYTHON) --version 2>&1`." \
		"Hint: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "error: '$(PYTHON)' cannot make virtual environments." \
		"Hint: on Debian and Ubuntu install python3-venv." >&2; exit 1; }

$(STAMP): requirements.lock pyproject.toml | check-python
	@test -x $(BIN)/python || { echo "making $(VENV)"; rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@echo "installing the packages of requirements.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
