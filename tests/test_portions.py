"""Some stations at a time give what all of them at once give."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from airq_etl import daily
from airq_etl.lake import DAILY, HOURLY, Lake
from airq_etl.pieces import Pieces
from airq_etl.pipeline.days import touch_all_days, write_daily
from airq_etl.pipeline.stretches import hours_under, stretches
from airq_etl.portions import LEAST, MOST, ROWS_AT_ONCE, Portion, portions
from airq_etl.stations import Rules
from tests.forecasts import LATER, at_work, put_hours
from tests.frames import answer, hour

DATA = Path("data")
FIRST = date(2024, 9, 9)


def days(*numbers: int, station_id: int = 1) -> pl.DataFrame:
    return pl.DataFrame({"station_id": station_id, "day": [FIRST + timedelta(n) for n in numbers]})


def test_every_station_lies_in_one_portion() -> None:
    """Portions have so many rows, or one station, and leave no id out, known or not."""
    assert portions({}) == [Portion(LEAST, MOST)]
    found = portions({1: 3, 5: 3, 7: 9}, {2: 2, 5: 1}, at_once=6)
    assert found == [Portion(LEAST, 4), Portion(5, 6), Portion(7, MOST)]


def test_days_that_lie_far_apart_are_read_apart() -> None:
    """Between days half a year apart nothing is read; those of months in a row are read once."""
    found = [stretch["day"].to_list() for stretch in stretches(days(0, 1, 31, 200))]
    assert found == [days(0, 1, 31)["day"].to_list(), days(200)["day"].to_list()]
    assert list(stretches(days())) == []


def test_days_of_many_stations_are_those_of_each() -> None:
    """Days that are computed some stations at a time, over several months, are what all their hours at once give."""
    values = {n: {"CO": n % 24 / 10, "PM2.5": n * 7 % 31.0} for n in range(24 * 150)}
    now = hour(24 * 150) + LATER
    ids = pl.DataFrame({"station_id": range(1, 61)})
    rows = answer(values, now).drop("station_id").join(ids, how="cross").select(HOURLY.empty().columns)
    some = pl.when(pl.col("station_id") > 58).then(pl.col("co") * pl.col("station_id"))
    put_hours(DATA, rows.with_columns(pm25=pl.col("pm25") + pl.col("station_id"), co2=some))
    with at_work(DATA, now) as work:
        hours = work.lake.read(HOURLY)
        touch_all_days(work)
        write_daily(work)
        found = work.lake.read(DAILY)
        assert len(portions(hours_under(found))) > 1
        assert hours.height > ROWS_AT_ONCE
    whole = daily.combine([daily.compute(hours, Rules())])
    assert_frame_equal(found.select(whole.columns), whole, check_exact=True)
    assert list(work.lake.temporary.iterdir()) == []


def test_pieces_make_a_file_as_one_would(tmp_path: Path) -> None:
    """Pieces, one or several, come to lie in the file in their order; none leave it as it was."""
    lake = Lake(tmp_path)
    lake.open()
    first, second = (answer({9: {"CO": 1.0}, 10: {}}, hour(12), station_id) for station_id in (1, 2))
    for rows in ([], [first], [first, second], []):
        pieces = Pieces(lake, HOURLY, "2024-09")
        for piece in rows:
            pieces.add(piece)
        pieces.write(lambda whole: whole)
        assert list(lake.temporary.iterdir()) == []
        if rows:
            assert_frame_equal(lake.read(HOURLY), pl.concat(rows))
    assert lake.count(HOURLY) == {1: 2, 2: 2}
