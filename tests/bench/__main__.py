"""How long things take, for anyone to see: `python -m tests.bench [NAME ...]`; `--list` says what there is."""

import sys

try:
    from tests.bench.command import main
except ModuleNotFoundError as error:
    sys.exit(f"there is no {error.name} in this Python: install the extra dev (pip install -e '.[dev]')")

if __name__ == "__main__":
    main()
