# `make` lists the verbs.

PYTHON ?= python3
PORT ?=
BROKER ?=
SECONDS ?= 60
AFTER ?=
ONLY ?=
TARGETS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
EXTENSION := python/simcom_mqtt/_native.abi3.so
RUST_SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock pyproject.toml

# Part of a stamp's name, so that another Python, another version of it or another folder makes a new environment.
PYTHON_ID := $(shell $(PYTHON) -c 'import os, sys, zlib; \
	print("%d.%d.%d" % sys.version_info[:3], zlib.crc32((sys.base_prefix + os.getcwd()).encode()), sep="-")' 2>/dev/null)
ENVIRONMENT := $(VENV)/made-by-$(PYTHON_ID)

# pyo3's build script asks an interpreter for its version; nothing is linked to it.
WITH_PYTHON := PYO3_PYTHON=$(CURDIR)/$(BIN)/python

# A wheel for Linux is linked against the C library of 2018, by zig, whatever this machine has.
WHEEL_OPTIONS := $(if $(filter Linux,$(shell uname -s)),--zig --compatibility manylinux_2_28)

MATURIN := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/maturin

# Installs an editable simcom-mqtt; $(1) is the cargo profile of the extension.
install-extension = PATH="$(CURDIR)/$(BIN):$$PATH" $(PIP) install --no-build-isolation --no-deps \
	--config-settings build-args='--locked --profile $(1)' --editable .

BENCH_CRATE := --manifest-path tests/bench/Cargo.toml

# Tests run as users run the program: with buffered output.
unexport PYTHONUNBUFFERED

.DELETE_ON_ERROR:
.PHONY: help demo test bench soak format lint build clean prerequisites fuzz docs wheel wheels wheel-check audit

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: ## publish and receive on a simulated module; PORT=/dev/ttyUSB2 BROKER=mqtt://host: on a real one
	@$(MAKE) --no-print-directory --jobs 2 $(EXTENSION)
	@$(BIN)/python scripts/demo.py $(if $(PORT),--port '$(PORT)') $(if $(BROKER),--broker '$(BROKER)')

build: $(VENV)/release ## build the extension in release, and install it in .venv

test: tools-of-tests ## all checks: formats, lints, types, documentation, tests
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=line AFTER=$(VENV)/documentation-tools \
		test-of-rust test-of-python
	$(BIN)/python -m pytest -q -m undisturbed

# Rust compiles while pip and apt-get download, and neither half keeps two processors busy.
.PHONY: test-of-rust test-of-python lint-of-rust lint-of-bindings lint-of-python lint-of-other-systems
test-of-rust: lint-of-rust
	cargo build --locked --quiet --release $(BENCH_CRATE)
	cargo test --locked --quiet --lib $(BENCH_CRATE)
	cargo test --locked --quiet

test-of-python: prerequisites-of-tests $(EXTENSION) lint-of-python lint-of-bindings docs
	$(BIN)/python -m mypy.stubtest simcom_mqtt --mypy-config-file pyproject.toml \
		--allowlist tests/stubtest-allowlist.txt
	$(BIN)/python -m pytest -q --numprocesses 6 --dist worksteal -m 'not undisturbed' --durations 5 --durations-min 10

bench: prerequisites-of-tests $(VENV)/release $(VENV)/bench-peers ## measure, beside what people would use instead; ONLY=name: a part
	$(BIN)/python tests/bench/run.py --output tests/bench/results $(if $(ONLY),--only $(ONLY))

fuzz: ## look for bytes that break the protocol engine, SECONDS=60 for each of two targets; needs cargo-fuzz
	@command -v cargo-fuzz >/dev/null || { echo 'cargo-fuzz is missing: cargo install cargo-fuzz --locked' >&2; exit 1; }
	@for target in stream channel; do \
		mkdir -p target/fuzz/corpus/$$target && \
		RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none $$target \
			target/fuzz/corpus/$$target tests/fuzz/corpus/$$target -- -max_total_time=$(SECONDS) -max_len=8192 \
			-timeout=10 -rss_limit_mb=512 $$(ls tests/fuzz/$$target.dict 2>/dev/null | sed 's/^/-dict=/') || exit 1; \
	done

soak: prerequisites-of-tests $(VENV)/release ## 200,000 messages each way while all kinds of faults strike; MESSAGES=n: fewer
	$(BIN)/python tests/soak/soak.py $(if $(MESSAGES),--messages $(MESSAGES))

docs: $(EXTENSION) $(VENV)/documentation-tools ## the documentation, into target/docs
	$(BIN)/sphinx-build --fail-on-warning --keep-going --nitpicky --quiet docs target/docs

wheel: $(VENV)/wheel-tools ## a wheel for every Python from 3.11 on, and a source distribution, into dist
	rm -rf dist
	$(MATURIN) build --release --locked --sdist --out dist $(WHEEL_OPTIONS)

