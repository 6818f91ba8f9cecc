"""For which hours the API is asked."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from airq_etl.windows import HOUR, KEPT, WHOLE_YEAR, Days, Hours, Plan, Window, asked_by, for_days, for_hours, since
from tests.frames import hour

NOW = datetime(2024, 9, 9, 10, 20, tzinfo=UTC)
OVERLAP, WEEK = timedelta(hours=48), timedelta(days=7)
RECENTLY = NOW - timedelta(days=1)


def test_who_knows_nothing_asks_for_the_year() -> None:
    """Without an hour in the tables the whole year is asked, which is what the API gives without dates."""
    assert since(None, NOW, OVERLAP, RECENTLY, WEEK) == WHOLE_YEAR
    assert WHOLE_YEAR.windows == [Window(None, None)]


def test_an_hourly_run_asks_for_the_overlap() -> None:
    """From the newest hour less the overlap to the end of the running hour."""
    newest = datetime(2024, 9, 9, 9, tzinfo=UTC)
    plan = since(newest, NOW, OVERLAP, RECENTLY, WEEK)
    assert plan == Plan([Window(newest - OVERLAP, datetime(2024, 9, 9, 11, tzinfo=UTC))], whole_year=False)


def test_the_window_widens_to_the_gap() -> None:
    """After 30 days without a run all 30 are asked for, and the overlap."""
    newest = NOW - timedelta(days=30)
    assert since(newest, NOW, OVERLAP, RECENTLY, WEEK).windows[0].start == newest - OVERLAP


def test_beyond_the_year_there_is_loss() -> None:
    """After 400 days the whole year is asked for, and what lies before it is reported as lost."""
    newest = NOW.replace(minute=0) - timedelta(days=400)
    plan = since(newest, NOW, OVERLAP, RECENTLY, WEEK)
    assert plan.whole_year
    # From the hour after the newest to the last one that begins more than a year ago.
    assert plan.lost == timedelta(days=35)
    assert since(NOW - KEPT + OVERLAP, NOW, OVERLAP, RECENTLY, WEEK).lost == timedelta(0)


def test_now_and_then_the_year_is_swept() -> None:
    """The year is asked again when the last time is too long ago, unknown, or in the future; never with 0."""
    newest = NOW - HOUR
    for swept in (None, NOW - WEEK, NOW + HOUR):
        assert since(newest, NOW, OVERLAP, swept, WEEK).whole_year
        assert not since(newest, NOW, OVERLAP, swept, timedelta(0)).whole_year
    assert not since(newest, NOW, OVERLAP, NOW - WEEK + HOUR, WEEK).whole_year


def test_a_clock_set_back_asks_no_future() -> None:
    """Where the newest hour is after now, the window still ends after it begins."""
    (window,) = since(NOW + timedelta(days=3), NOW, timedelta(0), NOW, WEEK).windows
    assert window.start is not None
    assert window.end is not None
    assert window.start <= NOW < window.end


def test_given_days_are_asked_with_an_hour_around() -> None:
    """Given days are asked for from an hour before to an hour after, since nobody knows whether ends are included."""
    plan = for_days(Days(date(2024, 9, 1), date(2024, 9, 2)), "UTC", NOW)
    assert plan.windows == [Window(datetime(2024, 8, 31, 23, tzinfo=UTC), datetime(2024, 9, 3, 1, tzinfo=UTC))]
    assert not plan.whole_year


def test_days_are_the_stations_own() -> None:
    """A day begins at the midnight of the station's zone."""
    (window,) = for_days(Days(date(2024, 9, 1), date(2024, 9, 1)), "America/New_York", NOW).windows
    assert window.start == datetime(2024, 9, 1, 3, tzinfo=UTC)


def test_many_days_are_asked_in_windows_without_gaps() -> None:
    """A long span is cut into windows that overlap, none longer than 90 days and the hours around."""
    windows = for_days(Days(date(2023, 10, 1), date(2024, 8, 31)), "UTC", NOW).windows
    assert len(windows) == 4
    for window, following in pairwise(windows):
        assert window.end is not None
        assert window.start is not None
        assert following.start is not None
        assert window.end - window.start <= timedelta(days=90, hours=2)
        assert following.start < window.end


def test_days_out_of_reach_are_lost() -> None:
    """Days before the year that the API keeps are not asked for, and are reported; so are none of the future."""
    plan = for_days(Days(date(2023, 1, 1), date(2023, 1, 10)), "UTC", NOW)
    assert (plan.windows, plan.lost) == ([], timedelta(days=10))
    partly = for_days(Days(date(2023, 9, 1), date(2023, 9, 30)), "UTC", NOW)
    assert partly.windows[0].start == NOW - KEPT - HOUR
    assert partly.lost == NOW - KEPT - datetime(2023, 9, 1, tzinfo=UTC)
    assert for_days(Days(date(2024, 10, 1), date(2024, 10, 2)), "UTC", NOW) == Plan([], whole_year=False)


def test_hours_without_others() -> None:
    """What is left of hours in a row when others are taken out: none twice, none that was not there."""
    ten = Hours(hour(0), hour(9))
    assert ten.length == 10
    assert ten.without([]) == [ten]
    assert ten.without([Hours(hour(4), hour(5)), Hours(hour(-3), hour(0)), Hours(hour(5), hour(6))]) == [
        Hours(hour(1), hour(3)),
        Hours(hour(7), hour(9)),
    ]
    assert ten.without([Hours(hour(20), hour(30)), Hours(hour(5), hour(4))]) == [ten]
    assert ten.without([Hours(hour(-1), hour(9))]) == []
    assert Hours(hour(3), hour(2)).without([]) == []


def test_a_long_gap_is_asked_for_in_windows_of_30_days() -> None:
    """Each with an hour before and after; together they are for each hour of the gap, once."""
    gap = Hours(hour(5), hour(5 + 24 * 70))
    windows = for_hours([gap])
    assert windows[0] == Window(hour(4), hour(5 + 24 * 30 + 1))
    hours = [asked_by(window) for window in windows]
    assert [one.length for one in hours] == [24 * 30, 24 * 30, 24 * 10 + 1]
    assert gap.without(hours) == []
    assert all(following.first - one.last == HOUR for one, following in pairwise(hours))


def test_gaps_near_each_other_share_a_window() -> None:
    """One that begins within 30 days of the first hour of another is asked for with it, as far as it lies there."""
    near, across, far = Hours(hour(0), hour(1)), Hours(hour(719), hour(725)), Hours(hour(2000), hour(2000))
    windows = for_hours([far, across, near])
    assert [asked_by(one) for one in windows] == [
        Hours(hour(0), hour(719)),
        Hours(hour(720), hour(725)),
        Hours(hour(2000), hour(2000)),
    ]
    assert for_hours([]) == []
