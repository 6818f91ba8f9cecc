"""What is missing: hours, days, values; who is silent; what can no longer be had."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from airq_etl import hourly
from airq_etl.sanity import coverage, source
from airq_etl.sanity.finding import Finding
from airq_etl.stations import Rules
from airq_etl.windows import Days
from tests import frames
from tests.evidence import OTHER, evidence, finder, rows
from tests.frames import STATION, hour

find = finder(coverage.CHECKS)
YEAR = 24 * 365
MINUTE = timedelta(minutes=1)


def only(found: list[Finding]) -> Finding:
    (finding,) = found
    return finding


def without(numbers: range, *gaps: range) -> list[int]:
    return [n for n in numbers if not any(n in gap for gap in gaps)]


# -- missing-hours -------------------------------------------------------------------------------------------------


def test_no_hour_missing_is_nothing_to_say() -> None:
    """A station whose hours are all there is not mentioned; neither is one of a single hour, nor an empty table."""
    assert find("missing-hours", evidence(rows(range(100)), rows([5], OTHER))) == []
    assert find("missing-hours", evidence()) == []


def test_missing_hours_are_counted() -> None:
    """Hours between the first and the newest that are not there: how many, in how many gaps, and the longest."""
    found = only(find("missing-hours", evidence(rows(without(range(1000), range(10, 11), range(50, 90))))))
    assert (found.severity, found.station_id, found.count) == ("info", STATION, 41)
    assert (found.first, found.last) == (hour(10), hour(89))
    assert found.sentence == (
        "41 of 1,000 hours (4.1 %) are missing, in 2 gaps, the longest of 40 hours "
        "from 2024-09-11 02:00 to 2024-09-12 17:00"
    )


@pytest.mark.parametrize(("there", "severity"), [(150, "info"), (149, "warning")])
def test_under_three_quarters_is_a_warning(there: int, severity: str) -> None:
    """Under 75 % of the hours somebody should look; at 75 % not yet."""
    hours = [*range(there - 1), 199]
    assert only(find("missing-hours", evidence(rows(hours)))).severity == severity


@pytest.mark.parametrize(("newest", "severity"), [(166, "info"), (167, "warning")])
def test_under_a_week_no_share_is_judged(newest: int, severity: str) -> None:
    """Two hours of three days say nothing about coverage; from a week of hours on, they do."""
    assert only(find("missing-hours", evidence(rows([0, newest])))).severity == severity


@pytest.mark.parametrize(("length", "ago", "severity"), [(168, 30, "warning"), (167, 30, "info"), (168, 31, "info")])
def test_a_gap_of_a_week_is_a_warning_for_a_month(length: int, ago: int, severity: str) -> None:
    """A week without hours is worth a look while it is news; an old one cannot be mended."""
    end = 5000
    hours = without(range(end + 50), range(end - length, end))
    found = find("missing-hours", evidence(rows(hours), now=hour(end - 1) + timedelta(days=ago)))
    assert only(found).severity == severity


def test_hours_before_the_service_are_not_missed() -> None:
    """A gap before the station served is none of its own; hours that stand twice are one."""
    table = [rows(without(range(100), range(10, 20))), rows(range(30, 40))]
    assert find("missing-hours", evidence(*table, rules=Rules(in_service={STATION: hour(20)}))) == []
    assert only(find("missing-hours", evidence(*table))).count == 10
    begins = evidence(rows([*range(10, 21), *range(26, 100)]), rules=Rules(in_service={STATION: hour(20)}))
    assert only(find("missing-hours", begins)).sentence.startswith("5 of 80 hours")


# -- incomplete-days -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "days"), [(18, 0), (17, 1)])
def test_days_below_the_rule(hours: int, days: int) -> None:
    """A day of 17 hours is incomplete, one of 18 is not."""
    table = rows([*range(24), *range(24, 24 + hours), *range(48, 72)])
    found = find("incomplete-days", evidence(table))
    assert [finding.count for finding in found] == [1] * days
    if found:
        assert found[0].first == found[0].last == date(2024, 9, 10)
        assert "1 of 3 days have fewer than the 18 of 24 hours" in found[0].sentence
        assert "2024-09-10 with 17 h" in found[0].sentence


def test_a_day_that_goes_on_is_not_incomplete() -> None:
    """Today's hours are still to come, and those of a day that was not asked for since it ended."""
    assert find("incomplete-days", evidence(rows(range(30), asked=hour(30)), now=hour(60))) == []


