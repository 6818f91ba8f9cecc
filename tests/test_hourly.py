"""The hourly table: parsing into it, and merging answers."""

import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from airq_etl import hourly, payload
from tests.frames import STATION, answer, body, hour

LATER = hour(100)

# Answers: asked some hours after the start, each with a few hours and a value or none for two sensors.
readings = st.fixed_dictionaries(
    {}, optional={"CO": st.sampled_from([-0.5, 0.0, 1.0]), "RH": st.floats(0, 100), "VOC": st.just(7.0)}
)
answers = st.tuples(
    st.dictionaries(st.integers(0, 5), readings, max_size=4), st.integers(5, 9).map(hour), st.sampled_from([1, 2])
)


def merged(frames: list[pl.DataFrame]) -> pl.DataFrame:
    table = hourly.empty()
    for frame in frames:
        table = hourly.merge(table, frame).rows
    return table


def test_the_schema_is_kept() -> None:
    """A parsed answer and the empty table have the columns that the module names, in their order."""
    assert dict(hourly.empty().schema) == hourly.SCHEMA
    assert dict(answer({}, LATER).schema) == hourly.SCHEMA
    assert dict(answer({0: {"CO": 1.0}}, LATER).schema) == hourly.SCHEMA


def test_another_sensor_appears_where_it_is() -> None:
    """A sensor that only some stations carry is a column only where one has a value, also after merging."""
    frame = answer({0: {"CO2": 410.0}, 1: {"CO": 1.0}}, LATER)
    assert frame["co2"].to_list() == [410.0, None]
    table = merged([answer({0: {"CO": 1.0}}, hour(50)), frame])
    assert table.columns == [*list(hourly.SCHEMA)[:-2], "co2", "provisional", "requested_at"]


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        ("2024-09-09 10:30:00", "not on the hour"),
        ("2024-09-09 10:00:01", "not on the hour"),
        ("2024-09-10 00:00:00", "in the future of the request"),
        ("2034-09-09 00:00:00", "in the future of the request"),
        ("1999-12-31 23:00:00", "before 2000"),
    ],
)
def test_impossible_hours_are_set_aside(timestamp: str, reason: str) -> None:
    """An hour that cannot be is set aside with its reason; the others are kept."""
    text = f'{{"data": [{{"timestamp": "{timestamp}"}}, {{"timestamp": "2024-09-09 10:00:00", "CO": 1}}]}}'
    parsed = hourly.parse(payload.decode(text.encode()), STATION, hour(23))
    assert parsed.rows["hour"].to_list() == [hour(10)]
    assert [(bad.position, bad.key, bad.reason) for bad in parsed.rejected] == [(0, "timestamp", reason)]


def test_an_offset_is_converted() -> None:
    """A timestamp with an offset is the UTC hour that it means."""
    text = b'{"data": [{"timestamp": "2024-09-09T12:00:00+02:00", "CO": 1}]}'
    assert hourly.parse(payload.decode(text), STATION, LATER).rows["hour"].to_list() == [hour(10)]


def test_of_an_hour_twice_the_later_is_kept() -> None:
    """The same hour twice in one answer is one row, the later in the list, and counted."""
    text = (
        b'{"data": [{"timestamp": "2024-09-09 01:00:00", "CO": 1}, {"timestamp": "2024-09-09 00:00:00", "CO": 5},'
        b' {"timestamp": "2024-09-09 01:00:00", "CO": 2}]}'
    )
    parsed = hourly.parse(payload.decode(text), STATION, LATER)
    assert parsed.rows["co"].to_list() == [5.0, 2.0]
    assert parsed.duplicates == 1


def test_an_hour_is_provisional_until_it_has_ended() -> None:
    """An hour is provisional while hour + 1 h > requested_at, at the very end no longer."""
    almost = answer({9: {}, 10: {}}, hour(11) - timedelta(seconds=1))
    assert almost["provisional"].to_list() == [False, True]
    assert answer({10: {}}, hour(11))["provisional"].to_list() == [False]


def test_the_newest_answer_wins_row_by_row() -> None:
    """A newer row replaces the older one whole, also where it says less; an hour it does not hold stays."""
    old = answer({0: {"CO": 1.0, "RH": 50.0}, 1: {"CO": 2.0}}, hour(10))
    new = answer({0: {"CO": 3.0}}, hour(11))
    for order in ([old, new], [new, old]):
        table = merged(order)
        assert table["co"].to_list() == [3.0, 2.0]
        assert table["humidity"].to_list() == [None, None]
        assert table["requested_at"].to_list() == [hour(11), hour(10)]


@settings(deadline=None)
@given(st.lists(answers, max_size=6), st.randoms(use_true_random=False))
def test_merging_does_not_mind_order(
    given_answers: list[tuple[dict[int, dict[str, float]], datetime, int]], dice: random.Random
) -> None:
    """Answers in any order, twice, or all at once give the same table, and one row an hour."""
    frames = [answer(values, asked, station) for values, asked, station in given_answers]
    expected = merged(frames)
    shuffled = frames * 2
    dice.shuffle(shuffled)
    assert_frame_equal(merged(shuffled), expected)
    assert_frame_equal(hourly.merge(hourly.empty(), hourly.combine(shuffled)).rows, expected)
    assert not expected.select(hourly.KEY).is_duplicated().any()


