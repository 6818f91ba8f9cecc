"""What is open: told once when it opens, and once more when it has gone."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from airq_etl.ledger import Ledger
from airq_etl.open_findings import Look, News, open_findings, record
from airq_etl.sanity.finding import Finding

NOW = datetime(2024, 9, 10, 12, tzinfo=UTC)
WINDOW = date(2024, 7, 12)
DEAD = Finding(
    check="dead",
    severity="error",
    station_id=7,
    sensor="co",
    first=datetime(2024, 9, 1, tzinfo=UTC),
    last=datetime(2024, 9, 10, 11, tzinfo=UTC),
    count=228,
    sentence="0.0 in all hours",
    action="see the sensor",
)
OLD = msgspec.structs.replace(DEAD, check="gap", first=date(2024, 3, 1), last=date(2024, 3, 5))
NOTHING = News([], [])


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path) as opened:
        yield opened


def at_all(hours: int = 0) -> Look:
    """A look at everything, so many hours after noon."""
    return Look(f"all-{hours}", NOW + timedelta(hours=hours))


def at_newest(hours: int = 0, places: tuple[str, ...] = ("tables",), stations: tuple[int, ...] = ()) -> Look:
    """A look at the newest days of these places."""
    return Look(
        f"newest-{hours}", NOW + timedelta(hours=hours), dict.fromkeys(places, WINDOW), stations=frozenset(stations)
    )


def checks(ledger: Ledger) -> list[str]:
    return [known.finding.check for known in open_findings(ledger)]


@pytest.mark.parametrize("look", [at_all, at_newest])
def test_a_finding_is_news_once(ledger: Ledger, look: Callable[[int], Look]) -> None:
    """It is news when it opens and when it has gone, not between, though its numbers change."""
    more = msgspec.structs.replace(DEAD, count=229, sentence="0.0 in yet more hours")
    assert record(ledger, [DEAD], look(0)) == News([DEAD], [])
    assert record(ledger, [more], look(1)) == NOTHING
    (known,) = open_findings(ledger)
    assert (known.finding, known.opened_at, known.seen_at) == (more, NOW, NOW + timedelta(hours=1))
    assert record(ledger, [], look(2)) == News([], [more])
    assert record(ledger, [], look(3)) == NOTHING
    assert open_findings(ledger) == []


def test_what_comes_back_is_news(ledger: Ledger) -> None:
    """A finding that had gone and is there again opens anew."""
    for number, found in enumerate(([DEAD], [])):
        record(ledger, found, at_newest(number))
    assert record(ledger, [DEAD], at_newest(2)).opened == [DEAD]
    assert open_findings(ledger)[0].opened_at == NOW + timedelta(hours=2)


def test_what_gets_worse_is_news(ledger: Ledger) -> None:
    """A warning that becomes an error is news; an error that becomes a warning is not, but is one."""
    mild = msgspec.structs.replace(DEAD, severity="warning")
    record(ledger, [mild], at_newest())
    assert record(ledger, [DEAD], at_newest(1)) == News([DEAD], [])
    assert record(ledger, [mild], at_newest(2)) == NOTHING
    assert open_findings(ledger)[0].finding == mild


@pytest.mark.parametrize("change", [{"station_id": None}, {"sensor": None}, {"place": "store"}, {"check": "flat"}])
def test_what_makes_a_finding_the_same(ledger: Ledger, change: dict[str, str | None]) -> None:
    """Check, station, sensor and place name a finding; None is a name like others."""
    other = msgspec.structs.replace(DEAD, **change)
    assert record(ledger, [DEAD, other], at_all()).opened == [DEAD, other]
    assert record(ledger, [DEAD, other], at_all(1)) == NOTHING
    assert record(ledger, [DEAD], at_all(2)).cleared == [other]


def test_the_worst_stands_for_others_of_its_kind(ledger: Ledger) -> None:
    """Where a check says two things of the same, the first is kept, which is the worst."""
    record(ledger, [DEAD, msgspec.structs.replace(DEAD, severity="info")], at_all())
    assert [known.finding for known in open_findings(ledger)] == [DEAD]


def test_the_newest_days_clear_nothing_older(ledger: Ledger) -> None:
    """A look at the newest days leaves alone what it could not see."""
    record(ledger, [OLD, DEAD], at_all())
    assert record(ledger, [], at_newest(1)) == NOTHING
    assert checks(ledger) == ["dead", "gap"]
    assert record(ledger, [], at_all(2)).cleared == [OLD, DEAD]


def test_the_newest_days_clear_what_they_saw(ledger: Ledger) -> None:
    """What both looks saw within the newest days is gone when the newest days do not have it any more."""
    record(ledger, [DEAD], at_all())
    assert record(ledger, [DEAD], at_newest(1)) == NOTHING
    assert record(ledger, [], at_newest(2)).cleared == [DEAD]
    assert open_findings(ledger) == []


def test_a_long_finding_waits_for_a_look_at_all(ledger: Ledger) -> None:
    """What reaches back beyond the newest days stays open, though they have it no more; nothing is told twice."""
    long = msgspec.structs.replace(DEAD, first=date(2023, 9, 1))
    record(ledger, [long], at_all())
    assert record(ledger, [DEAD], at_newest(1)) == NOTHING
    assert record(ledger, [], at_newest(2)) == NOTHING
    assert [known.finding for known in open_findings(ledger)] == [long]
    assert record(ledger, [], at_all(3)).cleared == [long]


def test_what_leaves_the_newest_days_is_still_there(ledger: Ledger) -> None:
    """A fault that lies before the newest days by now was not mended by that; a look at all decides."""
    record(ledger, [OLD], at_newest())
    assert record(ledger, [], at_newest(1)) == NOTHING
    assert record(ledger, [], at_all(26)).cleared == [OLD]


def test_two_looks_do_not_contradict_each_other_all_day(ledger: Ledger) -> None:
    """What the newest days have and the year does not (a share of hours, say) is told once, not each day."""
    told = [
        record(ledger, [DEAD] if hour % 24 else [], at_newest(hour) if hour % 24 else at_all(hour))
        for hour in range(1, 60)
    ]
    assert [news for news in told if news != NOTHING] == [News([DEAD], [])]
    # When no run looks any more, a look at all clears it.
    assert record(ledger, [], at_all(100)).cleared == [DEAD]


def test_a_place_that_was_not_looked_at(ledger: Ledger) -> None:
    """Where the store was left out nothing of it has gone."""
    stored = msgspec.structs.replace(DEAD, place="store")
    record(ledger, [stored], at_newest(0, ("tables", "store")))
    assert record(ledger, [], at_newest(1)) == NOTHING
    assert record(ledger, [], at_newest(2, ("tables", "store"))).cleared == [stored]


def test_stations_that_were_not_looked_at(ledger: Ledger) -> None:
    """A look at some stations clears nothing of others, and nothing that is of none."""
    nobodys = msgspec.structs.replace(DEAD, station_id=None)
    record(ledger, [DEAD, nobodys], at_newest())
    assert record(ledger, [], at_newest(1, stations=(8,))) == NOTHING
    assert record(ledger, [], at_newest(2, stations=(7,))).cleared == [DEAD]
    assert [known.finding for known in open_findings(ledger)] == [nobodys]


def test_a_finding_comes_back_as_it_was(ledger: Ledger) -> None:
    """Hours stay hours and days days; the worst comes first."""
    bare = Finding(check="keys", severity="warning", count=1, sentence="an unknown key", action="see it")
    record(ledger, [bare, OLD, DEAD], at_all())
    assert [known.finding for known in open_findings(ledger)] == [DEAD, OLD, bare]


def test_before_any_look_nothing_is_open(ledger: Ledger) -> None:
    """A ledger that saw no look has nothing open, and reading it makes no table."""
    assert open_findings(ledger) == []
    assert ledger.rows("select count(*) from sqlite_master where name like 'findings%'") == [(0,)]
