"""Twelve faults, planted into a store that the real job has filled: each is found, by the check that is for it."""

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from airq_etl import settings as configuration
from airq_etl.pipeline.evidence import gather
from airq_etl.pipeline.job import begun, job
from airq_etl.pipeline.load import EMBEDDED
from airq_etl.pipeline.run import run_all, run_load
from airq_etl.sanity import integrity
from airq_etl.sanity.checks import examine
from airq_etl.sanity.finding import Finding
from airq_etl.settings import Settings
from tests.frames import body, hour
from tests.raw import Raw, RawMongo, RawSqlite
from tests.server import Reply, Request, serving
from tests.translated import in_both

ONE, OTHER, NOBODY = 283164601, 283181971, 9999
DAYS = 35
NOW = hour(DAYS * 24) + timedelta(minutes=20)


def readings(station: int) -> dict[int, dict[str, float]]:
    """Five weeks without a gap, in which each sensor has its daily round and is never twice the same."""
    found = {}
    for number in range(DAYS * 24):
        wave = math.sin(2 * math.pi * number / 24) + ((number * 7919 + station) % 101) / 101
        levels = {
            "CO": 0.5,
            "NO2": 20.0,
            "O3": 30.0,
            "PM2.5": 12.0,
            "PM10": 24.0,
            "T": 27.0,
            "RH": 75.0,
            "T. int.": 300.0,
        }
        found[number] = {key: level * (1 + wave / 8) for key, level in levels.items()}
    return found


class Scene(NamedTuple):
    """A store after a run, and the way to it that goes round our code."""

    settings: Settings
    raw: Raw

    def findings(self) -> list[Finding]:
        """What is found, but for what only a reader of the numbers should know."""
        with job(self.settings, begun(self.settings, "sanity-check")) as work:
            return [finding for finding in in_both(examine(gather(work))) if finding.severity != "info"]


@pytest.fixture(params=["embedded", "mongo"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    """Two stations, five weeks, run and loaded; in either store."""
    data = tmp_path / "data"
    uri = request.getfixturevalue("mongo_uri") if request.param == "mongo" else None

    def script(asked: Request) -> Reply:
        return Reply(body=body(readings(int(asked.path.rpartition("/")[2]))))

    with serving(script) as server:
        given = {"data_dir": data, "api_url": server.url, "now": NOW, "mongodb_uri": uri}
        settings = configuration.build(given | {"stations": f"{ONE},{OTHER}"})
        assert run_all(settings).exit_code == 0
    return Scene(settings, RawSqlite(data / EMBEDDED) if uri is None else RawMongo(uri))


def an_hour(station: int, number: int) -> str:
    return f"{station}:{hour(number):%Y-%m-%dT%H}"


def a_day(station: int, number: int) -> str:
    return f"{station}:{day(number)}"


def day(number: int) -> date:
    return hour(24 * number).date()


def midnight(number: int) -> datetime:
    return hour(24 * number).astimezone(UTC)


def plant(raw: Raw) -> None:
    """One fault a line or two, each on a day of its own."""
    raw.delete("hourly", an_hour(ONE, 2 * 24 + 7))
    raw.delete("daily", a_day(ONE, 4))
    raw.copy("hourly", an_hour(ONE, 6 * 24 + 7), _id="by hand 1")
    raw.copy("daily", a_day(OTHER, 8), _id="by hand 2")
    raw.change("daily", a_day(ONE, 10), co_mean=9.99)
    raw.change("hourly", an_hour(OTHER, 12 * 24 + 7), pm10=1.25)
    raw.copy("hourly", an_hour(ONE, 14 * 24 + 7), _id=an_hour(NOBODY, 14 * 24 + 7), station_id=NOBODY)
    raw.copy("daily", a_day(OTHER, 16), _id=a_day(OTHER, -2), day=midnight(-2))
    raw.copy("hourly", an_hour(OTHER, 18 * 24), _id=an_hour(OTHER, 40 * 24), hour=midnight(40))
    raw.change("daily", a_day(OTHER, 20), pm25_hours=17, pm25_valid=False)
    raw.delete("stations", str(ONE))
    raw.change("hourly", an_hour(ONE, 22 * 24 + 7), no2="n/a")


EXPECTED = {
    ("store-differs", ONE, None, hour(2 * 24 + 7), 1),
    ("hours-without-day", ONE, None, hour(4 * 24), 24),
    ("duplicate-hours", ONE, None, hour(6 * 24 + 7), 1),
    ("duplicate-days", OTHER, None, day(8), 1),
    ("daily-mean", ONE, "co", day(10), 1),
    ("store-differs", OTHER, "pm10", hour(12 * 24 + 7), 1),
    ("unknown-station", NOBODY, None, hour(14 * 24 + 7), 1),
    ("days-without-hours", OTHER, None, day(-2), 1),
    ("future-hours", OTHER, None, hour(40 * 24), 1),
    ("daily-mean", OTHER, "pm25", day(20), 1),
    ("unknown-station", ONE, None, hour(0), DAYS * 24 + DAYS - 1),
    ("store-differs", ONE, "no2", hour(22 * 24 + 7), 1),
}
FOR_THE_HAND = {"duplicate-hours", "duplicate-days", "future-hours", "days-without-hours"}


def told(findings: list[Finding]) -> set[tuple[object, ...]]:
    """What is compared of findings; of two alike one would be lost."""
    found = [(f.check, f.station_id, f.sensor, f.first, f.count) for f in findings]
    assert len(found) == len(set(found))
    return set(found)


def test_twelve_planted_faults_are_found(scene: Scene) -> None:
    """Each is one finding of the store, an error of the check that is for it; nothing else is found, nor was before."""
    before = scene.findings()
    assert not {finding.check for finding in before} & {check.name for check in integrity.CHECKS}
    plant(scene.raw)
    found = [finding for finding in scene.findings() if finding not in before]
    assert told(found) == EXPECTED
    assert {finding.severity for finding in found} == {"error"}
    assert "tables" not in {finding.place for finding in found}


def test_what_a_finding_says_to_do_mends_it(scene: Scene) -> None:
    """After a full load all is well but for rows that nobody asked for, of which the findings say to remove them."""
    plant(scene.raw)
    run_load(scene.settings, full=True)
    left = [finding for finding in scene.findings() if finding.check in {check.name for check in integrity.CHECKS}]
    assert {(finding.check, finding.station_id) for finding in left} == {
        (check, station) for check, station, *_ in EXPECTED if check in FOR_THE_HAND or station == NOBODY
    }
    assert all("remove" in finding.action for finding in left)
