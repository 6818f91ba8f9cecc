"""What the API does: rewrites its past, changes its keys, sends rows that are not as they should be."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from airq_etl import hourly
from airq_etl.sanity import source
from airq_etl.sanity.finding import Finding
from tests.evidence import OTHER, evidence, finder, rows
from tests.frames import STATION, hour

find = finder(source.CHECKS)
MINUTE = timedelta(minutes=1)
MONTH = 24 * 30
COLUMNS = ("station_id", "requested_at", "capture", "position", "key", "reason", "row")


def only(found: list[Finding]) -> Finding:
    (finding,) = found
    return finding


def revised(numbers: range, seen: int, old: float = 0.0, station: int = STATION, sensor: str = "co") -> pl.DataFrame:
    found = [(station, hour(number), sensor, old, 1.0, hour(seen)) for number in numbers]
    return pl.DataFrame(found, schema=hourly.REVISION_SCHEMA, orient="row")


def mass(hours: int, *found: pl.DataFrame, now: int = 2000) -> list[Finding]:
    return find("mass-revision", evidence(rows(range(hours)), revisions=pl.concat(found), now=hour(now)))


# -- mass-revision -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("revisions", "hours", "found"), [(12, 100, 1), (11, 100, 0), (12, 1200, 0), (12, 1199, 1)])
def test_many_hours_revised_at_once(revisions: int, hours: int, found: int) -> None:
    """More than 1 % of the hours within an answer's reach, and twelve at least: fewer is what a source corrects."""
    assert len(mass(hours, revised(range(revisions), 1500))) == found


def test_the_reach_of_an_answer_begins_with_its_first_revision() -> None:
    """A short answer that revises half of its hours is not lost in the years that it did not tell of."""
    found = only(mass(1900, revised(range(1860, 1884), 1900)))
    assert found.count == 24
    assert (
        "changed 24 hours (60 % of those within its reach) of CO, from 2024-11-25 12:00 to 2024-11-26 11:00"
        in found.sentence
    )


def test_what_moved_is_said() -> None:
    """How many daily means moved, and the one that moved most: with its sensor, day, both means and the unit."""
    found = only(mass(100, revised(range(24), 1500), revised(range(24, 36), 1500, old=-1.0)))
    assert "2 daily means moved, the most that of CO of 2024-09-09, from 0.00 to 1.00 mg/m³" in found.sentence
    assert "no daily mean moved" in only(mass(100, revised(range(24), 1500, old=1.0))).sentence
    alone = only(mass(100, revised(range(24), 1500)))
    assert alone.sentence.endswith("; 1 daily mean moved, that of CO of 2024-09-09, from 0.00 to 1.00 mg/m³")


def test_a_sensor_revised_in_more_hours_is_named_first() -> None:
    """Sensors stand by the number of their hours."""
    both = [revised(range(5), 1500), revised(range(20), 1500, sensor="no2")]
    assert "of NO2 and CO, from" in only(mass(100, *both)).sentence


def test_one_asking_in_several_windows_is_one() -> None:
    """Answers asked for within an hour are one; those before are counted; each station has its own finding."""
    windows = [revised(range(n * 20, n * 20 + 20), 1500 + n) for n in range(2)]
    before = [revised(range(50), 1000), revised(range(50), 1100)]
    found = only(mass(100, *windows, *before))
    assert found.count == 40
    assert "and in 2 answers before; " in found.sentence
    assert found.severity == "warning"
    given = evidence(rows(range(100)), rows(range(100), OTHER), now=hour(2000))
    both = pl.concat([revised(range(50), 1000), revised(range(50), 1000, station=OTHER)])
    assert [f.station_id for f in find("mass-revision", given._replace(revisions=both))] == [STATION, OTHER]


@pytest.mark.parametrize(("late", "severity"), [(0, "warning"), (1, "info")])
def test_after_a_month_a_revision_is_history(late: int, severity: str) -> None:
    """What was seen within 30 days somebody should look at; later a reader should know of it."""
    given = evidence(rows(range(100)), revisions=revised(range(50), 1000), now=hour(1000 + MONTH) + late * MINUTE)
    assert only(find("mass-revision", given)).severity == severity


def test_no_revisions() -> None:
    """Without revisions there is nothing to say, whatever frame stands for none."""
    for none in (pl.DataFrame(), pl.DataFrame(schema=hourly.REVISION_SCHEMA)):
        assert find("mass-revision", evidence(rows(range(100)), revisions=none)) == []


# -- unknown-keys --------------------------------------------------------------------------------------------------