def test_days_of_23_and_25_hours_have_their_own_rule() -> None:
    """On the day of 23 hours 18 are enough, on that of 25 hours 19 are needed: as the daily table has it."""
    rules = Rules({STATION: "America/New_York"})
    first = (date(2024, 11, 3) - date(2024, 9, 9)).days * 24 + 4
    for hours, count in ((19, []), (18, [1])):
        found = find("incomplete-days", evidence(rows(range(first, first + hours)), rules=rules))
        assert [finding.count for finding in found] == count


def test_a_sensor_with_fewer_days_is_named() -> None:
    """A sensor that lacks hours on days that are whole otherwise is named; before its first value it was not there."""
    table = [rows(range(24), without=["humidity"], co2=1.0), rows(range(24, 100))]
    table += [rows(range(100, 110), without=["humidity"]), rows(range(110, 144), co2=1.0)]
    found = only(find("incomplete-days", evidence(*table)))
    assert found.count == 4
    assert found.sentence == "with enough hours of other sensors, too few of RH on 1 day and CO2 on 4 days"


# -- stale-station -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "severity"), [(6, "warning"), (24 * 7, "error")])
def test_a_silent_station_is_stale(age: int, severity: str) -> None:
    """From six hours on a station that is never off is stale, from seven days on it is an error; a minute less not."""
    for late, expected in ((timedelta(0), severity), (-MINUTE, None if severity == "warning" else "warning")):
        now = hour(500) + age * timedelta(hours=1) + late
        found = find("stale-station", evidence(rows(range(501), asked=now), now=now))
        assert [finding.severity for finding in found] == ([] if expected is None else [expected])
    assert found or age == 6


def weekends(off: int, weeks: int = 14) -> pl.DataFrame:
    """Hours of a station that is off for so many hours at the end of each week."""
    return rows([n for n in range(24 * 7 * weeks) if n % 168 < 168 - off], asked=hour(24 * 7 * weeks))


@pytest.mark.parametrize(("age", "stale"), [(42, False), (43, True)])
def test_usual_outages_are_usual(age: int, stale: bool) -> None:  # noqa: FBT001
    """A station that is off for 40 hours every weekend is stale when the hour after them is late."""
    newest = 24 * 7 * 14 - 41
    now = hour(newest + age)
    given = evidence(weekends(40).with_columns(requested_at=pl.lit(now)), now=now)
    found = find("stale-station", given)
    assert bool(found) is stale
    if found:
        assert (
            found[0].sentence == "its newest hour is 2024-12-14 07:00, 43 hours ago; its usual outages last up to 40 h"
        )


def test_two_outages_are_no_habit() -> None:
    """What happened twice in 90 days is an accident, and so is what happened long ago."""
    off = [range(168 * week, 168 * week + 40) for week in (1, 2, 3, 4, 16, 17)]
    newest = 168 * 20
    given = evidence(rows(without(range(newest + 1), *off)), now=hour(newest + 6))
    assert len(find("stale-station", given)) == 1
    third = rows(without(range(newest + 1), *off, range(168 * 18, 168 * 18 + 40)))
    assert find("stale-station", evidence(third, now=hour(newest + 6))) == []


@pytest.mark.parametrize(("age", "stale"), [(71, False), (72, True)])
def test_three_days_are_always_too_long(age: int, stale: bool) -> None:  # noqa: FBT001
    """However often a station is off for 80 hours, at 72 somebody looks."""
    newest = 24 * 7 * 14 - 81
    assert bool(find("stale-station", evidence(weekends(80), now=hour(newest + age)))) is stale


