"""airq-etl report, as a user calls it: over the demo's data, and over a year of real air."""

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airq_etl import lock
from tests.browser import browser, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from tests.conftest import Airq

FIRST, SECOND = 283164601, 283181971
DEMO_NOW, NOW = "2026-09-09T10:20:00", "2023-12-10T01:30:00"
HIGHEST = {("pm25", FIRST): 31.53, ("pm25", SECOND): 38.93, ("co", FIRST): 1.56, ("co", SECOND): 2.49}
"""The highest daily means of a dashboard of the same payloads, of all days whatever their hours."""
NO_ALTAIR = "import sys; sys.modules['altair'] = None; from airq_etl.cli import main; main()"


@pytest.fixture(scope="module")
def demo(airq_in: "Callable[[Path], Airq]", tmp_path_factory: pytest.TempPathFactory) -> "Airq":
    """The demo's data, in `data`."""
    airq = airq_in(tmp_path_factory.mktemp("demo"))
    airq("run", "--demo", "--data-dir", "data", "-q")
    return airq


@pytest.fixture(scope="module")
def real(airq_in: "Callable[[Path], Airq]", captures_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> "Airq":
    """The captures, in `data`, as they were asked for in December 2023; loaded, with a forecast of the next hours."""
    airq = airq_in(tmp_path_factory.mktemp("real"))
    for asked in ("2023-12-06T17:20:00", "2023-12-10T01:20:00"):
        payloads = sorted(captures_dir.glob(f"*_{asked[:10]}.json.gz"))
        airq("extract", "--from", *payloads, "--data-dir", "data", "--now", asked)
        airq("transform", "--data-dir", "data", "--now", asked)
    for command in ("load", "forecast"):
        airq(command, "--data-dir", "data", "--now", NOW)
    return airq


@pytest.fixture(scope="module")
def chromium(program: "Callable[[str], str]") -> Iterator["Browser"]:
    with browser(program("chromium")) as found:
        yield found


def facts(airq: "Airq", *words: str, now: str = NOW, env: dict[str, str] | None = None) -> Any:  # noqa: ANN401
    return airq("report", "--json", "--data-dir", "data", "--now", now, *words, env=env).json


def station_of(report: Any, station_id: int) -> Any:  # noqa: ANN401
    (station,) = (station for station in report["stations"] if station["station_id"] == station_id)
    return station


def contents(directory: Path) -> dict[str, str]:
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("sensor", "station_id"), list(HIGHEST))
def test_the_highest_days_are_those_of_a_known_dashboard(real: "Airq", sensor: str, station_id: int) -> None:
    """Of all days; where that one has too few hours, the report says so, and gives the highest of the valid ones."""
    of_sensor = station_of(facts(real), station_id)[sensor]
    assert round(of_sensor["highest_of_all"]["mean"], 2) == HIGHEST[sensor, station_id]
    if sensor == "pm25":
        assert of_sensor["highest_of_all"] == of_sensor["highest"]
    else:
        assert of_sensor["highest_of_all"]["hours"] < 18 <= of_sensor["highest"]["hours"]
        assert of_sensor["highest"]["mean"] < of_sensor["highest_of_all"]["mean"]


def test_the_days_are_those_of_the_daily_table(real: "Airq") -> None:
    """Every mean with its hours; days without data are null, and none is doubled."""
    exported = real("export", "daily", "--format", "jsonl", "--data-dir", "data").out.splitlines()
    table = {(row["station_id"], row["day"]): row for row in map(json.loads, exported)}
    assert len(table) > 690
    for station in facts(real)["stations"]:
        for sensor in ("pm25", "co"):
            daily = station[sensor]["daily"]
            for day, mean, hours, valid in zip(
                station["days"], daily["mean"], daily["hours"], daily["valid"], strict=True
            ):
                row = table.get((station["station_id"], day), {})
                assert hours == row.get(f"{sensor}_hours", 0)
                assert valid == row.get(f"{sensor}_valid", False)
                assert mean == pytest.approx(row.get(f"{sensor}_mean"), abs=5e-5)


def test_what_is_known_of_the_air_of_abidjan_is_told(real: "Airq") -> None:
    """That the zero of SMART188's CO has drifted stands with the station, and in place of a forecast."""
    station = station_of(facts(real), FIRST)
    assert ("negative-share", "co") in {(finding["check"], finding["sensor"]) for finding in station["findings"]}
    assert "its zero has drifted" in station["co"]["outlook"]["reason"]
    assert len(station["pm25"]["outlook"]["points"]) == 2


def test_the_page_of_a_year_of_two_stations_opens_with_the_network_cut(real: "Airq", chromium: "Browser") -> None:
    """Every chart is drawn, nothing is asked for, nothing is complained of; in French as well."""
    for language in ("en", "fr"):
        page = real.directory / f"{language}.html"
        said = real("report", "--data-dir", "data", "--now", NOW, "-o", page, "--lang", language).out
        assert "2 stations, 2022-12-06 to 2023-12-10" in said
        with opened(chromium, page) as shown:
            assert (shown.requests, shown.complaints) == ([page.as_uri()], [])
            words = shown.page.locator("main").inner_text()
            assert "31.53" in words or "31,53" in words


