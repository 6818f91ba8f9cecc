"""The command forecast, and the step of each run: what they print, and what becomes of a run when one breaks."""

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from airq_etl.pipeline.demo import DEMO_NOW
from tests.frames import body, hour
from tests.made_up_forecast import CRASH, HANG, REFUSE
from tests.server import Reply, Request, Server, serving

if TYPE_CHECKING:
    from tests.conftest import Airq, Ran

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PROGRAM: list[str | Path] = [sys.executable, Path(__file__).parent / "made_up_forecast.py"]
FINE = 1.0


class World:
    """Runs of stations 7 and 8 an hour apart, with a CO that a test sets; and the command, as of the last of them."""

    def __init__(self, airq: "Airq", server: Server) -> None:
        self.airq, self.now, self.co = airq, hour(40), FINE
        self.data = airq.directory / "share/airq-etl"
        self.env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7,8", "AIRQ_RETRIES": "0"}
        server.script = self._answer

    def _answer(self, request: Request) -> Reply:
        if request.path.endswith("/9"):
            return Reply(404, b"{}")
        rows = {number: {"CO": FINE + number % 5, "PM2.5": 10.0 + number % 7} for number in range(39)}
        return Reply(body=body(rows | {39: {"CO": self.co, "PM2.5": 12.0}}))

    def run(self, *words: str, broken: bool = False, expect: int = 0, **settings: str) -> "Ran":
        env = self.env | {f"AIRQ_{name}": value for name, value in settings.items()}
        under = PROGRAM if broken else []
        return self.airq("run", *words, "--now", self.now.isoformat(), env=env, expect=expect, under=under)

    def forecast(self, *words: str | Path, expect: int = 0) -> "Ran":
        ran = self.airq("forecast", "--now", self.now.isoformat(), *words, env=self.env, expect=expect)
        assert max(map(cell_len, ran.out.splitlines()), default=0) <= 80 or "--json" in words
        return ran

    def steps(self) -> dict[str, str]:
        """The states of the steps of the last run."""
        query = "select step, state from steps where run_id = (select run_id from runs order by rowid desc limit 1)"
        return dict(self.ledger(query))

    def ledger(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.data / "ledger.db")) as db:
            return db.execute(query).fetchall()


@pytest.fixture
def world(airq: "Airq") -> Iterator[World]:
    with serving(lambda _: Reply(404)) as server:
        yield World(airq, server)


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def test_a_run_forecasts_its_stations(world: World) -> None:
    """The result of a run has what is forecast, and how much of it is new; its text says it in a line."""
    ran = world.run("--json").json
    assert {one["station_id"] for one in ran["outlooks"]} == {7, 8}
    assert (ran["forecasts"]["made"], ran["exit_code"]) == (sum(len(o["points"]) for o in ran["outlooks"]), 0)
    assert world.steps()["forecast"] == "SUCCESS"
    world.now = hour(41)
    assert re.search(r"^forecast: \d+ made.*; `airq-etl forecast` shows them$", world.run().out, re.MULTILINE)


def test_a_run_of_one_station_forecasts_that_alone(world: World) -> None:
    """With --station nothing is forecast for another."""
    assert {one["station_id"] for one in world.run("--json", "--station", "8").json["outlooks"]} == {8}


def test_a_run_without(world: World) -> None:
    """--no-forecast leaves it out, even out of the ledger, and nothing else."""
    ran = world.run("--json", "--no-forecast").json
    assert (ran["forecasts"], ran["outlooks"]) == ({}, [])
    assert world.steps() == dict.fromkeys(("extract", "transform", "load", "sanity-check"), "SUCCESS")


@pytest.mark.parametrize(
    ("co", "warning"),
    [
        (REFUSE, "forecast: the store is made up; try again"),
        (CRASH, "forecast: this is a bug, and the run goes on: ZeroDivisionError: made up"),
    ],
)
def test_a_forecast_that_breaks_breaks_no_run(world: World, co: float, warning: str) -> None:
    """It is one warning of a run that ends well, and goes on to its last step; the step has failed."""
    world.co = co
    assert one_line(world.run("-q", broken=True).err) == f"airq-etl: warning: {warning}"
    assert world.steps() == dict.fromkeys(("extract", "transform", "load", "sanity-check"), "SUCCESS") | {
        "forecast": "FAILED"
    }
    assert world.ledger("select state, exit_code from runs") == [("SUCCESS", 0)]


def test_a_forecast_that_takes_too_long(world: World) -> None:
    """One that is still at work at the run's deadline is cut short with a warning, and the run ends well."""
    world.co = HANG
    ran = world.run("-q", broken=True, RUN_DEADLINE_S="11")
    assert "forecast: not done before the run's deadline" in one_line(ran.err)
    assert world.ledger("select state, exit_code from runs") == [("SUCCESS", 0)]


def test_a_run_without_time(world: World) -> None:
    """A run that is about to reach its deadline leaves it to the next one."""
    ran = world.run("--json", "-v", RUN_DEADLINE_S="9")
    assert (ran.json["outlooks"], ran.json["exit_code"]) == ([], 0)
    assert "forecast: left to the next run" in ran.err
    assert world.steps()["forecast"] == "SKIPPED"


