# The two commands of the README, and what developers use besides. All set-up happens in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NAME ?= tf-warp-speed
FRAMEWORK ?= tensorflow
ENVIRONMENT := $(VENV)/.environment
TEST_ENVIRONMENT := $(VENV)/.test-environment

.PHONY: demo lab test lint bench clean

demo: $(ENVIRONMENT) ## create a real kernel and run the CPU-vs-GPU benchmark through it
	@$(BIN)/jupyter gpu-kernels show $(NAME) >/dev/null 2>&1 \
	  || $(BIN)/jupyter gpu-kernels create $(NAME) --framework $(FRAMEWORK)
	@$(BIN)/jupyter gpu-kernels benchmark $(NAME)
	@echo
	@echo "The kernel \"$(NAME)\" is ready. Open JupyterLab with:  make lab"
	@echo "then pick it in the Launcher, or under Kernel > Change kernel."

lab: $(ENVIRONMENT) ## open JupyterLab with the extension
	$(BIN)/jupyter lab $$([ "$$(id -u)" != 0 ] || echo --allow-root)

test: lint ## every test; needs neither a GPU nor a conda channel on the net
	$(BIN)/python -m pytest

lint: $(TEST_ENVIRONMENT) ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(TEST_ENVIRONMENT) ## every benchmark, ratios measured side by side
	$(BIN)/python -m benchmarks

clean: ## remove what the commands above made in this directory
	rm -rf $(VENV) .artifacts .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "Python 3.10 or newer is needed; name one with: make PYTHON=/path/to/python3 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "The venv module is incomplete; on Debian run: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(ENVIRONMENT): $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[lab]"
	@touch $@

$(TEST_ENVIRONMENT): $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[lab,test]"
	@touch $@ $(ENVIRONMENT)
