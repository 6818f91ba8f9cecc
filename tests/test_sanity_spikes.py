"""The check of single hours that stand out."""

from pathlib import Path

import polars as pl

from airq_etl.sanity import spikes
from airq_etl.sanity.checks import CHECKS, examine
from tests.evidence import OTHER, evidence, finder
from tests.frames import STATION, answer, captured, hour

find = finder(spikes.CHECKS)
LATER = hour(24 * 400)


def station(station_id: int, **jolts: dict[int, float]) -> pl.DataFrame:
    """A month of hours that go by like each other, and what stands out of them."""
    usual = {n: 5.0 + (n % 24) / 2.4 + (n * 7 % 11) / 10 for n in range(24 * 30)}
    values = {n: {"PM2.5": value, "PM10": 2 * value} for n, value in usual.items()}
    for key, hours in jolts.items():
        for n, value in hours.items():
            values[n]["PM2.5" if key == "pm25" else "PM10"] = value
    return answer(values, LATER, station_id)


def test_steady_hours_are_nothing_to_say() -> None:
    """Where nothing stands out there is no finding; nor where there are no hours."""
    assert find("spikes", evidence(station(STATION))) == []
    assert find("spikes", evidence()) == []


def test_spikes_of_a_station_are_one_finding() -> None:
    """Its sensors are named, the one that has most of them first, with the highest."""
    table = pl.concat([station(STATION, pm25={500: 60.0, 610: 80.0}, pm10={700: 200.0}), station(OTHER)])
    (finding,) = find("spikes", evidence(table))
    assert (finding.severity, finding.station_id, finding.sensor, finding.count) == ("info", STATION, None, 3)
    assert (finding.first, finding.last) == (hour(500), hour(700))
    assert finding.sentence == (
        "single hours stand out by far, of PM2.5 2 times and PM10 1 time; the highest of PM2.5 is 80.0 µg/m³ at "
        "2024-10-04 10:00"
    )


def test_a_short_look_leaves_out_what_is_not_for_runs() -> None:
    """Spikes, steps, drift and sites are left to the look at everything."""
    given = evidence(station(STATION, pm25={500: 60.0}))
    whole, short = ({finding.check for finding in examine(given, short=short)} for short in (False, True))
    assert whole - short == {"spikes"}
    assert {check.name for check in CHECKS if not check.for_runs} == {"spikes", "step", "drift", "not-at-site"}


def test_on_the_captures(captures_dir: Path) -> None:
    """A real year of two stations has some dozen such hours each, mostly of particles."""
    found = find("spikes", evidence(captured(captures_dir)))
    assert [finding.station_id for finding in found] == [283164601, 283181971]
    assert all(12 < finding.count < 48 for finding in found)
    assert "of PM10" in found[0].sentence
