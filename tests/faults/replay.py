"""Answers that a test makes up, and runs against them: as a process of its own, or in this one."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from airq_etl import captures
from airq_etl import settings as configuration
from airq_etl.airqino import TIME_FORMAT
from airq_etl.lake import Lake
from airq_etl.pipeline import export
from airq_etl.pipeline.run import run_all
from airq_etl.results import Result
from airq_etl.windows import KEPT
from tests.faults.state import State, state
from tests.frames import body, hour
from tests.server import Reply, Request, Script, serving

if TYPE_CHECKING:
    from tests.conftest import Airq, Ran

Readings = dict[int, dict[str, float]]


def number(time: datetime) -> int:
    """Which hour (see `frames.hour`) a time is in."""
    return (time - hour(0)) // timedelta(hours=1)


class Source:
    """Answers as the API does as of `now`: hours up to the running one, inside the window, a year at most."""

    def __init__(self, readings: Readings, now: datetime) -> None:
        self.readings = readings
        self.now = now

    def __call__(self, request: Request) -> Reply:
        """The hours asked for; the Date header is the source's own clock."""
        first = _time(request, "start_date") or self.now - KEPT
        last = min(_time(request, "end_date") or self.now, self.now)
        found = {n: values for n, values in self.readings.items() if first <= hour(n) <= last}
        return Reply(body=body(found), headers={"Date": format_datetime(self.now, usegmt=True)})


def _time(request: Request, name: str) -> datetime | None:
    text = request.query.get(name)
    return datetime.strptime(f"{text}+0000", f"{TIME_FORMAT}%z") if text else None


class Replay:
    """Runs for station 7 into directories below the test's own; `requests` are those of the last run."""

    def __init__(self, airq: "Airq") -> None:
        self._airq = airq
        self.requests: list[Request] = []

    def run(
        self,
        script: Script | bytes,
        at: datetime | None,
        *words: str,
        data: str = "data",
        expect: int = 0,
        env: Mapping[str, str] | None = None,
    ) -> "Ran":
        """`airq-etl run --json` at a time (None: by the clock)."""
        given = {"AIRQ_STATIONS": "7", "AIRQ_RETRIES": "0"} | ({} if at is None else {"AIRQ_NOW": at.isoformat()})
        with serving(_script(script)) as server:
            more = {"AIRQ_API_URL": server.url} | dict(env or {})
            ran = self._airq("run", "--json", "--data-dir", data, *words, env=given | more, expect=expect)
        self.requests = server.requests
        return ran

    def well(self, script: Script | bytes, at: datetime, *, data: str = "data", **more: Any) -> Result:  # noqa: ANN401
        """The same in this process, for what nothing is wrong with."""
        given = {"data_dir": self.path(data), "stations": (7,), "now": at, "retries": 0}
        with serving(_script(script)) as server:
            result = run_all(configuration.build(given | {"api_url": server.url} | more))
        self.requests = server.requests
        assert result.exit_code == 0, result.problems
        return result

    def path(self, data: str = "data") -> Path:
        """Where a data directory lies."""
        return self._airq.directory / data

    def state(self, data: str = "data") -> State:
        """What a data directory holds; see `state.state`."""
        return state(self.path(data))

    def bodies(self, data: str = "data") -> list[bytes]:
        """The bodies of all answers that were kept, oldest first."""
        return [answer.body for path in captures.files(Lake(self.path(data))) for answer in captures.read(path)]

    def rejects(self) -> list[dict[str, Any]]:
        """What `airq-etl export rejects` shows."""
        out = self._airq("export", "rejects", "--data-dir", "data", "--format", "jsonl").out
        return [json.loads(line) for line in out.splitlines()]

    def export(self, what: Literal["daily", "hourly", "revisions"]) -> list[dict[str, Any]]:
        """The same of another table, in this process."""
        target = self.path(f"{what}.jsonl")
        settings = configuration.build({"data_dir": self.path()})
        export.write(export.rows(settings, what, (), None), "jsonl", target)
        return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def _script(script: Script | bytes) -> Script:
    if not isinstance(script, bytes):
        return script
    whole = script
    return lambda _: Reply(body=whole)


def stations_of(ran: "Ran") -> dict[int, dict[str, Any]]:
    """What `--json` says of each station."""
    return {station["station_id"]: station for station in ran.json["stations"]}
