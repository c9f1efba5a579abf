# Two commands do everything on a fresh machine with a Rust toolchain, make and a C compiler:
#   make reproduce   build, run the main job, write data/results/reproduce.h5 and paper/figures
#   make test        build and run all tests
# and one more job of about ten minutes:
#   make networks    train networks, write data/results/networks*.h5 and their figures
# The others serve development.

CARGO ?= cargo
.PHONY: reproduce networks test guide schema python-test fuzz older-processor deny validate scan check bench peers formula-peers training-peers hdf5 clean

reproduce: hdf5
	$(CARGO) run --release --locked --features cli --bin freezeout -- reproduce

networks: hdf5
	$(CARGO) build --release --locked --features cli --bin freezeout
	for job in networks networks_escape networks_schedules; do \
	  target/release/freezeout run paper/experiments/$$job.toml && \
	  target/release/freezeout figures data/results/$$job.h5 -o paper/figures || exit 1; \
	done

test: hdf5
	$(CARGO) test --release --locked --features cli

# The guide as a book in docs/book; tests/guide.rs executes what it says.
guide:
	@command -v mdbook >/dev/null || { echo "error: mdbook is missing; install it with: cargo install mdbook --locked (or read docs/src as it is)" >&2; exit 1; }
	mdbook build docs

# The schema that .taplo.toml associates with the configurations here.
schema: hdf5
	$(CARGO) run --release --locked --features cli --bin freezeout -- schema > freezeout.schema.json

# Builds the Python package into python/.venv and runs its tests; needs Python >= 3.10, and PyPI for what is not installed there.
python-test:
	test -d python/.venv || python3 -m venv python/.venv
	CARGO_TARGET_DIR=$(CURDIR)/target python/.venv/bin/pip install -q "./python[test]"
	python/.venv/bin/pytest -q python

# Mutated configurations, damaged files and killed sweeps, FUZZ times as many as in the test run, from another SEED.
FUZZ ?= 20
SEED ?= 1
fuzz: hdf5
	FREEZEOUT_FUZZ=$(FUZZ) FREEZEOUT_SEED=$(SEED) $(CARGO) test --release --locked --features cli --test mutations --test damage --test kills

# The program under an emulated processor without AVX, which must find the same; installs qemu-user when missing.
older-processor: hdf5
	@command -v qemu-x86_64 >/dev/null || { [ "$$(id -u)" = 0 ] && SUDO= || SUDO=sudo; $$SUDO apt-get update -q && $$SUDO apt-get install -y -q qemu-user; }
	FREEZEOUT_QEMU=1 $(CARGO) test --release --locked --features cli --test older_processor

# Licences, sources and versions of all dependencies, and known advisories about them (needs the network).
deny:
	@$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install cargo-deny --locked
	$(CARGO) deny --all-features check

# Problems with known answers; writes validation/REPORT.md and fails when a number is not met.
validate: hdf5
	$(CARGO) run --release --locked --features cli --bin freezeout -- validate

# Stated errors of random problems with known answers; writes validation/scan.md, which the report of validate includes. Needs Python with
# numpy and h5py; about ten minutes.
scan: hdf5
	$(CARGO) build --release --locked --features cli --bin freezeout
	python3 validation/scan.py --table validation/scan.md

# Also without HDF5: the library alone, with problems in memory, with figures.
check: hdf5
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --features cli --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --features cli --no-deps --lib
	$(CARGO) clippy --release --locked --lib --tests -- -D warnings
	$(CARGO) clippy --release --locked --lib --tests --features config -- -D warnings
	$(CARGO) clippy --release --locked --lib --tests --features config,figures -- -D warnings
	$(CARGO) test --release --locked --features config --test in_memory

bench: hdf5
	$(CARGO) bench --locked --features cli

# Transient density against scipy, fplanck and py-pde, those of them that are installed.
peers: hdf5
	python3 tests/benches/peers.py

# First passages of formulas against numba, if that is installed.
formula-peers: hdf5
	python3 tests/benches/formula_peers.py

# Training of networks against PyTorch, if that is installed.
training-peers: hdf5
	python3 tests/benches/training_peers.py

# The HDF5 library, its h5dump (used by a test) and pkg-config, from the system; installed when missing.
hdf5:
	@if pkg-config --exists hdf5 2>/dev/null && command -v h5dump >/dev/null; then exit 0; fi; \
	if command -v apt-get >/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then SUDO=; else SUDO=sudo; fi; \
	  echo "Installing libhdf5-dev, hdf5-tools and pkg-config (needed once)"; \
	  $$SUDO apt-get update -q && $$SUDO apt-get install -y -q libhdf5-dev hdf5-tools pkg-config && exit 0; \
	  echo "error: could not install libhdf5-dev, hdf5-tools and pkg-config; install them and call make again" >&2; exit 1; \
	elif command -v brew >/dev/null; then pkg="brew install hdf5 pkg-config"; \
	elif command -v dnf >/dev/null; then pkg="sudo dnf install hdf5-devel hdf5 pkgconf"; \
	elif command -v pacman >/dev/null; then pkg="sudo pacman -S hdf5 pkgconf"; \
	else pkg="your system's packages for the HDF5 development files, h5dump and pkg-config"; fi; \
	echo "error: HDF5 is missing; install it with: $$pkg" >&2; \
	echo "       (or build it from source: cargo build --release --features static-hdf5, needs CMake >= 3.26)" >&2; exit 1

clean:
	$(CARGO) clean
	rm -rf data/results python/.venv
