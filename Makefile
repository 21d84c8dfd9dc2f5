# Each target sets up its own environment, so that each works alone in a fresh clone.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CONSTRAINTS := -c constraints.txt

.PHONY: demo test test-ray lint docs notebook model clean

demo: $(VENV)/demo.stamp  ## the main job on real text: prints a table, writes a report
	$(BIN)/bertopic-matryoshka demo --out demo

test: $(VENV)/dev.stamp lint  ## lint, types and all tests
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

test-ray: $(VENV)/ray.stamp  ## fits on several machines, with worker processes; installs Ray
	$(BIN)/python -m pytest tests/distributed/test_ray.py

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	test ! -x $(BIN)/lint-imports || $(BIN)/lint-imports  # from Python 3.11 on

docs: $(VENV)/docs.stamp
	$(BIN)/mkdocs build --strict

notebook: $(VENV)/notebook.stamp  ## runs the notebook again and stores what it shows; needs Chrome
	$(BIN)/python scripts/run_notebook.py examples/first_ten_minutes.ipynb

model: $(VENV)/model.stamp  ## builds the bundled model again: make model TEACHER=... WORDNET=...
	$(BIN)/python scripts/build_default_model.py --teacher $(TEACHER) --wordnet $(WORDNET)

clean:
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .pytest_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: EXTRAS = cli
$(VENV)/dev.stamp: EXTRAS = dev
$(VENV)/docs.stamp: EXTRAS = docs
$(VENV)/notebook.stamp: EXTRAS = notebook,png
$(VENV)/ray.stamp: EXTRAS = dev,ray
$(VENV)/model.stamp: EXTRAS = build-model
$(VENV)/%.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet $(CONSTRAINTS) --editable ".[$(EXTRAS)]"
	touch $@
