# What a person types in this project. Needs Python >= 3.11 and make; everything else is installed into .venv.

.DEFAULT_GOAL := help
.PHONY: help demo test check interop docs pictures site sim bench hostile fuzz long mutants clean

VENV := .venv
COMPILED := .venv-compiled
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
SEED ?= 1
RUNS ?= 20000

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.node $(if $(SETTLEMENT),$(VENV)/.ledgers) ## Three nodes on this machine, two currencies, one payment; SETTLEMENT=anvil, litecoin, bank, xrp-sim: settled there
	@$(BIN)/ilp demo $(if $(SETTLEMENT),--settlement $(SETTLEMENT))

test: $(VENV)/.dev interop check ## Format, lint, types, import rules, then every test
	@$(BIN)/python -m pytest

check: $(VENV)/.dev ## All of `make test` but the tests themselves
	@$(BIN)/ruff format --check --quiet . || { echo 'Some files are not formatted. Run  .venv/bin/ruff format'; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

compiled: $(COMPILED)/.node ## The packet path as C, by mypyc, in .venv-compiled, and the tests of it; needs a C compiler
	@$(COMPILED)/bin/python -m pytest -m 'not slow' $(addprefix tests/,ilp accounts connector link store conformance transport sim)

docs: $(VENV)/.dev ## Write docs/reference again from the code
	@$(BIN)/python -m tools.docs

pictures: $(VENV)/.dev ## Pictures of the dashboard for the docs again, by a real browser
	@$(BIN)/python -m tools.screenshots

site: $(VENV)/.dev ## The documents as a web site in build/site; a broken link is an error
	@$(BIN)/python -m tools.site

sim: $(VENV)/.node ## A simulated network; the same SEED gives the same run
	@$(BIN)/python -m tools.simulate --seed $(SEED)

bench: $(VENV)/.dev interop ## Speed on this machine, beside a peer from npm where there is one; after `make compiled` that too
	@$(BIN)/python bench/steps.py
	@$(BIN)/python bench/forward.py
	@$(BIN)/python bench/links.py

hostile: $(VENV)/.dev ## What each attack costs an honest peer's p99, from one address and from 2,000; 15 quiet minutes, as root
	@TMPDIR=/dev/shm $(BIN)/python bench/hostile.py --realtime --seconds 3 --sources 1,2000 --json bench/results/hostile.json

fuzz: $(VENV)/.dev ## Every decoder against RUNS inputs that nobody meant
	@set -e; for target in fuzz/fuzz_*.py; do echo "$$target"; $(BIN)/python $$target -runs=$(RUNS); done

long: $(VENV)/.dev ## Matrix, bit flips, 20,000 power cuts, 200 kills, 20,000 seeds; goes on where the last run ended, and records it
	@$(BIN)/python -m tools.torture --matrix --flips --cuts 20000 --kills 200 --seeds 20000 --record

mutants: $(VENV)/.dev ## Change the code of the money in every small way, and see that the tests notice; an hour of one core
	@$(BIN)/python -m tools.mutants

clean: ## Remove what the other commands made
	@rm -rf $(VENV) $(COMPILED) build dist mutants node_modules tests/interop/node_modules
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find src tests tools fuzz bench examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# ---------------------------------------------------------------------------------------------------------------------
# A stamp is younger than pyproject.toml when its packages are installed.

$(BIN)/python:
	@for name in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  command -v $$name >/dev/null 2>&1 || continue; \
	  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue; \
	  $$name -m venv $(VENV) && exit 0; \
	  rm -rf $(VENV); echo "$$name cannot make $(VENV). On Debian and Ubuntu:  apt install python3-venv"; exit 1; \
	done; echo 'Python 3.11 or newer is needed, and none was found. Name one:  make PYTHON=/path/to/python3'; exit 1

$(VENV)/.node: pyproject.toml | $(BIN)/python
	@printf 'Installing interledger-py into $(VENV) (once, less than a minute) ... '
	@$(PIP) install --quiet -e '.[node]' && touch $@ && echo done

# What ledgers need of Python. Their programs are named when one is missing, with how to get it.
$(VENV)/.ledgers: pyproject.toml | $(VENV)/.node
	@printf 'Installing what the ledgers need into $(VENV) (once) ... '
	@$(PIP) install --quiet -e '.[node,evm,xrp]' && touch $@ && echo done

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@printf 'Installing the tools and what the tests need into $(VENV) (once, about a minute) ... '
	@$(PIP) install --quiet -e '.[dev]' && touch $@ && echo done

# From a source archive, so that nothing is left in src.
$(COMPILED)/.node: pyproject.toml $(shell find src -name '*.py') | $(VENV)/.dev
	@echo 'Compiling the packet path into $(COMPILED) (about a minute) ...'
	@rm -rf $(COMPILED)/dist; [ -x $(COMPILED)/bin/python ] || $(BIN)/python -m venv $(COMPILED)
	@HATCH_BUILD_HOOK_ENABLE_MYPYC=1 $(BIN)/python -m build --outdir $(COMPILED)/dist . > $(COMPILED)/build.log 2>&1 || { \
	  tail -20 $(COMPILED)/build.log; echo 'It did not compile. On Debian and Ubuntu:  apt install gcc python3-dev'; exit 1; }
	@wheel=$$(ls $$PWD/$(COMPILED)/dist/*.whl) && $(COMPILED)/bin/python -m pip --disable-pip-version-check --no-input install \
	  --quiet --force-reinstall --no-deps "$$wheel" && $(COMPILED)/bin/python -m pip --disable-pip-version-check --no-input \
	  install --quiet "interledger-py[test] @ file://$$wheel" && touch $@

# The peers written by others. Without npm their tests are skipped, unless ILP_REQUIRE_INTEROP=1 (which CI sets).
interop:
	@[ -f tests/interop/package.json ] || exit 0; \
	if command -v npm >/dev/null 2>&1; then \
	  cd tests/interop; \
	  [ node_modules/.stamp -nt package.json ] && exit 0; \
	  echo 'Installing the peers of tests/interop with npm ...'; \
	  if [ -f package-lock.json ]; then npm ci --no-audit --no-fund --loglevel=error; \
	  else npm install --no-audit --no-fund --loglevel=error; fi && touch node_modules/.stamp; \
	elif [ "$${ILP_REQUIRE_INTEROP:-0}" = 1 ]; then \
	  echo 'npm is missing, and ILP_REQUIRE_INTEROP=1 asks for the tests against live peers.'; exit 1; \
	else \
	  echo 'npm is missing: the tests against live peers written by others will be skipped.'; \
	fi
