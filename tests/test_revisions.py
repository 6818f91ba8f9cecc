"""How far the source moved the daily means afterwards."""

from datetime import date, datetime

import polars as pl
import pytest

from airq_etl import daily, hourly, revisions
from airq_etl.stations import Rules
from tests.evidence import NOW, OTHER, rows
from tests.frames import STATION, answer, hour

DAY = date(2024, 9, 9)


def revised(
    numbers: range, old: float | None, new: float | None, seen_at: datetime, sensor: str = "co"
) -> pl.DataFrame:
    found = [(STATION, hour(number), sensor, old, new, seen_at) for number in numbers]
    return pl.DataFrame(found, schema=hourly.REVISION_SCHEMA, orient="row")


def test_the_schema_is_kept() -> None:
    """Moves have the columns that the module names, also where there are none."""
    nothing = pl.DataFrame(schema=hourly.REVISION_SCHEMA)
    some = revised(range(3), 0.0, 1.0, hour(50))
    for hours, found in ((rows(range(24)), some), (rows(range(24)), nothing), (hourly.empty(), some)):
        assert dict(revisions.moved(hours, found, Rules()).schema) == revisions.SCHEMA


def test_a_mean_moves() -> None:
    """Before an answer the mean had the old values, after it the new ones; what was not revised is left out."""
    moves = revisions.moved(rows(range(48)), revised(range(12), -1.0, 1.0, hour(50)), Rules())
    assert moves.rows() == [(STATION, DAY, "co", hour(50), 0.0, 1.0)]


def test_each_answer_has_its_own_move() -> None:
    """An hour revised twice: what the first answer gave is what the second calls old."""
    found = [revised(range(24), 3.0, 2.0, hour(50)), revised(range(24), 2.0, 1.0, hour(60))]
    moves = revisions.moved(rows(range(24)), pl.concat(found), Rules())
    assert moves.select("seen_at", "before", "after").rows() == [(hour(50), 3.0, 2.0), (hour(60), 2.0, 1.0)]


def test_later_answers_to_other_hours_are_undone_too() -> None:
    """The means before and after an answer know nothing of what a later one changed."""
    found = [revised(range(12), 3.0, 1.0, hour(50)), revised(range(12, 24), 5.0, 1.0, hour(60))]
    moves = revisions.moved(rows(range(24)), pl.concat(found), Rules())
    assert moves.select("before", "after").rows() == [(4.0, 3.0), (3.0, 1.0)]


def test_a_mean_that_did_not_move_is_left_out() -> None:
    """A value that went up and another that went down as much leave the mean where it was."""
    found = [revised(range(1), 0.0, 1.0, hour(50)), revised(range(1, 2), 2.0, 1.0, hour(50))]
    assert revisions.moved(rows(range(24)), pl.concat(found), Rules()).is_empty()


def test_a_value_taken_away_had_moved_the_mean() -> None:
    """A value that a newer answer no longer gives was under the mean before, also where the sensor is gone."""
    hours = pl.concat([rows(range(12), without=["co"]), rows(range(12, 24))])
    assert revisions.moved(hours, revised(range(12), 3.0, None, hour(50)), Rules())["before"].to_list() == [2.0]
    moves = revisions.moved(rows(range(24)), revised(range(24), 410.0, None, hour(50), "co2"), Rules())
    assert moves.select("sensor", "before", "after").rows() == [("co2", 410.0, None)]


def test_days_are_the_stations_own() -> None:
    """The hours of a local day, the rules of its station, and no other station's hours."""
    rules = Rules({STATION: "America/New_York", OTHER: "UTC"}, in_service={STATION: hour(4)})
    hours = pl.concat([rows(range(48)), rows(range(48), OTHER, co=9.0)])
    moves = revisions.moved(hours, revised(range(3, 5), 25.0, 1.0, hour(60)), rules)
    assert moves.filter(day=DAY).select("day", "before", "after").rows() == [(DAY, 2.0, 1.0)]


def test_moves_agree_with_the_daily_table() -> None:
    """Merging answers one by one, and asking what moved, gives the daily means as they were computed each time."""
    answers = [
        answer({n: {"CO": value + n} for n in range(30)}, hour(40 + k)) for k, value in enumerate([1.0, 2.5, 0.1])
    ]
    table, found, days = hourly.empty(), list[pl.DataFrame](), list[float]()
    for given in answers:
        merged = hourly.merge(table, given)
        table, found = merged.rows, [*found, merged.revisions]
        days.append(daily.compute(table, Rules())["co_mean"][0])
    moves = revisions.moved(table, pl.concat(found), Rules()).filter(day=DAY)
    assert moves.select("before", "after").rows() == [(days[0], days[1]), (days[1], days[2])]


@pytest.mark.parametrize("answers", [200])
def test_many_answers_are_cheap(answers: int) -> None:
    """Each of many answers is worked out at once: no pass over the table for each."""
    found = pl.concat(revised(range(n, n + 20), 2.0, 1.0, hour(9000 + n)) for n in range(answers))
    moves = revisions.moved(rows(range(8760), asked=NOW), found, Rules())
    assert moves["seen_at"].n_unique() == answers
