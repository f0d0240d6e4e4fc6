# Every task of the workspace. `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:

# Paths are relative, so that the checkout may lie anywhere, also in a folder with spaces.
BIN := .venv/bin
PHOTOCHANGER := $(BIN)/photochanger
# npm in the folder of the admins' app, with the Node the set-up found or fetched.
WEB_NPM := $(BIN)/python tools/setup/web.py npm
PYTEST_ARGS ?=
# More processes than this only compete for the servers they share.
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4

##@ Run it

.PHONY: demo
demo: setup ## Set up, start everything, send a portrait as a camera does, show where the picture is
	@$(PHOTOCHANGER) demo

.PHONY: up
up: setup ## Start the stack; returns when everything answers
	@$(PHOTOCHANGER) up

.PHONY: down
down: installed ## Stop the stack; data stays
	@$(PHOTOCHANGER) down

.PHONY: status
status: installed ## Show what runs, and what was restarted and why
	@$(PHOTOCHANGER) status || [ $$? -eq 3 ]

.PHONY: logs
logs: installed ## Show the ends of all logs (one of them, or following: photochanger logs NAME -f)
	@$(PHOTOCHANGER) logs

.PHONY: mock-providers
mock-providers: setup ## Run stand-ins of Gemini and Turbotext, and say how to use them; Ctrl-C ends them
	@$(BIN)/python -m photochanger_mockproviders --gemini-port 8090 --turbotext-port 8091 --how-to

.PHONY: doctor
doctor: installed ## Check this machine and say what to do
	@$(PHOTOCHANGER) doctor

.PHONY: clean
clean: installed ## Delete data, logs and passwords of the stack, after asking
	@$(PHOTOCHANGER) clean

##@ Work on it

.PHONY: web
web: installed ## Build the admins' app, as make setup does
	@$(BIN)/python tools/setup/web.py

.PHONY: web-dev
web-dev: installed ## Serve the sources of the admins' app, with the API of the stack that runs
	@$(WEB_NPM) run --silent dev

.PHONY: setup
setup: ## Make the environment, install dependencies, generate stubs, fetch models; nothing when done already
	@tools/setup/bootstrap

.PHONY: test
test: setup browser lint types proto test-web ## Everything that must be green: lint, types, protos, all tests
	@$(PYTEST) -q $(PYTEST_ARGS)

.PHONY: browser
browser: setup ## Find or install the Chromium that tests use
	@$(BIN)/python tools/setup/browser.py

.PHONY: test-unit
test-unit: setup ## The tests that need no server, in seconds
	@$(PYTEST) -q --ignore-glob='*/adapters/*' libs services tools $(PYTEST_ARGS)

.PHONY: test-web
test-web: installed ## The unit tests of the admins' app
	@$(WEB_NPM) run --silent test

.PHONY: test-minio
test-minio: setup ## Storage tests and one photo end to end against MinIO (MINIO_URL, or built with Go)
	@$(BIN)/python -m photochanger_devstack.testing.minio_check $(PYTEST_ARGS)

.PHONY: chaos
chaos: setup ## Kill everything under 2,000 tasks and check their history (CHAOS_SEED, CHAOS_TASKS, CHAOS_SECONDS)
	@PYTHONPATH=tests $(BIN)/python -m chaos

.PHONY: bench
bench: setup ## Measure the platform beside a bare one-process application
	@$(BIN)/python -m bench $(BENCH_ARGS)
BENCH_ARGS ?=

.PHONY: bench-tasks
bench-tasks: setup ## Measure the task engine beside procrastinate on the same PostgreSQL
	@$(BIN)/python -m bench.tasks $(BENCH_ARGS)

.PHONY: bench-statistics
bench-statistics: setup ## Measure statistics over a million jobs beside an aggregate over the jobs
	@$(BIN)/python -m bench.statistics $(BENCH_ARGS)

.PHONY: lint
lint: installed ## Style, formatting and the inward dependency rule
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo 'Run: make format' >&2; exit 1; }
	@$(BIN)/lint-imports --no-logo > .venv/.import-linter.log || { cat .venv/.import-linter.log >&2; exit 1; }
	@$(WEB_NPM) run --silent lint > .venv/.biome.log 2>&1 || { cat .venv/.biome.log >&2; exit 1; }
	@echo 'lint: ok'

.PHONY: format
format: installed ## Format the code and the protos
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/buf format --write
	@$(WEB_NPM) run --silent format

.PHONY: types
types: installed ## Check types
	@$(BIN)/mypy libs tools services/ingest services/media services/providers tests bench conftest.py
	@# By itself: its folder's name is no Python identifier, so its tests get the module names of the root.
	@$(BIN)/mypy services/admin-gateway
	@$(WEB_NPM) run --silent types

.PHONY: proto
proto: installed ## Lint and format of the protos, and that no client of the released ones breaks
	@$(BIN)/buf lint
	@$(BIN)/buf format --diff --exit-code
	@$(BIN)/buf breaking --against protos/released.json
	@echo 'proto: ok'

.PHONY: proto-release
proto-release: installed ## Make today's protos the released ones, which from now on may not break
	@$(BIN)/buf build --exclude-source-info -o protos/released.json
	@echo 'protos/released.json is written; commit it.'

.PHONY: docs
docs: installed ## Write docs/settings.md from the services' settings
	@$(BIN)/python tools/docs/settings_page.py

.PHONY: lock
lock: ## Resolve requirements.in into requirements.lock anew (needs uv or the network)
	@tools/setup/lock

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

.PHONY: installed
installed:
	@[ -x $(PHOTOCHANGER) ] || { echo 'This checkout is not set up yet. Run: make setup' >&2; exit 1; }
