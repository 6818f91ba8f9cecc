#!/usr/bin/env bash
# Make a virtual environment of Airflow in the directory given: `install.sh DIR`.
# uv brings its hundred and thirty packages in seconds, where pip takes minutes; where uv cannot, pip does.
set -euo pipefail
airflow='apache-airflow>=3.3,<4'
python3 -m venv "$1"
"$1/bin/pip" install -qq 'uv<1'
"$1/bin/uv" pip install --quiet --python "$1/bin/python" "$airflow" || "$1/bin/pip" install -qq "$airflow"
