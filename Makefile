# Everything a fresh machine needs is Python >= 3.11 with venv, and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup demo test check rules shows mutants simulate matrix sweep shift attack bench pictures lock clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "station needs Python >= 3.11, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/station demo $(ARGS)

test: $(STAMP) check
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests
	$(BIN)/lint-imports --no-cache > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }

rules: $(STAMP)
	$(BIN)/python -m tests.house.rules

shows: $(STAMP)
	$(BIN)/python -m tests.house.shown

mutants: $(STAMP)
	$(BIN)/python -m tests.house.mutants $(ARGS)

simulate: $(STAMP)
	PYTHONPATH=tests $(BIN)/python -m simulation --seeds $(or $(SEEDS),200) --start $(or $(FROM),1) $(ARGS)

matrix: $(STAMP)
	PYTHONPATH=tests $(BIN)/python -m matrix $(ARGS)

sweep: $(STAMP)
	PYTHONPATH=tests $(BIN)/python -m sweep $(ARGS)

shift: $(STAMP)
	PYTHONPATH=tests $(BIN)/python -m shift $(ARGS)

attack: $(STAMP)
	STATION_ATTACK=$(or $(TIMES),20) $(BIN)/python -m pytest -q -p no:xdist tests/drivers/devices/test_write_guard_everywhere.py \
	  tests/drivers/devices/test_update_attack.py tests/line/test_line_write_guard.py $(ARGS)

bench: $(STAMP)
	TMPDIR=$${TMPDIR:-/tmp} $(BIN)/python -m pytest tests/bench -o python_files='bench_*.py' -p no:xdist -q $(ARGS)

pictures: $(STAMP)
	PYTHONPATH=tests $(BIN)/python -m support.pictures $(ARGS)

lock: $(STAMP)
	test -x $(BIN)/pip-compile || $(BIN)/python -m pip install --quiet --disable-pip-version-check pip-tools
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --no-header --extra dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist
