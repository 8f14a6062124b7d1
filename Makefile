# install, run, test: what a newcomer needs. check, lock: what a developer needs beside them.
PYTHON ?= python3
BIN := .venv/bin
TRANSLATIONS := $(wildcard src/panelry/web/locale/*/LC_MESSAGES/django.po)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: install run test check lint lock messages documents screenshots

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml setup.py $(TRANSLATIONS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

# Everything in one go, on ./data: see README.md.
run: install
	$(BIN)/panelry up --demo --data ./data

# Everything that CI checks.
test: lint
	tests/install-system-packages
	$(BIN)/pytest -n 2 --dist loadfile
	tests/on-system-postgresql

# The fast half: no servers, no processes.
check: lint
	$(BIN)/pytest tests/architecture tests/domain

lint: .venv/installed-dev
	$(BIN)/ruff format --check setup.py src tests
	$(BIN)/ruff check setup.py src tests
	PANELRY_SECRET_KEY=only-for-reading-the-settings-of-django $(BIN)/mypy
	$(BIN)/lint-imports

# Write every text that pages show into the catalogues of translations: see CONTRIBUTING.md.
messages: .venv/installed-dev
	tests/install-system-packages
	cd src/panelry/web && PANELRY_SECRET_KEY=only-for-reading-the-settings-of-django \
		../../../$(BIN)/django-admin makemessages --settings panelry.web.configuration \
		--locale tr --locale ar --add-location file --no-obsolete --no-wrap
	$(MAKE) install

# Take the pictures of README.md; make screenshots ALL=folder takes every page in each language, size and theme.
screenshots: .venv/installed-dev
	tests/install-system-packages
	PYTHONPATH=tests $(BIN)/python tests/browser/screenshots.py $(if $(ALL),--all $(ALL))

# Write docs/resellers from what the pages for developers are made of.
documents: .venv/installed-dev
	PANELRY_SECRET_KEY=only-for-reading-the-settings-of-django $(BIN)/python tests/documents.py

# Pin every dependency with its hashes, newest versions that pyproject.toml allows.
lock: .venv/installed-dev
	$(BIN)/uv pip compile $(LOCK) --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(LOCK) --extra build --extra dev pyproject.toml -o requirements-dev.lock
LOCK := --quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-annotate --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"
