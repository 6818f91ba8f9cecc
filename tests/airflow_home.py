"""A real Airflow for the tests: a home of its own with one DAG in it, and runs of that by `dag.test()`."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from tests.installed import said

ONCE = Path(__file__).parent / "airflow" / "once.py"
TOLD = re.compile(r"airq_etl shards\.(\w+), shard (\d+) of \d+, run of [\d: -]+ UTC: (.+?) +\[airflow\.task\]")
COMMAND_S = 180


class Task(NamedTuple):
    """A task of a run, for one shard, and how it ended; `tries` is how often it was begun."""

    name: str
    shard: int
    state: str
    tries: int
    label: str | None


class Run(NamedTuple):
    """How a run of the DAG ended, with its tasks by name and shard, and all that it logged."""

    state: str
    tasks: dict[tuple[str, int], Task]
    log: str

    def told(self) -> list[tuple[str, int, str]]:
        """What `tell` of the DAG was given: of which step and shard, and how it ended."""
        return [(step, int(shard), ending) for step, shard, ending in TOLD.findall(self.log)]

    def states(self, shard: int) -> dict[str, str]:
        """How the steps of a shard ended."""
        return {task.name: task.state for task in self.tasks.values() if task.shard == shard}


class Airflow:
    """An Airflow home, with the files of its DAGs folder."""

    def __init__(self, environment: Path, home: Path) -> None:
        self.dags, self._home, self._bin = home / "dags", home, environment / "bin"
        self.dags.mkdir(parents=True)
        # What Airflow's own Python is told is not for airq-etl, which would choke on this one.
        (home / "python").mkdir()
        (home / "python" / "polars.py").write_text("raise ImportError('not ours')\n", encoding="utf-8")
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": str(home / "python"),
        }
        self._run([self._bin / "airflow", "db", "migrate"])

    def look(self) -> Any:  # noqa: ANN401 -- JSON
        """What its DagBag makes of the folder."""
        out = self._home / "look.json"
        self._run(self.words(out))
        return json.loads(out.read_text(encoding="utf-8"))

    def test(self, dag: str, **params: str) -> Run:
        """A run of a DAG to its end, as one that a person triggers with these params."""
        out = self._home / "run.json"
        log = self._run(self.words(out, dag, json.dumps(params)))
        return self.ended(out, log)

    def start(self, dag: str, out: Path) -> "subprocess.Popen[str]":
        """A run of a DAG, at work."""
        return subprocess.Popen(
            self.words(out, dag), env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def words(self, *words: str | Path) -> list[str | Path]:
        """A command line of `once.py`."""
        return [self._bin / "python", ONCE, *words]

    def ended(self, out: Path, log: str) -> Run:
        """The run that was written down there."""
        told = json.loads(out.read_text(encoding="utf-8"))
        tasks = [Task(**task) for task in told["tasks"]]
        return Run(told["state"], {(task.name, task.shard): task for task in tasks}, log)

    def _run(self, words: list[str | Path]) -> str:
        return said(words, self._environment, self._home, COMMAND_S)