def test_where_nobody_asked_it_says_so() -> None:
    """Where no answer has come since, the job is to be looked at and not the station."""
    asked, silent = (
        only(find("stale-station", evidence(rows([0], asked=when), now=hour(9)))) for when in (hour(1), hour(9))
    )
    assert (
        asked.sentence
        == "its newest hour is 2024-09-09 00:00, 9 hours ago, and no answer has come since 2024-09-09 01:00"
    )
    assert "airq-etl run" in asked.action
    assert "no answer" not in silent.sentence


def test_a_station_without_hours() -> None:
    """A configured station that has no hour is found, one not yet in service is not; one not configured may be old."""
    given = evidence(rows([0]), now=hour(900), configured=frozenset({OTHER}))
    found = only(find("stale-station", given))
    assert (found.station_id, found.severity) == (OTHER, "warning")
    later = Rules(in_service={OTHER: hour(901)})
    assert find("stale-station", given._replace(rules=later)) == []


def test_days_asked_for_are_judged_by_their_end() -> None:
    """Where a period was asked for, an hour before its end is fresh, however long ago it is."""
    days = Days(date(2024, 9, 9), date(2024, 9, 10))
    assert find("stale-station", evidence(rows(range(44)), days=days)) == []
    found = only(find("stale-station", evidence(rows(range(42)), days=days)))
    assert found.sentence == "its newest hour is 2024-09-10 17:00, 7 hours before these days end"


# -- silent-network ------------------------------------------------------------------------------------------------


def two(gap: range, other: range, end: int = 500) -> list[pl.DataFrame]:
    return [rows(without(range(end), gap)), rows(without(range(end), other), OTHER)]


def test_all_silent_together() -> None:
    """Hours that no station has, while each has some before and after: source or network."""
    found = only(find("silent-network", evidence(*two(range(100, 140), range(101, 130)), now=hour(500))))
    assert (found.severity, found.station_id, found.count) == ("info", None, 29)
    assert found.sentence == "all stations were silent together: 29 hours from 2024-09-13 05:00"
    again = two(range(100, 101), range(100, 101)), two(range(600, 610), range(600, 610), 700)
    frames = [
        frame.filter(pl.col("hour") >= hour(number))
        for number, pair in zip((0, 500), again, strict=True)
        for frame in pair
    ]
    found = only(find("silent-network", evidence(*frames, now=hour(700))))
    assert "2 times, 11 hours in all, the longest time 10 hours from" in found.sentence


@pytest.mark.parametrize(
    ("gap", "other"),
    [(range(100, 140), range(110, 120)), (range(100, 140), range(140, 150)), (range(100, 120), range(103, 123))],
)
def test_a_coincidence_is_no_network(gap: range, other: range) -> None:
    """One that drops out while the other is off, and comes back before it, has its own reason."""
    assert find("silent-network", evidence(*two(gap, other), now=hour(500))) == []


def test_one_station_is_no_network() -> None:
    """It takes two in service: the gap of a station alone, or before the other's first hour, is its own."""
    assert find("silent-network", evidence(rows(without(range(500), range(100, 140))), now=hour(500))) == []
    frames = [rows(without(range(500), range(100, 140))), rows(range(140, 500), OTHER)]
    assert find("silent-network", evidence(*frames, now=hour(500))) == []


@pytest.mark.parametrize(("age", "severity"), [(timedelta(hours=6), ["error"]), (timedelta(hours=6) - MINUTE, [])])
def test_all_silent_now(age: timedelta, severity: list[str]) -> None:
    """While all are silent, from six hours on, it is an error, said once and not for each station."""
    now = hour(99) + age
    given = evidence(rows(range(100), asked=now), rows(range(98), OTHER, asked=now), now=now)
    assert [finding.severity for finding in find("silent-network", given)] == severity
    assert [f.station_id for f in find("stale-station", given)] == ([] if severity else [OTHER])


def test_one_after_the_other_is_not_together() -> None:
    """Two that fell silent at different times are each stale, and one long gone is stale beside the network."""
    given = evidence(rows(range(100)), rows(range(97), OTHER), now=hour(120))
    assert find("silent-network", given) == []
    assert [finding.station_id for finding in find("stale-station", given)] == [STATION, OTHER]
    gone = evidence(rows(range(100)), rows(range(100), OTHER), rows(range(28), 7), now=hour(120))
    assert only(find("silent-network", gone)).sentence.startswith("none of 2 stations has a newer hour")
    assert [finding.station_id for finding in find("stale-station", gone)] == [7]