wheels: $(VENV)/wheel-tools ## wheels for Linux on x86-64, aarch64 and armv7, glibc and musl, into dist; TARGETS=…: some
	rm -rf dist
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/build-wheels dist $(TARGETS)

wheel-check: prerequisites-of-tests wheel ## install what `make wheel` built in each Python there is, and publish with it
	$(BIN)/python scripts/check_distributions.py dist

audit: $(VENV)/audit-tools ## dependencies: licences, sources, known vulnerabilities; needs cargo-deny and the net
	@command -v cargo-deny >/dev/null || { echo 'cargo-deny is missing: cargo install cargo-deny --locked' >&2; exit 1; }
	cargo deny --locked check licenses bans sources
	cargo deny --locked check advisories
	@for file in requirements/*.txt; do \
		echo "pip-audit $$file" && $(BIN)/pip-audit --strict --require-hashes --disable-pip -r $$file || exit 1; \
	done

lint: lint-of-rust lint-of-bindings lint-of-python lint-of-other-systems ## rustfmt, clippy, ruff and mypy, changing nothing

lint-of-rust: tools-of-tests
	cargo fmt --check
	cargo fmt --check $(BENCH_CRATE)
	cargo clippy --locked --quiet --all-targets -- -D warnings
	cargo clippy --locked --quiet $(BENCH_CRATE) -- -D warnings

lint-of-other-systems:
	@scripts/check-other-systems

lint-of-bindings: $(ENVIRONMENT)
	$(WITH_PYTHON) cargo clippy --locked --quiet --lib --features python -- -D warnings

lint-of-python: $(VENV)/development-tools
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy

format: $(VENV)/development-tools ## put Rust and Python into the project's format
	cargo fmt
	cargo fmt $(BENCH_CRATE)
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format --quiet

clean: ## remove all that was built
	rm -rf $(VENV) target tests/bench/target dist .mypy_cache .pytest_cache .ruff_cache python/simcom_mqtt/_native.*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

prerequisites:
	@scripts/check-prerequisites '$(PYTHON)'

.PHONY: tools-of-tests prerequisites-of-tests
tools-of-tests:
	@scripts/check-prerequisites '$(PYTHON)' --test

prerequisites-of-tests: tools-of-tests
	@scripts/install-mosquitto

$(ENVIRONMENT): | prerequisites
	@echo 'making $(VENV)'
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/build-tools: requirements/build.txt $(ENVIRONMENT)
	@echo 'installing $<'
	@$(PIP) install --no-compile --require-hashes -r $<
	@touch $@

$(VENV)/demo-tools: requirements/demo.txt $(VENV)/build-tools
	@echo 'installing $<'
	@$(PIP) install --no-compile --require-hashes -r $<
	@touch $@

$(VENV)/development-tools: requirements/dev.txt $(VENV)/demo-tools
	@echo 'installing $<'
	@$(PIP) install --no-compile --require-hashes -r $<
	@touch $@

$(VENV)/bench-peers: requirements/bench.txt $(VENV)/development-tools
	@echo 'installing $<'
	@$(PIP) install --no-compile --require-hashes -r $<
	@touch $@

$(VENV)/wheel-tools: requirements/wheel.txt $(VENV)/demo-tools
	@echo 'installing $<'
	@$(PIP) install --no-compile --require-hashes -r $<
	@touch $@

$(VENV)/audit-tools: requirements/audit.txt $(VENV)/development-tools
	@echo 'installing $<'
	@$(PIP) install --no-compile --require-hashes -r $<
	@touch $@

$(VENV)/documentation-tools: requirements/docs.txt $(VENV)/development-tools
	@echo 'installing $<'
	@$(PIP) install --no-compile --require-hashes -r $<
	@touch $@

# Compiles while pip installs the demo's packages. Installing the extension then takes what cargo has compiled.
$(VENV)/compiled: $(RUST_SOURCES) $(VENV)/build-tools
	@echo 'compiling the extension (half a minute to a minute the first time)'
	@$(MATURIN) build --locked --profile quick --out target/quick >$@.log 2>&1 || { cat $@.log >&2; exit 1; }
	@touch $@

# AFTER: what pip installs first, since two pips in one environment get into each other's way.
$(EXTENSION): $(VENV)/compiled $(VENV)/demo-tools | $(AFTER)
	@$(call install-extension,quick)
	@rm -f $(VENV)/release
	@touch $@

# Replaces the extension by one that is compiled as for a wheel; a later change of a source replaces it again.
$(VENV)/release: $(RUST_SOURCES) $(VENV)/demo-tools
	@echo 'compiling the extension in release (about a minute the first time)'
	@$(call install-extension,release)
	@touch $(VENV)/compiled $(EXTENSION) $@
