# make run | test | test-slow | lint | bench: each sets up what it needs in .venv.
PYTHON ?= python3
APP ?= tagger
BIN := .venv/bin

export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help run test test-slow lint format api bench clean

help:
	@echo "make run        train, evaluate, export and try an app's quick preset (APP=tagger)"
	@echo "make test       the fast tests: at most 10 minutes on two cores"
	@echo "make test-slow  jit, JAX, exports and kill tests: at most 35 minutes"
	@echo "make lint       style, and who may import whom"
	@echo "make format     put the style right"
	@echo "make api        write docs/api.md from the docstrings"
	@echo "make bench      speed of layers, side by side"
	@echo "make clean      remove .venv and caches; runs/ stays"

.venv/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit("seqkit needs Python 3.11 or newer, this is %d.%d; say which with: make PYTHON=python3.11 ..." % v)'
	$(PYTHON) -m venv .venv
	touch $@

.venv/apps: .venv/python setup.cfg constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[apps]'
	touch $@

.venv/test: .venv/apps
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[apps,test]'
	touch $@

.venv/jax: .venv/test
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[apps,test,jax]'
	touch $@

run: .venv/apps
	$(BIN)/python -m apps.common.quickstart $(APP)

test: .venv/test
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

test-slow: .venv/jax
	$(BIN)/python -m pytest -m slow -n 2 --dist loadfile --no-loadscope-reorder --durations 12 \
		tests/test_under_jax.py tests/test_contract.py tests

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: .venv/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

api: .venv/apps
	$(BIN)/python -m docs.api

bench: .venv/apps
	$(BIN)/python -m benchmarks.recurrent
	$(BIN)/python -m benchmarks.crf
	$(BIN)/python -m benchmarks.tagger
	$(BIN)/python -m benchmarks.translator
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.decoding

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
