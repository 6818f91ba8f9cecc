"""What the metrics file says: of the last run, and of all that there is."""

import os
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airq_etl import metrics
from airq_etl.forecast import LEVELS, QUANTILES
from airq_etl.forecast.outlook import Outlook, Point
from airq_etl.forecast.scores import SCORE_SCHEMA
from airq_etl.ledger import Ledger
from airq_etl.open_findings import Look, record
from airq_etl.results import Result
from airq_etl.sanity.finding import Finding
from airq_etl.sensors import SENSORS
from tests.frames import body, hour
from tests.server import Reply, Request, Server, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
NOW = datetime(2024, 9, 10, 16, 20, tzinfo=UTC)
SCORES = {"forecast_mean_absolute_error", "forecast_skill_ratio", "forecast_coverage_ratio", "forecast_scored_hours"}


class World:
    """Runs against a server, and what the metrics file says after each."""

    def __init__(self, airq: "Airq", server: Server) -> None:
        self._airq = airq
        self._env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7,8", "AIRQ_RETRIES": "0"}
        self.file = airq.directory / "textfile" / "airq_etl.prom"
        self.file.parent.mkdir()

    def run(self, *words: str, expect: int = 0, now: datetime = NOW, **settings: str) -> dict[str, float]:
        given = self._env | {"AIRQ_METRICS_FILE": str(self.file), "AIRQ_NOW": now.isoformat()}
        self._airq(
            "run", "-q", *words, env=given | {f"AIRQ_{name}": value for name, value in settings.items()}, expect=expect
        )
        return samples(self.file)


