# `make run` and `make test` each do everything from a fresh clone: Python 3.11 and make are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-all check clean

# One thread: two are a third faster on two idle cores, and ten times slower as soon as anything else runs there,
# because small layers spend their time waiting for each other.
run: $(VENV)/installed
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/harness run --plugin lcsa --dataset digits --scale tiny --overwrite

# one test of each shape; every recipe of every method: make test-all
test: $(VENV)/installed
	$(BIN)/python -m pytest -n auto -m "not slow"

test-all: $(VENV)/installed
	$(BIN)/python -m pytest -n auto

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,offline]'
	touch $@

clean:
	rm -rf $(VENV) runs
