#!/usr/bin/env bash
# Make a virtual environment of Superset in the directory given, with what README says: `install.sh DIR`.
# Without these pins the newest of what Superset asks for is taken, with which it does not start.
set -euo pipefail
python3 -m venv "$1"
"$1/bin/pip" install -qq 'apache-superset>=6.1,<6.2' 'flask-caching<2.5' rich cachetools 'duckdb<2' duckdb-engine