def test_a_station_that_is_no_longer_configured_is_left_alone() -> None:
    """Who took a station out of the settings is not told for ever that it is silent."""
    given = evidence(rows(range(100)), rows(range(600), OTHER), now=hour(601), configured=frozenset({OTHER}))
    assert find("stale-station", given) == []


# -- missing-values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "sensor", "severity"),
    [
        (1, None, "info"),
        (49, None, "info"),
        (50, "humidity", "info"),
        (99, "humidity", "info"),
        (100, "humidity", "warning"),
    ],
)
def test_missing_values(missing: int, sensor: str | None, severity: str) -> None:
    """One value missing is worth a word, 5 % a finding of its own, 10 % a warning."""
    table = [rows([0]), rows(range(1, 1 + missing), without=["humidity"]), rows(range(1 + missing, 1000))]
    found = only(find("missing-values", evidence(*table)))
    assert (found.sensor, found.severity, found.count) == (sensor, severity, missing)
    assert (found.first, found.last) == (hour(1), hour(missing))


def test_small_shares_are_said_together() -> None:
    """Sensors that lack few values share a finding; one that never had a value is not missing."""
    table = [rows(range(10), without=["pm10"]), rows([10], without=["pm10", "humidity"])]
    table += [rows([11], without=["pm10", "humidity", "o3"]), rows(range(12, 600), without=["pm10"])]
    found = only(find("missing-values", evidence(*table)))
    assert (found.count, found.sensor) == (3, None)
    assert found.sentence == "no value of RH in 2 of 600 hours (0.3 %) and O3 in 1 of 600 hours (0.2 %)"


def test_before_its_first_value_a_sensor_is_not_missed() -> None:
    """A sensor that came later, or has vanished since, lacks nothing outside the time that it served."""
    table = [rows(range(100), without=["o3"]), rows(range(100, 200)), rows(range(200, 300), without=["o3"])]
    assert find("missing-values", evidence(*table)) == []


# -- lost-hours ----------------------------------------------------------------------------------------------------


def test_hours_that_the_source_no_longer_gives() -> None:
    """Missing hours older than 365 days are lost for ever; those that an answer lacked are no reason to hurry."""
    table = rows(without(range(YEAR), range(10, 20)))
    assert find("lost-hours", evidence(table, now=hour(YEAR + 10))) == []
    found = only(find("lost-hours", evidence(table, now=hour(YEAR + 15))))
    assert (found.severity, found.count, found.first, found.last) == ("info", 5, hour(10), hour(14))


@pytest.mark.parametrize(
    ("now", "count"), [(YEAR - 720 + 11, 1), (YEAR - 720 + 10, 0), (YEAR + 10, 10), (YEAR + 19, 1)]
)
def test_hours_that_nobody_asked_for(now: int, count: int) -> None:
    """Missing hours that perhaps no answer spanned, and that go within 30 days: how to have them, until when."""
    table = [rows(range(10), asked=hour(100)), rows(range(20, YEAR - 720), asked=hour(YEAR - 720))]
    found = find("lost-hours", evidence(*table, now=hour(now)))
    assert [finding.count for finding in found if finding.severity == "warning"] == [count] * bool(count)
    if now == YEAR + 10:
        assert found[0].sentence == (
            "10 missing hours from 2024-09-09 10:00 on may never have been asked for, and the source keeps them "
            "until 2025-09-09 10:00 only"
        )
        assert found[0].action == "run `airq-etl backfill` before"


def test_a_gap_that_the_year_slid_over_was_asked_for() -> None:
    """The hours before a gap stay with the last answer that reached so far; it spanned the gap all the same."""
    last_of_them = hour(9) + timedelta(days=365)
    table = [rows(range(10), asked=last_of_them), rows(range(20, YEAR), asked=last_of_them + timedelta(hours=1))]
    assert find("lost-hours", evidence(*table, now=last_of_them + timedelta(hours=1))) == []