def test_outcomes() -> None:
    """Each hour touched is new, settled (was provisional), revised (was not), or confirmed."""
    before = answer({0: {"CO": 1.0}, 1: {"CO": 1.0}, 10: {"CO": 1.0}}, hour(10))
    after = answer({0: {"CO": 1.0}, 1: {"CO": 9.0}, 10: {"CO": 9.0}, 11: {"CO": 1.0}}, hour(12))
    outcome = hourly.merge(merged([before]), after).outcome
    assert dict(outcome.select("hour", "outcome").iter_rows()) == {
        hour(0): "confirmed",
        hour(1): "revised",
        hour(10): "settled",
        hour(11): "new",
    }


def test_a_first_sensor_more_is_a_change() -> None:
    """A sensor that the stored table has no column for makes its hour differ."""
    outcome = hourly.merge(merged([answer({0: {}}, hour(5))]), answer({0: {"VOC": 1.0}}, hour(6))).outcome
    assert outcome["outcome"].to_list() == ["revised"]


def test_a_revision_is_recorded() -> None:
    """A value of a settled hour that a newer answer gives differently, or no longer, is a revision, with both."""
    before = answer({0: {"CO": -1.0, "RH": 50.0, "T": 20.0}}, hour(10))
    revisions = hourly.merge(merged([before]), answer({0: {"CO": 0.0, "T": 20.0, "O3": 3.0}}, hour(20))).revisions
    assert dict(revisions.schema) == hourly.REVISION_SCHEMA
    assert revisions.rows() == [
        (STATION, hour(0), "co", -1.0, 0.0, hour(20)),
        (STATION, hour(0), "humidity", 50.0, None, hour(20)),
    ]


def test_a_provisional_hour_has_no_revisions() -> None:
    """That a running hour takes other values is no revision."""
    running = answer({10: {"CO": 1.0}}, hour(10) + timedelta(minutes=20))
    assert hourly.merge(merged([running]), answer({10: {"CO": 2.0}}, hour(12))).revisions.is_empty()


def test_an_older_answer_revises_nothing() -> None:
    """An answer that was asked for earlier than what is stored neither replaces nor revises."""
    stored = merged([answer({0: {"CO": 2.0}}, hour(20))])
    late = hourly.merge(stored, answer({0: {"CO": 1.0}}, hour(10)))
    assert_frame_equal(late.rows, stored)
    assert late.revisions.is_empty()


def test_revisions_do_not_depend_on_portions() -> None:
    """Answers merged one by one in the order they were asked, or all at once, give the same revisions."""
    frames = [answer({0: {"CO": value}, 1: {"CO": 1.0}}, hour(10 + n)) for n, value in enumerate([1.0, 1.0, 2.0, 1.0])]
    table, found = hourly.empty(), list[pl.DataFrame]()
    for frame in frames:
        step = hourly.merge(table, frame)
        table, found = step.rows, [*found, step.revisions]
    at_once = hourly.merge(hourly.empty(), hourly.combine(frames)).revisions
    assert_frame_equal(pl.concat(found).sort(hourly.REVISION_KEY), at_once)
    assert at_once["new"].to_list() == [2.0, 1.0]


def test_the_newest_hour_is_not_of_the_future() -> None:
    """The newest hour of a saved payload is never after now."""
    saved = payload.decode(body({0: {}, 5: {}, 50: {}}))
    assert hourly.newest(saved, hour(10)) == hour(5)
    assert hourly.newest(payload.decode(b'{"data": []}'), datetime.now(UTC)) is None


@pytest.mark.parametrize("timestamp", ["0001-01-01 00:00:00+05:00", "9999-12-31 23:00:00-05:00"])
def test_a_time_outside_the_calendar_is_set_aside(timestamp: str) -> None:
    """A timestamp whose offset leads out of the calendar costs its row alone."""
    text = f'{{"data": [{{"timestamp": "{timestamp}"}}, {{"timestamp": "2024-09-09 10:00:00", "CO": 1}}]}}'
    parsed = hourly.parse(payload.decode(text.encode()), STATION, hour(23))
    assert parsed.rows.height == 1
    assert [bad.reason for bad in parsed.rejected] == ["outside the calendar"]
    assert hourly.newest(payload.decode(text.encode()), hour(23)) == hour(10)


def test_there_and_back_is_revised() -> None:
    """A value that changed and changed back between two answers is revised, so that its revisions are sent."""
    stored = merged([answer({0: {"CO": 1.0}}, hour(10))])
    both = hourly.combine([answer({0: {"CO": 2.0}}, hour(20)), answer({0: {"CO": 1.0}}, hour(30))])
    step = hourly.merge(stored, both)
    assert step.revisions["new"].to_list() == [2.0, 1.0]
    assert step.outcome["outcome"].to_list() == ["revised"]