def test_the_store_says_the_same(real: "Airq", mongo_uri: str) -> None:
    """From the embedded store and from MongoDB the report is that of the tables, but for why there is no forecast."""
    tables, embedded = facts(real), facts(real, "--source", "store")
    env = {"AIRQ_MONGODB_URI": mongo_uri}
    real("load", "--data-dir", "data", "--now", NOW, env=env)
    # Without the data directory: the machine of who looks has none.
    mongo = facts(real, "--source", "store", "--data-dir", "nowhere", env=env)
    for report in (tables, embedded, mongo):
        report["source"] = report["runs"] = report["run_days"] = None
        for station in report["stations"]:
            station["co"]["outlook"] = (station["co"]["outlook"] and station["co"]["outlook"]["points"]) or None
    assert embedded == tables
    assert mongo == tables
    assert not (real.directory / "nowhere").exists()


@pytest.mark.parametrize("source", ["tables", "store"])
def test_it_changes_nothing(demo: "Airq", source: str) -> None:
    """The data directory is the same to the byte, and may be one that only others write."""
    before = contents(demo.directory / "data")
    demo("report", "--data-dir", "data", "--now", DEMO_NOW, "-o", "page.html", "--source", source)
    assert contents(demo.directory / "data") == before


def test_it_may_be_made_while_a_run_is_at_work(demo: "Airq") -> None:
    """The tables are whole at any time; what the checks say is what they said last, and when."""
    with lock.hold(demo.directory / "data", "run", datetime.now(UTC)):
        report = facts(demo, now=DEMO_NOW)
    assert report["findings_as_of"] == "2026-09-09T10:20:00Z"
    by_itself = facts(demo, now=DEMO_NOW)
    assert by_itself["findings_as_of"] is None
    checks = [[(its["check"], its["sensor"]) for its in one["stations"][0]["findings"]] for one in (report, by_itself)]
    assert sorted(checks[0], key=str) == sorted(checks[1], key=str) != []


def test_a_run_is_told(demo: "Airq") -> None:
    """The demo has run once, and well."""
    report = facts(demo, now=DEMO_NOW)
    assert [(run["state"], run["exit_code"]) for run in report["runs"]] == [("SUCCESS", 0)]
    assert (report["run_days"]["day"], report["run_days"]["good"]) == (["2026-09-09"], [1])
    assert facts(demo, "--source", "store", now=DEMO_NOW)["run_days"] == report["run_days"]


def test_stations_and_days_are_narrowed_down(demo: "Airq") -> None:
    """To what is asked for."""
    words = ["--station", str(SECOND), "--start-date", "2026-03-01", "--end-date", "2026-03-31"]
    for source in ("tables", "store"):
        (station,) = facts(demo, *words, "--source", source, now=DEMO_NOW)["stations"]
        assert (station["station_id"], station["days"][0], station["days"][-1]) == (SECOND, "2026-03-01", "2026-03-31")
        assert station["pm25"]["months"]["month"] == sorted(set(station["pm25"]["clock"]["month"])) == ["2026-03"]
        assert station["newest"]["hour"].startswith("2026-09-09")
        # What is found is of these days too.
        firsts = [finding["first"] for finding in station["findings"] if finding["first"]]
        assert firsts
        assert all("2026-03" in first or "2026-02-28" in first for first in firsts)


def test_a_station_is_called_as_the_stations_file_says(demo: "Airq", tmp_path: Path) -> None:
    """Which goes before what the API says."""
    file = tmp_path / "stations.toml"
    file.write_text(f'[{FIRST}]\nname = "Plateau"\n', encoding="utf-8")
    report = facts(demo, now=DEMO_NOW, env={"AIRQ_STATIONS_FILE": str(file)})
    assert [station["label"] for station in report["stations"]] == ["Plateau", "SIM971"]


@pytest.mark.parametrize("source", ["tables", "store"])
def test_a_report_of_an_earlier_time_knows_nothing_that_came_later(demo: "Airq", source: str) -> None:
    """No hour, no day, no run: a replay shows what would have been shown."""
    earlier = facts(demo, "--source", source, now="2026-03-01T10:20:00")
    station = station_of(earlier, SECOND)
    assert station["newest"]["hour"] == "2026-03-01T10:00:00Z"
    assert (station["days"][-1], station["newest"]["age_h"]) == ("2026-03-01", 0.33)
    assert max(station["co"]["clock"]["month"]) == "2026-03"
    assert (earlier["runs"], earlier["run_days"]["day"]) == ([], [])


def test_a_store_of_an_older_version_is_named_and_not_altered(demo: "Airq", tmp_path: Path) -> None:
    """The next run brings it up to date; who only looks does not."""
    store = tmp_path / "airq.db"
    store.write_bytes((demo.directory / "data" / "airq.db").read_bytes())
    with closing(sqlite3.connect(store)) as opened_store:
        opened_store.execute("pragma user_version = 1")
    words: list[str | Path] = ["report", "--json", "--source", "store", "--data-dir", tmp_path]
    assert "is of an older airq-etl; the next `airq-etl run` brings it up to date" in demo(*words, expect=7).err
    with closing(sqlite3.connect(store)) as opened_store:
        assert opened_store.execute("pragma user_version").fetchone() == (1,)


