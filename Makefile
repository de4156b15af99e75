# Everything lives in this folder: .venv (tools and tests), .local/emulator and .local/sam (each
# in an environment of its own, because their dependencies disagree), .local (state of the stack).
# Needs python3 >= 3.11 with venv, make and git. Another interpreter: make up PYTHON=python3.13

PYTHON ?= python3
SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN := .venv/bin
# Layers with a makefile build call python3 and pip: they must be the project's own.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.local/sam/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

DEV := .venv/.installed
EMULATOR := .local/emulator/.requirements
SAM := .local/sam/.requirements

.PHONY: help demo up down test test-fast test-deep soak lint fmt bench build deploy lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(DEV) $(EMULATOR) $(SAM) ## Start everything here, play a scripted day through every channel, show the cases
	@$(BIN)/caseweave demo

up: $(DEV) $(EMULATOR) $(SAM) ## Start the local cloud, build and deploy, print the addresses
	@$(BIN)/caseweave up

down: $(DEV) ## Stop what `make up` started
	@$(BIN)/caseweave down

test: lint $(EMULATOR) ## Run every check and every test, those on the deployed local stack too
	@$(BIN)/pytest -n 2 -m "not stack"
	@$(BIN)/pytest -m stack

test-fast: $(DEV) ## Run the tests that need no stack
	@$(BIN)/pytest -n 2 -m "not stack"

test-deep: $(DEV) ## Look ten times as far with the slow property tests; before a release
	@CASEWEAVE_DEPTH=10 $(BIN)/pytest -n 2 -m "not stack" tests/usecases

soak: $(DEV) $(EMULATOR) $(SAM) ## Let 16 writers at the local cloud for MINUTES=2 and audit every record; not in `make test`
	@CASEWEAVE_SOAK_MINUTES=$(or $(MINUTES),2) $(BIN)/pytest -m soak -s tests/soak

lint: $(DEV) $(SAM) ## Check style, types, configuration and templates
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/caseweave config check
	@.local/sam/bin/sam validate --lint --region us-east-1
	@.local/sam/bin/cfn-lint infra/*.yaml

fmt: $(DEV) ## Put the code into the house format
	@$(BIN)/ruff check --fix --quiet --exit-zero
	@$(BIN)/ruff format

bench: $(DEV) $(EMULATOR) $(SAM) ## Measure against the budgets
	@$(BIN)/python -m bench

build: $(DEV) $(SAM) ## Check the configuration and build for AWS
	@$(BIN)/caseweave config check
	@sam build

deploy: build ## Build and deploy to the AWS account of your credentials
	@sam deploy

lock: $(DEV) ## Pin all requirements again (UPGRADE=1: to the newest allowed)
	@$(COMPILE) --no-deps requirements/vendor.in --output-file layers/vendor/requirements.txt
	@$(COMPILE) --no-deps requirements/imaging.in --output-file layers/imaging/requirements.txt
	@for set in dev emulator sam; do \
	  echo "==> requirements/$$set.txt"; \
	  $(COMPILE) requirements/$$set.in --output-file requirements/$$set.txt || exit 1; \
	done

clean: ## Stop the stack and delete everything that was built or installed here
	@if [ -x $(BIN)/caseweave ]; then $(BIN)/caseweave down; fi
	rm -rf .venv .local .aws-sam .build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One file for every Python from 3.11 on and every platform, without the address of any index.
COMPILE = $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 \
  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

# $(call environment,folder,requirements,what it is for)
define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "Caseweave needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
  echo "Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
@echo "==> Installing $(3) into $(1) (once; about a minute)"
@$(PYTHON) -m venv --clear $(1)
@$(1)/bin/python -m pip install -qq --require-hashes --no-deps -r $(2)
@touch $@
endef

.venv/.requirements: requirements/dev.txt
	$(call environment,.venv,$<,the tools of the project)

.venv/.installed: .venv/.requirements pyproject.toml
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

.local/emulator/.requirements: requirements/emulator.txt
	$(call environment,.local/emulator,$<,the local cloud)

.local/sam/.requirements: requirements/sam.txt
	$(call environment,.local/sam,$<,the SAM command line)
