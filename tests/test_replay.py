"""Days asked for again, or computed anew: these, and no others."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from airq_etl import documents
from airq_etl import settings as configuration
from airq_etl.lake import DAILY, Lake
from airq_etl.pipeline.load import open_store
from airq_etl.pipeline.run import run_all, run_extract, run_load, run_transform
from airq_etl.results import Result
from airq_etl.stations import StationsFile
from airq_etl.windows import Days
from tests.faults.replay import Source
from tests.frames import hour
from tests.server import Server, serving

if TYPE_CHECKING:
    from airq_etl.settings import Settings

NOW = hour(24 * 120)
TEN = Days(date(2024, 9, 19), date(2024, 9, 28))
READINGS = {n: {"CO": n % 24 / 10} for n in range(24 * 120) if n % 24 < 20}
Given = Callable[..., "Settings"]


@pytest.fixture
def server() -> Iterator[Server]:
    """120 days of twenty hours each."""
    with serving(Source(READINGS, NOW)) as started:
        yield started


@pytest.fixture(params=["embedded", "mongo"])
def given(server: Server, request: pytest.FixtureRequest) -> Given:
    """Call with settings, for station 7 and one of the stores."""
    uri = request.getfixturevalue("mongo_uri") if request.param == "mongo" else None

    def settings(**more: Any) -> configuration.Settings:  # noqa: ANN401
        fixed = {"data_dir": "data", "api_url": server.url, "stations": (7,), "now": NOW, "mongodb_uri": uri}
        return configuration.build(fixed | more)

    return settings


def days() -> pl.DataFrame:
    return Lake(Path("data")).read(DAILY)


def valid() -> list[date]:
    return days().filter("co_valid")["day"].to_list()


def stored(settings: configuration.Settings) -> list[documents.Document]:
    with closing(open_store(settings, Lake(settings.data_dir), 60)) as store:
        return [document for document in store.read(documents.DAILY) if document["co_valid"]]


def written(result: Result) -> dict[str, int]:
    return {name: count for name, count in result.documents.items() if count}


def test_a_changed_rule_touches_only_the_days_asked_for(given: Given, caplog: pytest.LogCaptureFixture) -> None:
    """Only these are computed and sent; all others follow with the next transform without days, and once."""
    run_all(given(), sanity_check=False)
    before, asked = days(), pl.col("day").is_between(*TEN)
    assert before.height == 120
    with caplog.at_level(logging.INFO, "airq_etl"):
        run_transform(given(min_hours=21), TEN)
    (said,) = [record.getMessage() for record in caplog.records if not hasattr(record, "fields")]
    assert said.startswith("what makes a day, a mean or a flag changed for 1 station: only the days asked for are")
    assert_frame_equal(days().filter(~asked), before.filter(~asked))
    assert not days().filter(asked)["co_valid"].any()
    # The hours of these days are looked at, and are as they were: nothing is sent but what differs.
    assert written(run_load(given(min_hours=21))) == {"daily": 10}
    assert len(stored(given())) == 110

    run_transform(given(min_hours=21))
    assert valid() == []
    assert written(run_load(given(min_hours=21))) == {"daily": 110}
    run_transform(given(min_hours=21))
    assert written(run_load(given(min_hours=21))) == {}


def test_a_run_for_days_keeps_to_them_as_well(given: Given) -> None:
    """The rule in force is noted only when all days of a station are made by it."""
    run_all(given(), sanity_check=False)
    run_all(given(min_hours=21), TEN, sanity_check=False)
    assert len(valid()) == 110
    assert written(run_all(given(min_hours=21), sanity_check=False)) == {"daily": 110}
    assert valid() == []


def test_hours_before_service_in_the_days_asked_for(given: Given) -> None:
    """Days that a station did not serve send their means, and their hours, whose flags differ; others send none."""
    run_all(given(), sanity_check=False)
    served = msgspec.structs.replace(given(), known={7: StationsFile(in_service_from="2024-09-21")})
    run_transform(served, TEN)
    assert written(run_load(served)) == {"stations": 1, "hourly": 40, "daily": 2}


@pytest.mark.parametrize("count", [40, 100])
@pytest.mark.parametrize("by", ["run", "extract"])
def test_many_days_are_asked_for_without_a_hole(server: Server, count: int, by: str) -> None:
    """Every hour of 40 days, and of more than the 90 that one request is for, comes once."""
    first = 24 * 10
    settings = configuration.build({"data_dir": "data", "api_url": server.url, "stations": (7,), "now": NOW})
    asked = Days(hour(first).date(), hour(first + 24 * count - 1).date())
    if by == "run":
        run_all(settings, asked, sanity_check=False)
    else:
        run_extract(settings, asked)
        run_transform(settings)
    hours = Lake(settings.data_dir).read(DAILY)["co_hours"].to_list()
    assert len(server.requests) == (1 if count == 40 else 2)
    assert hours[-count - 1 : -1] == [20] * count