def test_an_answer_that_came_too_early_does_not_count() -> None:
    """What an answer lacked within two hours of its end may have been published since."""
    for asked, count in ((hour(22), 0), (hour(22) - MINUTE, 1)):
        table = rows([*range(19), 20], asked=asked)
        given = evidence(table, now=hour(YEAR))
        assert len([f for f in find("lost-hours", given) if f.first == hour(19)]) == count


def test_a_station_not_fetched_for_a_year_loses_hours_all_the_time() -> None:
    """Its newest hour is as old as the source's year: an hour is lost with each that passes."""
    now = hour(99) + timedelta(days=365)
    given = evidence(rows(range(100), asked=hour(100)), now=now)
    assert "is lost with each" not in only(find("lost-hours", given)).sentence
    found = only(find("lost-hours", given._replace(now=now + timedelta(hours=5))))
    assert (found.severity, found.count) == ("warning", 5)
    assert "an hour is lost with each that passes" in found.sentence
    assert find("lost-hours", given._replace(now=now + timedelta(hours=5), configured=frozenset({OTHER}))) == []


def test_now_may_be_any_minute() -> None:
    """Hours are counted the same at any minute of the hour."""
    table = rows(without(range(YEAR), range(10, 20)))
    now: datetime = hour(YEAR + 14) + MINUTE
    assert only(find("lost-hours", evidence(table, now=now))).count == 5


# -- real hours ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def captured(captures_dir: Path) -> pl.DataFrame:
    """The hours of both stations, of both captures."""
    return frames.captured(captures_dir)


def test_the_captures(captured: pl.DataFrame) -> None:
    """What a field engineer would say of the captures, and no more: gaps, short days, the network, RH."""
    given = evidence(captured, now=datetime(2023, 12, 10, 0, 40, tzinfo=UTC), configured=frozenset({STATION, OTHER}))
    found = [finding for check in (*coverage.CHECKS, *source.CHECKS) for finding in check.find(given)]
    assert [(f.check, f.severity, f.station_id, f.count) for f in found] == [
        ("missing-hours", "info", STATION, 606),
        ("missing-hours", "info", OTHER, 731),
        ("incomplete-days", "info", STATION, 14),
        ("incomplete-days", "info", OTHER, 22),
        ("silent-network", "info", None, 541),
        ("missing-values", "info", STATION, 45),
        ("missing-values", "info", OTHER, 110),
    ]
    sentences = {(f.check, f.station_id): f.sentence for f in found}
    assert "longest of 313 hours from 2023-01-20 12:00 to 2023-02-02 12:00" in sentences["missing-hours", OTHER]
    assert sentences["silent-network", None].endswith(
        "11 times, 541 hours in all, the longest time 246 hours from 2023-01-20 12:00"
    )
    assert "RH in 43 of 8,213 hours (0.5 %)" in sentences["missing-values", STATION]


def test_captures_that_nobody_follows_up(captured: pl.DataFrame) -> None:
    """Half a day later it is the job that is silent, which is one error."""
    given = evidence(captured, now=datetime(2023, 12, 10, 12, tzinfo=UTC), configured=frozenset({STATION, OTHER}))
    found = [finding for check in coverage.CHECKS for finding in check.find(given) if finding.severity != "info"]
    assert only(found).sentence == (
        "none of 2 stations has a newer hour: the newest is 2023-12-10 00:00, 12 hours ago, "
        "and no answer has come since 2023-12-10 00:30"
    )


def test_a_summer_without_a_break(captured: pl.DataFrame) -> None:
    """No day of the summer of 2023, when both stations ran, finds either of them stale."""
    for day in range(60):
        now = datetime(2023, 7, 1, 10, 20, tzinfo=UTC) + timedelta(days=day)
        until = captured.filter(pl.col("hour") <= now).with_columns(requested_at=pl.lit(now, hourly.TIME))
        given = evidence(now=now)
        given = given._replace(tables=given.tables._replace(hourly=until))
        assert find("stale-station", given) == find("silent-network", given)[1:] == []
