PYTHON ?= python3
PORT ?= 8000
SERVE ?= 1
DEMO_SEASON = opsdb/reference/samples/season_2026A.yaml
DEMO_USER = admin

BIN = .venv/bin
MANAGE = $(BIN)/python manage.py

.PHONY: demo test lint migrations clean
.NOTPARALLEL:
.SILENT:

.venv/made: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "ops-db needs Python 3.11 or newer, and $(PYTHON) is not: run make PYTHON=python3.11" >&2; exit 1; }
	echo "Installing into .venv, about a minute"
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,embedded,server]'
	touch $@

# Plain HTTP, because nothing but this machine's loopback is served.
demo: export HTTPS = false
demo: .venv/made
	test "$(SERVE)" = 0 || $(BIN)/python -c "import socket; s = socket.socket(); \
	  s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', $(PORT)))" 2>/dev/null || { \
	  echo "Port $(PORT) is in use: end what listens there, or run make demo PORT=8001" >&2; exit 1; }
	$(MANAGE) opsdb_migrate
	$(MANAGE) opsdb_load all $(DEMO_SEASON)
	$(MANAGE) opsdb_demo --nights 3 --files-per-observation 10 --once
	$(MANAGE) opsdb_create_admin $(DEMO_USER) --email $(DEMO_USER)@localhost --generate-password
	test "$(SERVE)" = 0 || DJANGO_RUNSERVER_HIDE_WARNING=true $(MANAGE) runserver --noreload 127.0.0.1:$(PORT)

lint: .venv/made
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet || { echo "Run $(BIN)/ruff format" >&2; exit 1; }
	$(BIN)/python -m tools.lint_sql
	$(MANAGE) makemigrations --check --dry-run --verbosity 1

# The set anew, as long as no release has shipped it.
migrations: .venv/made
	$(BIN)/python -m tools.renew_migrations

test: lint
	$(BIN)/python -m pytest -q -n auto $(ARGS)

clean:
	python=$(BIN)/python; [ -x $$python ] || python=$(PYTHON); for folder in .opsdb .opsdb-tests; do \
	  $$python -m opsdb.embedded stop --folder $$folder >/dev/null || exit 1; done
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