def test_a_damaged_answer_stops_no_forecast(world: World) -> None:
    """Where an answer cannot be taken into the tables, the next hours are forecast from those that could."""
    answer = world.data / "captures/2024/09/10/140000Z-00000000.jsonl.gz"
    answer.parent.mkdir(parents=True)
    answer.write_bytes(b"no such thing" * 1000)
    assert world.run("--json", expect=7).json["forecasts"]["made"] == 8
    states = world.steps()
    assert (states["transform"], states["load"], states["forecast"]) == ("FAILED", "SUCCESS", "SUCCESS")


def test_the_command_shows_what_it_makes(world: World) -> None:
    """It prints a table a station, and with --json one document with the same; -q prints nothing."""
    world.run("-q")
    told = world.forecast("--station", "7").out
    assert told.startswith("7")
    assert "\nPM2.5 µg/m³" in told
    assert "\n8" not in told
    found = world.forecast("--json", "--horizon", "3").json
    assert {one["station_id"] for one in found["outlooks"]} == {7, 8}
    assert {point["horizon"] for one in found["outlooks"] for point in one["points"]} <= {1, 2, 3}
    assert found["exit_code"] == 0
    assert (world.forecast("-q").out, world.forecast("-q").err) == ("", "")


def test_scores_and_models_are_one_document_each(world: World) -> None:
    """--scores and --models print a table, or with --json a list."""
    for at in (40, 41, 42):
        world.now = hour(at)
        world.run("-q")
    for words in (["--scores"], ["--scores", "--start-date", "2024-09-10"], ["--models", "--station", "7"]):
        assert world.forecast(*words).out
        assert isinstance(world.forecast(*words, "--json").json, list)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--horizon", "7"], "'--horizon'"),
        (["--horizon", "0"], "'--horizon'"),
        (["--station", "99"], "--station 99: nothing is known of it; there are 7, 8"),
        (["--station", "x"], "--station: 'x'"),
        (["--scores", "--models"], "--scores and --models exclude each other; give one of them"),
        (["--scores", "--backtest", "--start-date", "2024-09-09"], "--scores and --backtest exclude each other"),
        (["--models", "--horizon", "3"], "--models shows all horizons, and goes without --horizon"),
        (["--models", "--start-date", "2024-09-09"], "--start-date and --end-date belong to --scores and --backtest"),
        (["--end-date", "2024-09-09"], "--start-date and --end-date belong to --scores and --backtest"),
        (["--scores", "--end-date", "2024-09-09"], "--end-date 2024-09-09 needs a --start-date"),
        (["--backtest"], "--backtest needs a --start-date"),
        (["--backtest", "--start-date", "2024-02-30"], "--start-date: '2024-02-30'"),
        (["--backtest", "--start-date", "2024-09-09", "-o", "none/x.csv"], "-o none/x.csv: there is no directory none"),
        (["--backtest", "--start-date", "2024-09-09", "-o", "."], "-o .: it is a directory"),
        (["-o", "x.csv"], "-o belongs to --backtest"),
        (["--data-dir", "none"], "there is no data in none yet; `airq-etl run` fetches some"),
        (["--scores", "--data-dir", "none"], "there is no data in none yet"),
    ],
)
def test_wrong_use_is_one_line(world: World, words: list[str], said: str) -> None:
    """Wrong use, or no data yet, is exit code 2 and one line that names the thing; nothing is made."""
    world.run("-q", "--no-forecast")
    before = world.ledger("select count(*) from runs")
    ran = world.forecast(*words, expect=2)
    assert said in one_line(ran.err)
    assert ran.out == ""
    assert not (world.airq.directory / "none").exists()
    assert world.ledger("select count(*) from runs") == before


def test_the_readme_shows_what_it_prints(airq: "Airq") -> None:
    """The block in README's section is, to the letter, what is printed after the demo."""
    section = README.partition("\n## The next two hours\n")[2].partition("\n## ")[0]
    (words,) = re.findall(r"^`(--data-dir .*)`:$", section, re.MULTILINE)
    shown = section.partition("```\n")[2].partition("```")[0]
    assert DEMO_NOW.startswith(words.partition("--now ")[2].partition(" ")[0])
    del airq.environment["XDG_DATA_HOME"]
    airq("run", "--demo")
    assert airq("forecast", *words.replace("~", str(airq.directory)).split()).out == shown


def test_the_demo_says_what_the_command_says(airq: "Airq") -> None:
    """The demo's lines on PM2.5 and CO have the values, hours and intervals that the command has."""
    lines = airq("run", "--demo", "--data-dir", "demo").out.partition("\nThe next two hours")[2].splitlines()
    found = airq("forecast", "--json", "--data-dir", "demo", "--now", DEMO_NOW).json["outlooks"]
    assert lines[1].split() == ["station", "last", "10:00", "UTC", "11:00", "UTC"]
    told = [one for one in found if one["sensor"] in {"pm25", "co"}]
    assert len(told) == 4
    for line, one in zip(lines[2:6], told, strict=True):
        assert line.startswith(str(one["station_id"]))
        decimals = 2 if one["sensor"] == "co" else 1
        wanted = [f"{one['last_value']:.{decimals}f}"] + [f"{point['median']:.{decimals}f}" for point in one["points"]]
        numbers = line.partition("m³")[2].split()
        assert [numbers[0], *(numbers[at - 1] for at, word in enumerate(numbers) if word.startswith("("))] == wanted
