# The few verbs of this project. Needs Python >= 3.11 and make; uv is used where it is installed.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv)
INSTALL = $(if $(UV),uv pip install --compile-bytecode --python $(BIN)/python,$(BIN)/python -m pip install) --quiet

# one more than there are cores: some tests wait most of their time
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.PHONY: run test test-scale bench bench-scale faults check ui docs lock samples clean

run: .venv/run ## take in the exports, publish the warehouse, print the indicators
	@$(BIN)/kcc run

test: .venv/dev $(if $(KCC_REQUIRE_ALL),.venv-bench/made) ## every test that this machine can run, but for those of test-scale
	$(BIN)/python -m pytest --ignore=tests/scale --numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder

test-scale: .venv-scale/made ## many cities in one lake, with DuckDB's extensions and a PostgreSQL
	.venv-scale/bin/python -m pytest --numprocesses $(WORKERS) --dist load tests/scale

bench: .venv/run .venv-bench/made ## what a night costs beside DuckDB, pandas, dbt and an empty run; BENCH=--quick: does it run
	@$(BIN)/python -m bench.nights $(BENCH)

bench-scale: .venv-scale/made ## many cities in one lake: workers that are killed, what a night costs; BENCH=--quick: does it run
	@.venv-scale/bin/python -m bench.lake $(BENCH)

faults: .venv/dev ## what a night must survive (kills, full disks, neighbours), at length: half an hour and more
	$(BIN)/python -m tests.faults

check: .venv/dev ## style, types, SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 0 sql

ui: .venv/run ## the Dagster UI on http://localhost:3000 (it has no login, so it listens here only)
	DAGSTER_HOME="$(CURDIR)" $(BIN)/dagster dev --host 127.0.0.1 --port 3000

docs: .venv/dev ## write what is generated anew: data dictionary, answers for analysts, the asset graph
	$(BIN)/python -m pytest --quiet --accept tests/test_docs.py tests/test_analysts.py tests/pipelines/test_location.py

lock: ## compile the locked requirements again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras \
		--constraint constraints.txt --extra build pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras \
		--extra build --extra postgres --constraint constraints.txt --constraint requirements.txt pyproject.toml -o requirements-postgres.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras \
		--extra build --extra dev --extra postgres --constraint constraints.txt --constraint requirements-postgres.txt pyproject.toml \
		-o requirements-dev.txt
	cp requirements-postgres.txt requirements-ducklake.txt # uv keeps the versions that it finds there, but for DuckDB's
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras \
		--extra build --extra postgres --extra ducklake pyproject.toml -o requirements-ducklake.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras \
		--constraint constraints.txt bench/requirements.in -o bench/requirements.txt

samples: ## write the synthetic sample exports again, byte for byte the same
	$(PYTHON) sample_exports/make_samples.py

clean: ## forget everything that was made here: environment, Dagster's history, the warehouse in data/
	rm -rf .venv .venv-bench .venv-scale .dagster data

.venv/run: requirements.txt pyproject.toml | .venv
	$(INSTALL) --require-hashes -r requirements.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q assets pipelines schemas # an editable install compiles none of these
	@touch $@

.venv/dev: requirements-dev.txt .venv/run
	$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

.venv-bench/made: BIN := .venv-bench/bin
.venv-bench/made: bench/requirements.txt
	$(PYTHON) -m venv .venv-bench
	$(INSTALL) --require-hashes -r bench/requirements.txt
	@touch $@

.venv-scale/made: BIN := .venv-scale/bin
.venv-scale/made: requirements-dev.txt requirements-ducklake.txt pyproject.toml
	$(PYTHON) -m venv .venv-scale
	$(INSTALL) --require-hashes -r requirements-dev.txt
	$(INSTALL) --require-hashes -r requirements-ducklake.txt # the DuckDB for which the extensions are built
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kcc-marts needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
