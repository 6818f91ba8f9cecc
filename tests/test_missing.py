"""Which missing hours are asked for, and which are for ever."""

from datetime import date, timedelta

from airq_etl.missing import Answered, Missing, missing
from airq_etl.stations import Rules
from airq_etl.windows import KEPT, Days, Hours
from tests.evidence import evidence, rows
from tests.frames import STATION, hour

ONE = frozenset({STATION})
NOW = hour(1000) + timedelta(minutes=20)
HORIZON = hour(1001) - KEPT
BEFORE = Hours(HORIZON, hour(-1))  # the first of hour(0)
SWEPT = {STATION}


def test_the_hours_between_two_answers_are_askable() -> None:
    """A gap that no answer is known to have spanned is asked for; one that lay within an answer is for ever."""
    given = evidence(
        rows([*range(100), *range(110, 500)], asked=hour(500)),
        rows(range(600, 1000), asked=NOW),
        now=NOW,
        configured=ONE,
    )
    between, within = Hours(hour(500), hour(599)), Hours(hour(100), hour(109))
    assert missing(given, {}, SWEPT) == {STATION: Missing([between], [], [within])}
    assert missing(given, {}, SWEPT, again=True)[STATION].askable == [within, between]


def test_an_hour_may_come_two_hours_late() -> None:
    """What an answer lacked is askable still where the answer was asked for within two hours of its end."""
    asked = hour(103) + timedelta(minutes=30)
    given = evidence(rows([*range(90), 103], asked=asked), rows(range(104, 1000), asked=NOW), now=NOW, configured=ONE)
    found = missing(given, {}, SWEPT)[STATION]
    assert found.askable == [Hours(hour(101), hour(102))]
    assert found.not_given == [Hours(hour(90), hour(100))]


def test_before_the_first_hour() -> None:
    """The year before the first hour is askable where it was never asked; never before the station served."""
    given = evidence(rows(range(1000), asked=NOW), now=NOW, configured=ONE)
    assert missing(given, {})[STATION].askable == [BEFORE]
    assert missing(given, {}, SWEPT)[STATION] == Missing([], [], [])
    serving = Rules(in_service={STATION: hour(-50) + timedelta(minutes=5)})
    assert missing(given._replace(rules=serving), {})[STATION].askable == [Hours(hour(-49), hour(-1))]


def test_since_the_newest_hour() -> None:
    """Up to the last hour that has ended, and of a station of which none is known the whole year."""
    given = evidence(rows(range(900), asked=NOW), now=NOW, configured=ONE | {8})
    found = missing(given, {}, SWEPT)
    assert found[STATION].askable == [Hours(hour(900), hour(999))]
    assert found[8].askable == [Hours(HORIZON, hour(999))]


def test_what_a_backfill_was_not_given_is_for_ever() -> None:
    """It is askable no more, but for hours that may come late; and before a first hour nothing is known to be lost."""
    given = evidence(rows(range(900), asked=NOW), now=NOW, configured=ONE)
    known = {STATION: [Answered(Hours(hour(900), hour(999)), NOW), Answered(BEFORE, NOW)]}
    assert missing(given, known)[STATION] == Missing([Hours(hour(998), hour(999))], [], [Hours(hour(900), hour(997))])


def test_older_than_the_year_is_for_ever() -> None:
    """A gap is cut where the source's year begins; what lies before it is asked for by nobody, not even again."""
    first = -24 * 400
    given = evidence(
        rows(range(first, first + 10), asked=hour(first + 10)), rows(range(1000), asked=NOW), now=NOW, configured=ONE
    )
    found = missing(given, {}, SWEPT, again=True)[STATION]
    assert found.older == [Hours(hour(first + 10), HORIZON - timedelta(hours=1))]
    assert found.askable == [BEFORE]


def test_only_the_days_asked_for() -> None:
    """Local days, both included: of each list only what lies in them."""
    given = evidence(rows([*range(24), *range(240, 1000)], asked=NOW), now=NOW, configured=ONE)
    given = given._replace(days=Days(date(2024, 9, 11), date(2024, 9, 12)), rules=Rules({STATION: "Etc/GMT-2"}))
    assert missing(given, {}, SWEPT)[STATION].not_given == [Hours(hour(46), hour(93))]
