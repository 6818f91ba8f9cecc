"""The DAG for Airflow is Python, whatever the paths are, and says what this installation is."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airq_etl.errors import AirqError
from airq_etl.schedule.airflow import entries
from airq_etl.schedule.plan import Plan

if TYPE_CHECKING:
    from tests.conftest import Airq

TOP = Path(__file__).parents[1]
PLAN = Plan(
    program=("/opt/airq-etl/.venv/bin/airq-etl",),
    env_file=Path("/etc/airq-etl.env"),
    data_dir=Path("/var/lib/airq-etl"),
)
HOSTILE = (
    "/a b/x",
    "/50%/{{ ds }}",
    '/it\'s "so"',
    "/[[ name ]]/[% if %]",
    "/é世🚀",
    "/back\\slash\\",
    '/"""',
    "/$HOME`id`",
)
# Not of ours: repr's quotes, a loose file, what runs under Python 3.8, and Airflow 2.10's imports.
NOT_OURS = ("Q000", "INP001", "UP017", "AIR311", "ANN401", "S603")


def constants(text: str) -> dict[str, Any]:
    """What stands at the top, as far as it is made of literals alone."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


def dag_id(text: str) -> str:
    """What the DAG is called in Airflow."""
    words = [word for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) for word in node.keywords]
    (name,) = [ast.literal_eval(word.value) for word in words if word.arg == "dag_id"]
    return str(name)


def test_it_says_what_this_installation_is() -> None:
    """Program, env file, data directory, shards, times: as they are in the plan."""
    plan = PLAN
    ((name, text, _),) = entries(plan)
    told = constants(text)
    assert (name, dag_id(text)) == ("airq_etl_dag.py", "airq_etl")
    assert told["PROGRAM"] == ["/opt/airq-etl/.venv/bin/airq-etl"]
    assert (told["ENV_FILE"], told["DATA_DIR"]) == ("/etc/airq-etl.env", "/var/lib/airq-etl")
    assert (told["SHARDS"], told["SCHEDULE"], told["DEADLINE_S"]) == (1, "17 * * * *", 3000)


def test_a_second_dag_has_a_name_of_its_own(airq: "Airq") -> None:
    """The name, the shards and the times of the command line stand in the file, and in what it is called."""
    words = ("--name", "airq-two", "--shards", "3", "--every", "6h", "--minute", "5")
    airq("schedule", "airflow", *words, "-o", "dags", "--data-dir", "data")
    (file,) = (airq.directory / "dags").iterdir()
    text = file.read_text(encoding="utf-8")
    told = constants(text)
    assert (file.name, dag_id(text)) == ("airq_two_dag.py", "airq_two")
    assert (told["SHARDS"], told["SCHEDULE"], told["ENV_FILE"]) == (3, "5 */6 * * *", None)
    assert told["DATA_DIR"] == str(airq.directory / "data")


@pytest.mark.parametrize("path", HOSTILE)
def test_any_path_stands_in_it_as_it_is(path: str) -> None:
    """No quote, brace, percent sign or backslash of a path is more than a letter, and nothing else changes."""
    plan = Plan(program=(path, "-m", "airq_etl"), env_file=Path(path), data_dir=Path(path))
    ((_, text, _),) = entries(plan)
    compile(text, "dag.py", "exec")
    told = constants(text)
    assert told["PROGRAM"] == [path, "-m", "airq_etl"]
    assert told["ENV_FILE"] == told["DATA_DIR"] == str(Path(path))
    ((_, usual, _),) = entries(PLAN)
    of_ours = {"PROGRAM", "ENV_FILE", "DATA_DIR"}
    assert {name: value for name, value in told.items() if name not in of_ours} == {
        name: value for name, value in constants(usual).items() if name not in of_ours
    }


def test_it_is_as_clean_as_what_made_it() -> None:
    """The linter of the project has nothing to say about it."""
    ((_, text, _),) = entries(PLAN)
    words = ["check", "--config", str(TOP / "pyproject.toml"), "--ignore", ",".join(NOT_OURS), "--no-cache"]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *words, "--stdin-filename", "airq_etl_dag.py", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_exit_code_says_what_is_next() -> None:
    """Each code that an error owns, and the one of findings, is explained, and tried again or not."""
    told = constants(entries(PLAN)[0].text)
    codes = {kind.exit_code for kind in subclasses(AirqError)} | {AirqError.exit_code, 4}
    assert set(told["NEXT"]) == codes
    assert told["FOR_GOOD"] == {1, 2, 4, 6}
    assert told["PARTIAL"] == 3


def subclasses(kind: type[AirqError]) -> set[type[AirqError]]:
    below = set(kind.__subclasses__())
    return below.union(*(subclasses(one) for one in below))


def test_it_runs_the_commands_that_there_are(airq: "Airq") -> None:
    """Each step is a command, and takes days where the DAG gives it days."""
    told = constants(entries(PLAN)[0].text)
    assert told["STEPS"] == ("extract", "transform", "load", "forecast", "sanity-check")
    of_days = {step for step in told["STEPS"] if "--start-date" in airq(step, "--help").out}
    assert told["OF_DAYS"] == of_days - {"forecast"}  # whose days are those of --backtest