def test_without_a_ledger_it_says_so(demo: "Airq", tmp_path: Path) -> None:
    """Not that there were no data."""
    shutil.copytree(demo.directory / "data" / "hourly", tmp_path / "hourly")
    said = demo("report", "--json", "--data-dir", tmp_path, expect=2).err
    assert f"there is no ledger in {tmp_path}; `airq-etl run` makes one" in said


def test_without_options_the_page_lies_here(demo: "Airq") -> None:
    """By a name that says what it is; with -q nothing is said, and with - it goes to standard output."""
    said = demo("report", "--data-dir", "data", "--now", DEMO_NOW)
    page = demo.directory / "airq-report.html"
    assert said.out.startswith("airq-report.html: 1.")
    assert said.out.endswith("; open it in a browser\n")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert demo("report", "--data-dir", "data", "--now", DEMO_NOW, "-q")[1:] == ("", "")
    assert demo("report", "--data-dir", "data", "--now", DEMO_NOW, "-o", "-").out == page.read_text(encoding="utf-8")


def test_each_chart_is_a_picture(demo: "Airq") -> None:
    """By the station and the chart, without a browser."""
    said = demo("report", "--data-dir", "data", "--now", DEMO_NOW, "--png", "pictures", "--station", str(FIRST))
    pictures = sorted((demo.directory / "pictures").iterdir())
    names = [picture.name for picture in pictures]
    assert said.out == "pictures: 14 pictures, 1 station, 2025-09-09 to 2026-09-09\n"
    assert len(names) == 14
    assert {"283164601-pm25-daily.png", "283164601-together.png", "all-runs.png"} <= set(names)
    assert all(picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 10_000 for picture in pictures)
    assert not (demo.directory / "airq-report.html.tmp").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "no/such/page.html"], "-o no/such/page.html: there is no directory no/such; make it first"),
        (["-o", "data"], "-o data: it is a directory; name a file in it"),
        (["--png", "file"], "--png file: it is no directory"),
        (["-o", "-", "--json"], "-o - goes by itself: with --json or --png, name a file"),
        (["--station", "5"], f"--station 5: nothing is stored of it; there are {FIRST}, {SECOND}"),
        (["--station", "5", "--source", "store"], f"--station 5: nothing is stored of it; there are {FIRST}, {SECOND}"),
        (["--station", "x"], "--station: 'x' is no station id"),
        (["--start-date", "yesterday"], "--start-date: 'yesterday' is not a day like 2024-09-01"),
        (
            ["--start-date", "2020-01-01", "--end-date", "2020-02-01"],
            "no day from 2020-01-01 to 2020-02-01 is stored; there are those from 2025-09-09 to 2026-09-09",
        ),
        (
            ["--start-date", "2020-01-01", "--end-date", "2020-02-01", "--source", "store"],
            "no day from 2020-01-01 to 2020-02-01 is stored; there are those from 2025-09-09 to 2026-09-09",
        ),
        (["--lang", "de"], "'de' is not one of 'en', 'fr'"),
        (["--source", "csv"], "'csv' is not one of 'tables', 'store'"),
        (["--data-dir", "empty"], "there is no data in empty yet; `airq-etl run` fetches some"),
        (["--data-dir", "empty", "--source", "store"], "there is no store in empty yet; `airq-etl run` makes one"),
    ],
)
def test_wrong_input_is_one_line(demo: "Airq", words: list[str], said: str) -> None:
    """Exit code 2, and nothing is written."""
    (demo.directory / "file").touch()
    before = {path.name for path in demo.directory.iterdir()}
    ran = demo("report", "--data-dir", "data", "--now", DEMO_NOW, *words, expect=2)
    assert ran.out == ""
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert {path.name for path in demo.directory.iterdir()} == before


def test_a_page_that_cannot_be_written_is_one_line(demo: "Airq") -> None:
    """A full disk: the old page stays, and no part of a new one lies beside it."""
    ran = demo("report", "--data-dir", "data", "--now", DEMO_NOW, "-o", "/dev/full", expect=1)
    assert ran.err == "airq-etl: /dev/full cannot be written: No space left on device\n"


def test_without_what_draws_charts_it_says_what_to_install(demo: "Airq") -> None:
    """And prints the facts all the same."""
    import subprocess

    words = ["report", "--data-dir", "data", "--now", DEMO_NOW]
    command = [sys.executable, "-c", NO_ALTAIR, *words]
    ran = subprocess.run(
        command, cwd=demo.directory, env=demo.environment, capture_output=True, encoding="utf-8", check=False
    )
    assert ran.returncode == 2
    assert "needs altair, which is not installed: pip install '.[report]'" in ran.stderr
    as_json = subprocess.run(
        [*command, "--json"],
        cwd=demo.directory,
        env=demo.environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert len(json.loads(as_json.stdout)["stations"]) == 2
