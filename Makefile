# Everything a fresh machine needs is made here: Python 3.11 or later, make and git are enough.
PYTHON ?= $(firstword $(wildcard $(foreach dir,$(subst :, ,$(PATH)),$(dir)/python3.11)) python3)
VENV   ?= .venv
FUZZ   ?= 60
BIN    := $(VENV)/bin
# A directory that PostgreSQL's user can get to.
CITUS_HOME ?= /var/tmp/inventory-citus

.PHONY: demo test citus lint bench torture fuzz lock wheel clean

demo: $(VENV)/.run                 ## the whole pipeline on sample history, then what to try next
	@$(BIN)/inventory demo

test: $(VENV)/.dev                 ## the whole test suite, on a real PostgreSQL of its own
	$(BIN)/python -m pytest -n logical --dist worksteal

citus: $(VENV)/.dev                ## the main path on a Citus cluster of its own (needs citus.so installed)
	INVENTORY_TEST_CITUS_URL="$$($(BIN)/python -m tests.citus.cluster start $(CITUS_HOME))" \
		$(BIN)/python -m pytest tests/citus; \
	status=$$?; $(BIN)/python -m tests.citus.cluster stop $(CITUS_HOME); exit $$status

lint: $(VENV)/.dev                 ## style, types and import floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.dev                ## ratios against PostgreSQL itself, in one run
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.receiver

torture: $(VENV)/.dev              ## 200 kills of everything under load, and what was kept
	nice $(BIN)/python -m tests.torture

fuzz:                              ## FUZZ seconds of bytes that nobody thought of, guided by coverage
	@$(MAKE) --no-print-directory VENV=$(VENV)-fuzz $(VENV)-fuzz/.fuzz
	$(VENV)-fuzz/bin/python -m tests.hostile.fuzz $(FUZZ)

wheel: $(VENV)/.dev                ## dist/inventory-*.whl
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

lock:                              ## renew all lock files (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group build --upgrade pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group build --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group fuzz -c requirements-dev.txt -o requirements-fuzz.txt

clean:
	rm -rf $(VENV) $(VENV)-fuzz dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.run: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev requirements-fuzz.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	@touch $@
