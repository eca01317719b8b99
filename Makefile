# What people and CI call. Everything happens in .venv, which is made when it is missing; nothing else is needed but
# Python 3.11 or newer with its headers, and a C++20 compiler.

VENV ?= .venv
BIN := $(VENV)/bin
export VENV
# Extra words for pytest, the example and the benchmarks: make test ARGS="-k matmul", make demo ARGS=--help
ARGS ?=

sources := $(shell find csrc cmake kagari CMakeLists.txt pyproject.toml -type f \
  \( -name '*.cpp' -o -name '*.h' -o -name '*.inc' -o -name '*.py' -o -name '*.pyi' -o -name '*.cmake' \
     -o -name '*.def' -o -name 'py.typed' -o -name '*.txt' -o -name '*.toml' \) 2>/dev/null)
installed := $(VENV)/.installed

.PHONY: help demo test docs conformance bench lint format sanitize budgets clean distclean
help:
	@echo "make demo         learn handwritten digits (examples/digits.py)"
	@echo "make test         build, install, run the tests"
	@echo "make docs         the documentation with the API reference, into build/docs/html"
	@echo "make conformance  compare with PyTorch 2.13, which is installed for it"
	@echo "make bench        measure against PyTorch; writes benchmarks/RESULTS.md"
	@echo "make lint         ruff, mypy --strict, clang-format; make format mends what they can"
	@echo "make sanitize     the tests under AddressSanitizer and UndefinedBehaviorSanitizer"
	@echo "make budgets      sizes, import time and build time against their limits"
	@echo "make clean        remove what was built; make distclean removes $(VENV) too"

# The wheel is built in build/venv, so that a second run compiles only what changed.
$(installed): $(sources)
	@scripts/setup-venv build
	@echo "building kagari (the first time takes some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
	  --force-reinstall --no-deps --config-settings=build-dir=build/venv .
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "numpy>=2"
	@touch $@

demo: $(installed)
	@scripts/setup-venv demo
	@$(BIN)/python examples/digits.py $(ARGS)

test: $(installed)
	@scripts/setup-venv test
	@$(BIN)/pytest $(ARGS)

docs: $(installed)
	@scripts/setup-venv docs
	@$(BIN)/python scripts/reference.py $(ARGS)

conformance: $(installed)
	@scripts/setup-venv conformance
	@$(BIN)/pytest -m conformance $(ARGS)
	@$(BIN)/python tests/conformance/run.py

bench: $(installed)
	@scripts/setup-venv conformance
	@$(BIN)/python benchmarks/run.py $(ARGS)

lint:
	@scripts/setup-venv lint
	@VENV=$(VENV) scripts/lint

format:
	@scripts/setup-venv lint
	@VENV=$(VENV) scripts/lint --fix

sanitize:
	@scripts/setup-venv build test
	@VENV=$(VENV) scripts/sanitize $(ARGS)

budgets:
	@scripts/setup-venv build
	@$(BIN)/python scripts/budgets.py $(ARGS)

clean:
	rm -rf build dist kagari/_libs kagari/_core*.so $(installed)
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
	rm -rf .pytest_cache .ruff_cache .mypy_cache

distclean: clean
	rm -rf $(VENV)
