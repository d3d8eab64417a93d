# make demo, make test: all that is needed is Python 3.11, 3.12 or 3.13 with pip and venv.
# make test PYTHON=python3.12 chooses one; otherwise the first that fits is taken.

is_supported = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(is_supported)' 2>/dev/null && echo $$python && break; done)

.PHONY: demo test lint coverage docs functional faults integration rgw bench clean

demo test lint coverage docs functional faults integration rgw bench clean:
	@command -v "$(PYTHON)" >/dev/null || \
		{ echo "No Python 3.11, 3.12 or 3.13 is on the PATH: install one, or name it: make $@ PYTHON=..."; exit 1; }
	@"$(PYTHON)" dev $@
