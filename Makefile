# `make demo` and `make test` install what they need, and may be run again at any time.

PORT ?= 8080
DATA ?= demo-data
ROOMS ?= 1
PYTHON ?= python3

BIN := .venv/bin
# The tests of what is stored, which run on both databases.
STORED := tests/store tests/test_desk*.py tests/test_ledger.py tests/test_attendance.py tests/test_races.py
SOURCES := etapalvelu signaling tests bench
# Whole sessions in browsers, two at a time; those of one demo in one process.
BROWSERS = $(BIN)/pytest tests/e2e tests/js -m "e2e and not alone" --numprocesses 2 --dist loadgroup

DEMO_PACKAGES := python3-venv libgl1 libglib2.0-0
TEST_PACKAGES := $(DEMO_PACKAGES) faketime postgresql chromium coturn iproute2 nftables ffmpeg fonts-dejavu-core fonts-liberation \
	tesseract-ocr tesseract-ocr-fin tesseract-ocr-swe poppler-utils pulseaudio pulseaudio-utils

.PHONY: demo test check lint types fast postgres e2e side-by-side alone faults faults-in-networks faults-in-browsers faults-side-by-side js bench fmt build clean

demo: .venv/demo.done
	$(BIN)/etapalvelu demo --port $(PORT) --data $(DATA) --rooms $(ROOMS)

# Two things at a time where neither counts frames or seconds.
test:
	$(MAKE) --jobs 2 --output-sync=target .venv/test.done node_modules/.done
	$(MAKE) --jobs 2 --output-sync=target build types lint js
	$(MAKE) --jobs 1 fast postgres side-by-side alone

check: .venv/test.done lint types js fast

lint: .venv/test.done
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/lint-imports

types: .venv/test.done
	$(BIN)/mypy

js: node_modules/.done .venv/test.done
	npx tsc --project tsconfig.json
	node --test tests/js/*.test.js

fast: .venv/test.done
	$(BIN)/coverage erase
	$(BIN)/pytest -m "not e2e and not build and not postgres and not faults and not alone" --numprocesses auto --maxprocesses 8 --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --include="etapalvelu/domain/*,signaling/call.py,signaling/advance.py,signaling/mailbox.py,signaling/witness.py,signaling/messages.py,signaling/ticket.py,signaling/stills.py,signaling/turn.py,signaling/errors.py" --fail-under=100
	$(BIN)/coverage report --fail-under=90

e2e: .venv/test.done
	$(BROWSERS)
	$(BIN)/pytest tests/e2e tests/js -m "e2e and alone"

# Each fault once, short.
side-by-side: .venv/test.done
	$(BIN)/pytest tests/faults -m "not alone" --numprocesses 3 --dist worksteal
	$(BROWSERS)

alone: .venv/test.done
	$(BIN)/pytest -m alone tests/e2e tests/js tests/faults tests/room

# Each fault again and again, with a table of how often each held at the end of each part. Those that count frames and
# fractions of seconds come first; a part that missed something does not keep the next from being tried.
faults: .venv/test.done
	$(MAKE) --keep-going --jobs 1 faults-in-networks faults-in-browsers faults-side-by-side

faults-in-networks:
	REPEAT_FAULTS=1 $(BIN)/pytest tests/faults/test_net_*.py -m alone -q -s

faults-in-browsers:
	REPEAT_FAULTS=1 $(BIN)/pytest tests/faults -m alone --ignore-glob "*/test_net_*" --numprocesses 2 --dist worksteal -q

faults-side-by-side:
	REPEAT_FAULTS=1 $(BIN)/pytest tests/faults -m "not alone" --numprocesses 4 --dist worksteal -q

postgres: .venv/test.done
	$(BIN)/pytest --postgres -m "not sqlite" --numprocesses 2 --dist worksteal $(STORED)

bench: .venv/test.done
	$(BIN)/python -m bench

fmt: .venv/test.done
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

build: .venv/test.done
	$(BIN)/pytest -m build

# The program itself is in the virtual environment as a link to this folder.
.venv/demo.done: requirements/demo.txt pyproject.toml
	@tools/system-packages $(DEMO_PACKAGES)
	@tools/virtual-environment $(PYTHON) requirements/demo.txt
	@touch $@

.venv/test.done: requirements/test.txt pyproject.toml
	@tools/system-packages $(TEST_PACKAGES)
	@tools/virtual-environment $(PYTHON) requirements/test.txt
	@touch $@

node_modules/.done: package-lock.json
	@tools/node
	npm ci --silent
	@touch $@

clean:
	rm -rf .venv node_modules dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
