# Everything that a newcomer, a developer and CI do: `make run` and `make test` set up what they need.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WEB := src/diascope/access/web/index.html
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/build/*' 2>/dev/null)
PORT ?= 8400

.PHONY: run test test-newest check conformance benchmark web judges setup help

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

run: $(VENV)/installed $(WEB) ## Serve DATA=folder, or a generated sample
	@test -n "$(DATA)" || $(BIN)/diascope sample sample
	$(BIN)/diascope serve $(if $(DATA),"$(DATA)",sample) --port $(PORT)

test: check judges $(WEB) ## Lint, type-check, and run the whole suite with every judge that can be had
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

check: $(VENV)/installed-for-tests $(WEB) ## Lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	cd web && npm run --silent types && npm run --silent lint && npm test --silent

test-newest: $(WEB) ## The suite on the newest Python of this machine
	tests/judges/newest_python.sh

conformance: judges $(WEB) ## Every outside judge on every representation, with broken twins
	$(BIN)/python -m tests.conformance

benchmark: $(VENV)/installed-for-tests ## Server CPU a request beside other servers, and what starting takes
	PYTHON=$(BIN)/python benchmarks/servers/install.sh
	$(BIN)/python -m benchmarks.servers
	$(BIN)/python benchmarks/startup.py

web: $(WEB) ## Build the web application

judges: $(VENV)/installed-for-tests ## Install the outside programs that judge what is served
	tests/judges/install.sh $(BIN)

setup: $(VENV)/installed-for-tests $(WEB) ## What a developer needs
	$(BIN)/pre-commit install

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-for-tests: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $(VENV)/installed $@

$(WEB): $(WEB_SOURCES)
	cd web && npm ci --no-audit --no-fund && npm run build
	touch $@