def test_unknown_keys() -> None:
    """Keys that no sensor declares are named; those that one declares are not."""
    keys = {STATION: {"CO": hour(9), "PM4": hour(8), "H2S": hour(7)}, OTHER: {"CO": hour(9)}}
    found = only(find("unknown-keys", evidence(keys=keys)))
    assert (found.severity, found.station_id, found.count, found.last) == ("info", STATION, 2, hour(8))
    assert found.sentence == "'H2S' and 'PM4' are no sensors known here; the values stay in the captures"
    many = {STATION: {f"x{n}": hour(n) for n in range(9)}}
    assert "'x0', 'x1', 'x2' and 6 more" in only(find("unknown-keys", evidence(keys=many))).sentence


# -- vanished-sensor -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("missing", "found"), [(23, 0), (24, 1)])
def test_a_sensor_that_is_no_longer_given(missing: int, found: int) -> None:
    """A sensor that had values and is in none of the station's last 24 hours has vanished."""
    table = [rows(range(50)), rows(range(50, 50 + missing), without=["o3"])]
    given = find("vanished-sensor", evidence(*table))
    assert len(given) == found
    if given:
        assert (given[0].sensor, given[0].first, given[0].count) == ("o3", hour(50), 24)
        assert given[0].sentence == "O3 is in none of the last 24 hours; it was last given for 2024-09-11 01:00"


def test_a_silent_station_has_lost_no_sensor() -> None:
    """A station without hours lacks no sensor; one that never had a sensor does not miss it."""
    assert find("vanished-sensor", evidence(rows(range(50), without=["o3"]))) == []


# -- rejected-rows -------------------------------------------------------------------------------------------------


def rejects(*numbers: int, reason: str = "Expected `float`", asked: int = 100, station: int = STATION) -> pl.DataFrame:
    texts = [f'{{"timestamp": "{hour(number):%Y-%m-%d %H:%M:%S}", "CO": "x"}}' for number in numbers]
    found: list[Any] = [(station, hour(asked), "a", n, "CO", reason, text) for n, text in enumerate(texts)]
    kinds = {name: pl.String() for name in COLUMNS} | {"station_id": pl.Int64(), "position": pl.Int64()}
    return pl.DataFrame(found, schema=kinds | {"requested_at": hourly.TIME}, orient="row")


def test_a_row_set_aside() -> None:
    """One row is a warning, however often it came; the commonest reason is named."""
    again = [rejects(90, asked=asked) for asked in range(100, 124)]
    given = evidence(rows(range(90)), rejects=pl.concat(again), now=hour(124))
    found = only(find("rejected-rows", given))
    assert (found.severity, found.count) == ("warning", 1)
    reasons = [rejects(90, 91), rejects(92, reason="not on the hour")]
    found = only(find("rejected-rows", given._replace(rejects=pl.concat(reasons))))
    assert found.count == 3
    assert "the reason: Expected `float` (2 of them)" in found.sentence


@pytest.mark.parametrize(
    ("bad", "hours", "severity"),
    [(12, 1200, "error"), (12, 1201, "warning"), (11, 100, "warning"), (12, 100, "error")],
)
def test_many_rows_set_aside_are_an_error(bad: int, hours: int, severity: str) -> None:
    """From 1 % of the hours of the same time on, and twelve rows: something is wrong with the source, or with us."""
    given = evidence(rows(range(hours)), rejects=rejects(*range(bad), asked=3000), now=hour(3000))
    assert only(find("rejected-rows", given)).severity == severity


@pytest.mark.parametrize(("late", "severity"), [(0, "error"), (1, "info")])
def test_after_a_month_rows_set_aside_are_history(late: int, severity: str) -> None:
    """Rows that have not come for 30 days are for the reader to know."""
    given = evidence(rows(range(100)), rejects=rejects(*range(50)), now=hour(100 + MONTH) + late * MINUTE)
    assert only(find("rejected-rows", given)).severity == severity


def test_rows_without_a_time() -> None:
    """A row that is no object, or whose time cannot be, is counted like any other."""
    texts = ["7", '{"timestamp": "2024-99-99 10:00:00"}', '{"timestamp": "1999-12-31T23:00:00Z"}']
    odd = rejects(1, 2, 3).with_columns(row=pl.Series(texts))
    found = only(find("rejected-rows", evidence(rows(range(90)), rejects=odd, now=hour(101))))
    assert (found.count, found.severity) == (3, "warning")
    assert find("rejected-rows", evidence(rows(range(90)))) == []