def samples(file: Path) -> dict[str, float]:
    """By name and labels, without the prefix, the values in a file."""
    found = re.findall(r"^airq_etl_(\S+) (\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: float(value) for name, value in found}


def answers(request: Request) -> Reply:
    """Stations 7 and 8, of which the first has two hours more; nobody knows another."""
    hours = {"7": 40, "8": 38}.get(request.path.rpartition("/")[2])
    if hours is None:
        return Reply(404, b"{}")
    return Reply(body=body({number: {"CO": 1.0 + number % 5} for number in range(hours)}))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(answers) as opened:
        yield opened


@pytest.fixture
def world(airq: "Airq", server: Server) -> World:
    return World(airq, server)


def newest(said: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in said.items() if name.startswith("newest_hour")}


def test_a_good_run(world: World) -> None:
    """Every metric is in the file of a good run, with what the run did; but for scores, which come with the hours."""
    said = world.run()
    assert {name.partition("{")[0] for name in said} == set(metrics.METRICS) - SCORES
    assert said["last_run_timestamp_seconds"] == said["last_success_timestamp_seconds"] == NOW.timestamp()
    assert (said["last_run_exit_code"], said["last_run_success"]) == (0, 1)
    assert 0 < said['step_duration_seconds{step="transform"}'] < said["last_run_duration_seconds"] < 100
    assert said['last_run_answer_rows{outcome="read"}'] == said['last_run_table_rows{outcome="new"}'] == 78
    assert said['last_run_documents_written{collection="hourly"}'] == 78
    assert said["last_run_requests"] == 2
    assert said["last_run_decoded_bytes"] > said["last_run_wire_bytes"] / 2 > 0
    assert newest(said) == {
        'newest_hour_timestamp_seconds{station="7"}': hour(39).timestamp(),
        'newest_hour_timestamp_seconds{station="8"}': hour(37).timestamp(),
    }


def test_every_metric_is_described() -> None:
    """The table in README has each metric with its labels, and what the file says of it."""
    rows = re.findall(r"^\| `airq_etl_(\w+)(?:\{([\w,]+)\})?` \| (.+) \|$", README, re.MULTILINE)
    described = {
        name: metrics.Metric(meaning, tuple(filter(None, labels.split(",")))) for name, labels, meaning in rows
    }
    assert described == metrics.METRICS


def test_a_run_of_one_station_forgets_no_other(world: World) -> None:
    """The newest hours of all stations stay where a run is of one alone, or fails; so does the last success."""
    hours = newest(world.run())
    alone = world.run("--station", "8", now=NOW + timedelta(hours=1))
    assert newest(alone) == hours
    assert alone["last_run_requests"] == 1
    failed = world.run(now=NOW + timedelta(hours=2), API_URL="http://127.0.0.1:1", expect=5)
    assert newest(failed) == hours
    assert (failed["last_run_exit_code"], failed["last_run_success"]) == (5, 0)
    assert failed["last_success_timestamp_seconds"] == (NOW + timedelta(hours=1)).timestamp()
    assert [failed[f'station_up{{station="{station}"}}'] for station in (7, 8)] == [0, 0]
    assert failed['step_success{step="extract"}'] == 0


def test_only_stations_of_ours(world: World) -> None:
    """One asked for by mistake is gone with the next run; one taken out of the settings, after two days."""
    assert world.run("--station", "7", "--station", "9", expect=3)['station_up{station="9"}'] == 0
    said = world.run(now=NOW + timedelta(hours=1))
    assert 'station_up{station="9"}' not in said
    assert len(newest(said)) == 2
    later = NOW + timedelta(days=2, minutes=30)
    assert len(newest(world.run(now=later, STATIONS="7"))) == 2
    assert list(newest(world.run(now=later + timedelta(hours=1), STATIONS="7"))) == [
        'newest_hour_timestamp_seconds{station="7"}'
    ]


def test_what_became_of_rows(world: World, server: Server) -> None:
    """Rows set aside, standing twice and revised are counted apart, and so are values that are missing."""
    whole = {sensor.key: 10.0 for sensor in SENSORS if sensor.core}
    rows: dict[int, dict[str, Any]] = {number: dict(whole) for number in range(30)}
    server.script = lambda _: Reply(body=body(rows))
    world.run(STATIONS="7")
    del rows[3]["CO"]
    rows[4]["CO"] = "much"
    first = body({0: whole}).partition(b'"data":[')[2].removesuffix(b"]}")
    double = body(rows).replace(b'"data":[', b'"data":[' + first + b",")
    server.script = lambda _: Reply(body=double)
    said = world.run(STATIONS="7", now=NOW + timedelta(hours=1))
    kinds = ("read", "rejected", "duplicate")
    assert [said[f'last_run_answer_rows{{outcome="{kind}"}}'] for kind in kinds] == [29, 1, 1]
    assert said['last_run_table_rows{outcome="revised"}'] == 1
    assert said["last_run_missing_values"] == 1


def test_a_store_that_is_down(world: World) -> None:
    """The step says which it was, and what did not come about is not there."""
    said = world.run(MONGODB_URI="mongodb://127.0.0.1:1/air", expect=7, RUN_DEADLINE_S="20")
    assert (said['step_success{step="load"}'], said['step_success{step="transform"}']) == (0, 1)
    assert "last_success_timestamp_seconds" not in said
    assert not [name for name in said if "documents_written" in name]


def test_whoever_runs_it_others_may_read_it(world: World) -> None:
    """The exporter is another user: the file is readable whatever the umask, and nothing else lies beside it."""
    before = os.umask(0o077)
    try:
        world.run()
        first = world.file.stat()
        world.run()
    finally:
        os.umask(before)
    assert stat.S_IMODE(world.file.stat().st_mode) == 0o644
    assert world.file.stat().st_ino != first.st_ino, "it is replaced, so that nobody reads half of it"
    assert list(world.file.parent.iterdir()) == [world.file]


def test_what_is_open_is_counted_by_severity(tmp_path: Path) -> None:
    """Open findings and alerts are counted by severity, and those that have cleared are not; none is 0."""
    found = [
        Finding(check="dead", severity="error", station_id=station, count=1, sentence="0.0", action="see it")
        for station in (7, 8)
    ]
    columns = "kind, subject, severity, since, sentence, action, opened_at, run_id, cleared_at"
    with Ledger(tmp_path) as ledger:
        record(ledger, found, Look("a", NOW))
        record(ledger, found[:1], Look("b", NOW))
        with ledger.transaction() as db:
            for kind, cleared_at in (("slow", None), ("overdue", NOW.isoformat())):
                values = [kind, "", "warning", NOW.isoformat(), "slow", "look", NOW.isoformat(), "a", cleared_at]
                db.execute(f"insert into alerts ({columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608
        metrics.write(tmp_path / "m.prom", ledger, Result(command="run", run_id="b", started_at=NOW))
    said = samples(tmp_path / "m.prom")
    counts = [
        [said[f'open_{what}{{severity="{kind}"}}'] for kind in ("error", "warning", "info")]
        for what in ("findings", "alerts")
    ]
    assert counts == [[1, 0, 0], [0, 1, 0]]


def outlook(station_id: int) -> Outlook:
    """The forecast of an hour: quantiles 1 to 5."""
    quantiles: dict[str, Any] = dict(zip(QUANTILES, (1.0, 2.0, 3.0, 4.0, 5.0), strict=True))
    point = Point(horizon=1, hour=hour(41), model="linear", **quantiles)
    return Outlook(station_id=station_id, sensor="co", unit="mg/m³", origin=hour(40), points=[point])


def forecast(tmp_path: Path, stations: int, *scores: tuple[Any, ...]) -> dict[str, float]:
    """What the file says of a run that forecast so many stations, from the number 7 on."""
    result = Result(command="run", run_id="b", started_at=NOW, outlooks=[outlook(7 + at) for at in range(stations)])
    rows = pl.DataFrame(list(scores), schema=SCORE_SCHEMA, orient="row")
    with Ledger(tmp_path) as ledger:
        metrics.write(tmp_path / "m.prom", ledger, result, rows)
    return {name: value for name, value in samples(tmp_path / "m.prom").items() if name.startswith("forecast")}


def test_the_newest_forecast(tmp_path: Path) -> None:
    """Each hour ahead has its five quantiles."""
    whose = 'station="7"'
    assert forecast(tmp_path, 1) == {
        f'forecast_value{{horizon="1",level="{level}",sensor="co",{whose}}}': value
        for level, value in zip(LEVELS, (1, 2, 3, 4, 5), strict=True)
    }


def test_scores_are_of_all_models_by_their_hours(tmp_path: Path) -> None:
    """Three hours of one and one of another weigh three to one; the skill is that of the whole."""
    said = forecast(
        tmp_path,
        1,
        (7, "co", 1, "damped", 3, 2.0, 4.0, 50.0, 1.0, 80.0, 100.0),
        (7, "co", 1, "linear", 1, 6.0, 8.0, 25.0, 1.0, 100.0, 60.0),
        (9, "co", 1, "linear", 1, 6.0, 8.0, 25.0, 1.0, 100.0, 60.0),
    )
    one = 'horizon="1",sensor="co",station="7"'
    assert {name: value for name, value in said.items() if not name.startswith("forecast_value")} == {
        f"forecast_scored_hours{{{one}}}": 4,
        f"forecast_mean_absolute_error{{{one}}}": 3,
        f"forecast_skill_ratio{{{one}}}": pytest.approx(0.4),
        'forecast_coverage_ratio{horizon="1",interval="80",sensor="co",station="7"}': pytest.approx(0.85),
        'forecast_coverage_ratio{horizon="1",interval="95",sensor="co",station="7"}': pytest.approx(0.9),
    }


def test_no_skill_where_nothing_ever_changed(tmp_path: Path) -> None:
    """Where 'it stays as it is' made no error, there is nothing to be better than."""
    said = forecast(tmp_path, 1, (7, "co", 1, "linear", 1, 0.0, 0.0, None, 1.0, 100.0, 100.0))
    assert not [name for name in said if "skill" in name]


def test_many_stations_are_left_out(tmp_path: Path) -> None:
    """The forecasts of a hundred stations are told, those of more are not."""
    score = (7, "co", 1, "linear", 1, 6.0, 8.0, 25.0, 1.0, 100.0, 60.0)
    assert len(forecast(tmp_path, 100, score)) == 5 * 100 + 5
    assert forecast(tmp_path, 101, score) == {}


def test_without_forecasts_there_are_none(world: World) -> None:
    """A run that made none has neither their values nor their scores, whatever runs before it had."""
    assert [name for name in world.run() if name.startswith("forecast_value")]
    again = world.run("--no-forecast", now=NOW + timedelta(hours=1))
    assert not [name for name in again if name.startswith("forecast")]


def test_a_run_that_the_ledger_does_not_know(tmp_path: Path) -> None:
    """A run that failed before it could be recorded is one that failed, all the same."""
    with Ledger(tmp_path) as ledger:
        result = Result(command="run", run_id="unheard", started_at=NOW, exit_code=7)
        metrics.write(tmp_path / "m.prom", ledger, result)
    said = samples(tmp_path / "m.prom")
    assert (said["last_run_exit_code"], said["last_run_timestamp_seconds"]) == (7, NOW.timestamp())
    assert not [name for name in said if name.startswith(("step", "last_run_answer"))]
