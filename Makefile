PYTHON ?= python3
PORT ?= 8000
SERVE ?= 1
HOURS ?= 3,9,15,21
ORDER =
DEMO_SEASON = opsdb/reference/samples/season_2026A.yaml
DEMO_USER = admin

BIN = .venv/bin
MANAGE = $(BIN)/python manage.py
EXTRAS = .[dev,docs,embedded,project,server]
# Most of what is installed is never imported: what is, is compiled then.
PIP = -m pip install --quiet --disable-pip-version-check --no-compile
# The tests' server ends with the command that started it, but keeps the migrated database for the next.
export TESTS_SERVER = .opsdb-tests
TIDY = $(BIN)/python -m opsdb.embedded status --folder $(TESTS_SERVER) >/dev/null 2>&1 || \
  trap '$(BIN)/python -m opsdb.embedded stop --keep --folder $(TESTS_SERVER) >/dev/null' EXIT

# Where uv can't, such as behind an index that only pip is told of, pip installs the same, in several times the time.
install = $(1)/python $(PIP) $(2) uv && $(1)/uv pip install --quiet --python $(1)/python $(2) --editable '$(EXTRAS)' || \
  $(1)/python $(PIP) $(2) --editable '$(EXTRAS)'

# Written bytecode spares every worker and every command the compiling, whatever the environment sets.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test test-newest test-clock test-clock-newest soak lint docs migrations constraints clean
.NOTPARALLEL:
.SILENT:

.venv/made: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "ops-db needs Python 3.11 or newer, and $(PYTHON) is not: run make PYTHON=python3.11" >&2; exit 1; }
	test ! -L .venv || { echo ".venv is a link: what it leads to is not cleared; remove the link" >&2; exit 1; }
	echo "Installing into .venv"
	$(PYTHON) -m venv --clear .venv
	$(call install,.venv/bin,--constraint constraints.txt)
	touch $@

# Without constraints: the newest versions that there are.
.venv-newest/made: pyproject.toml
	python=$$(.ci/newest-python) && echo "Installing into .venv-newest with $$python" && \
	  $$python -m venv --clear .venv-newest
	$(call install,.venv-newest/bin,--upgrade)
	touch $@

# The versions that the tests run with, made anew from the newest that the oldest Python takes; of Python 3.11, some
# systems have the first releases. The folder is not written to.
constraints:
	$(PYTHON) $(PIP) --dry-run --ignore-installed --report $@.json '$(EXTRAS)' \
	  --python-version 3.11.0 --only-binary=:all: --target build/$@
	$(PYTHON) -c "import json; found = [one['metadata'] for one in json.load(open('$@.json'))['install']]; \
	  print(*sorted(f\"{one['name']}=={one['version']}\" for one in found if one['name'] != 'ops-db'), sep='\n')" > $@.txt
	rm $@.json

# Plain HTTP, because nothing but this machine's loopback is served.
# Cookies of its own, so that demonstrations at other ports do not sign each other out. The login is made before the
# nights, because only an older account may decide on their requests, and is shown after them.
demo: export HTTPS = false
demo: export COOKIE_SUFFIX = _$(PORT)
demo: .venv/made
	test "$(SERVE)" = 0 || $(BIN)/python -c "import socket; s = socket.socket(); \
	  s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', $(PORT)))" 2>/dev/null || { \
	  echo "Port $(PORT) is in use: end what listens there, or run make demo PORT=8001" >&2; exit 1; }
	$(MANAGE) opsdb_migrate
	$(MANAGE) opsdb_load all $(DEMO_SEASON)
	login=$$($(MANAGE) opsdb_create_admin $(DEMO_USER) --email $(DEMO_USER)@localhost --generate-password) && { \
	  $(MANAGE) opsdb_demo --nights 1 --weeks 4 --files-per-observation 4 --once; status=$$?; echo "$$login"; exit $$status; }
	test "$(SERVE)" = 0 || DJANGO_RUNSERVER_HIDE_WARNING=true $(MANAGE) runserver --noreload 127.0.0.1:$(PORT)

lint: .venv/made
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet || { echo "Run $(BIN)/ruff format" >&2; exit 1; }
	$(BIN)/python -m tools.lint_sql
	$(MANAGE) makemigrations --check --dry-run --verbosity 1

# The site, in build/docs. Nothing is fetched; a warning, such as of a link that leads nowhere, is an error.
docs: .venv/made
	$(MANAGE) opsdb_schema --output docs/schema --check
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --builder html docs build/docs
	echo "The site is in build/docs: open build/docs/index.html"

# The set anew, as long as no release has shipped it.
migrations: .venv/made
	$(BIN)/python -m tools.renew_migrations

# With the newest Python and the newest versions of everything, in random order.
test-newest test-clock-newest: BIN = .venv-newest/bin
test-newest test-clock-newest: TESTS_SERVER = .opsdb-tests-newest
test-newest test-clock-newest: ORDER = --random-order
test-newest test-clock-newest: .venv-newest/made

test: lint
test test-newest:
	$(TIDY); $(BIN)/python -m pytest -q -n auto $(ORDER) $(ARGS)

# Two years ahead, at four hours of the day.
test-clock: .venv/made
test-clock test-clock-newest:
	$(BIN)/python -m tests.clock --hours $(HOURS) -q -n auto $(ORDER) $(ARGS)

# For a night: ten times as many steps of managers, workers, invalid and hostile input, and a restoration of the
# demonstration with 100,000 files.
soak: .venv/made
	$(TIDY); SOAK=80 $(BIN)/python -m pytest -q -n0 tests/workflows/test_invariants.py \
	  tests/documentation/test_examples.py::test_the_demonstration_is_restored_into_an_empty_server $(ARGS)

clean:
	python=$(BIN)/python; [ -x $$python ] || python=$(PYTHON); for folder in $$(ls -d .opsdb .opsdb-tests* 2>/dev/null); do \
	  $$python -m opsdb.embedded stop --folder $$folder >/dev/null || exit 1; done
	rm -rf .venv .venv-newest build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
