# Hongyan: every target is one readable line or two; `make help` lists them.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.PHONY: help install demo run test lint lint-template test-all test-ends test-package test-nightly test-long torture clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

install: $(VENV)/.installed  ## make .venv with what the project runs on

$(VENV)/.pip: constraints.txt
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..." >&2
	@$(PYTHON) -m venv $(VENV) && $(PIP) install --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/.pip
	@echo "Installing what the project runs on ..." >&2
	@$(PIP) install --constraint constraints.txt '.[amqp,crypto,deploy,docs,metrics,redis]' && rm -rf build *.egg-info
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt $(VENV)/.installed
	@echo "Installing what the tests need (about a minute the first time) ..." >&2
	@$(PIP) install --constraint constraints.txt --group dev
	@touch $@

demo: $(VENV)/.installed  ## real requests through the webhook to the emulated cloud
	@$(BIN)/flask demo

run: $(VENV)/.installed  ## serve the webhook on loopback, on the emulated cloud
	@$(BIN)/flask run --port $(PORT)

test: $(VENV)/.installed-dev lint  ## lint, types, tests with branch coverage
	@$(BIN)/pytest --cov --cov-report=term

lint: $(VENV)/.installed-dev  ## ruff and mypy --strict
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy --no-error-summary

test-all: $(VENV)/.installed-nox  ## all tests on every Python from 3.10 to 3.13 that is here
	@$(BIN)/nox --sessions tests -- -m ""

lint-template: $(VENV)/.installed-nox  ## template.yaml by cfn-lint and SAM's translator, in an environment of their own
	@$(BIN)/nox --sessions template

test-ends: $(VENV)/.installed-nox  ## the tests but the slow ones on the oldest and the newest of them
	@$(BIN)/nox --sessions tests-3.10 tests-3.13

test-package: $(VENV)/.installed-dev  ## make the zips twice, and run events through what is in them
	@$(BIN)/python -m tests.package_run

test-long: $(VENV)/.installed-dev  ## brokers that are killed, networks that are cut, disks that are full, stops under load (minutes)
	@$(BIN)/pytest -q -m long

torture: $(VENV)/.installed-dev  ## kill workers while they work, on every transport, and judge what became of each message (minutes)
	@$(BIN)/python -m tests.torture $(TORTURE)

test-nightly: $(VENV)/.installed-dev  ## 100,000 examples of each scheme's property tests (an hour or two)
	@HYPOTHESIS_PROFILE=nightly $(BIN)/pytest tests/events/signatures -q --hypothesis-show-statistics

$(VENV)/.installed-nox: $(VENV)/.installed-dev
	@$(PIP) install --constraint constraints.txt --group nox
	@touch $@

clean:  ## remove what the targets made
	rm -rf $(VENV) .nox .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
