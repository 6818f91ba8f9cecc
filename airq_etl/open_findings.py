"""Which findings are open: told once when they open, and once more when they have gone.

A finding is the same as before where check, station, sensor and place are; its numbers may change. Looks are of
two kinds, which see different things: one at all that is stored, and one at its newest days, as each run takes.
So each kind has rows of its own, and a finding is open as long as either has it. That a look at the newest days
does not see a fault of last year says nothing; that it no longer sees what it saw before does.
"""

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from airq_etl.ledger import Ledger, text
from airq_etl.sanity.finding import SEVERITIES, Finding

DAY = timedelta(days=1)  # unseen for so long, a finding of the newest days has left them, or nobody looks any more

_TABLE = """
create table if not exists findings (
    check_name text not null, station_id integer, sensor text, place text not null, newest_days integer not null,
    severity text not null, first text, last text, count integer not null, sentence text not null,
    action text not null, opened_at text not null, seen_at text not null, cleared_at text, run_id text not null)
"""
_COLUMNS = tuple(re.findall(r"(\w+) (?:text|integer)", _TABLE))
_INDEX = """
create unique index if not exists findings_identity on findings
    (check_name, ifnull(station_id, 0), ifnull(sensor, ''), place, newest_days)
"""

Identity = tuple[str, int | None, str | None, str]


class Look(NamedTuple):
    """Who looked, and at what: `since` has the first day looked at in each place, None means all that is stored.

    `stations` are those that it was about, none for all.
    """

    run_id: str
    now: datetime
    since: Mapping[str, date] | None = None
    stations: frozenset[int] = frozenset()


class Known(NamedTuple):
    """A finding as one kind of look last saw it, of all days or of the `newest_days`; not `cleared_at`: open."""

    finding: Finding
    newest_days: bool
    opened_at: datetime
    seen_at: datetime
    cleared_at: datetime | None
    run_id: str

    @property
    def key(self) -> tuple[Identity, bool]:
        """What makes it the same as another."""
        return identity(self.finding), self.newest_days


class News(NamedTuple):
    """What is open now and was not before, or is worse than before; and what was open and has gone."""

    opened: Sequence[Finding] = ()
    cleared: Sequence[Finding] = ()


def identity(finding: Finding) -> Identity:
    """What makes a finding the same as another."""
    return finding.check, finding.station_id, finding.sensor, finding.place


def open_findings(ledger: Ledger) -> list[Known]:
    """The open findings, one each (that of all days before that of the newest), the worst first."""
    if not ledger.rows("select 1 from sqlite_master where name = 'findings'"):
        return []
    rows = ledger.rows("select * from findings order by check_name, station_id, sensor, place")
    return list(_open(_known(rows)).values())


def record(ledger: Ledger, findings: Iterable[Finding], look: Look) -> News:
    """Record what a look found, and that what it should have found and did not has gone."""
    with ledger.transaction() as db:
        db.execute(_TABLE)
        db.execute(_INDEX)
        known = _known(db.execute("select * from findings").fetchall())
        before = {known.key: known for known in known}
        after = before | _found(before, findings, look)
        after |= {key: its._replace(cleared_at=look.now) for key, its in after.items() if _has_gone(its, after, look)}
        _write(db, (its for key, its in after.items() if its != before.get(key)))
    was, now = _open(before.values()), _open(after.values())
    opened = [its.finding for key, its in now.items() if key not in was or _rank(its.finding) < _rank(was[key].finding)]
    return News(opened, [its.finding for key, its in was.items() if key not in now])


def _found(
    before: Mapping[tuple[Identity, bool], Known], findings: Iterable[Finding], look: Look
) -> dict[tuple[Identity, bool], Known]:
    found: dict[tuple[Identity, bool], Known] = {}
    for finding in findings:
        its = Known(finding, look.since is not None, look.now, look.now, None, look.run_id)
        there = before.get(its.key)
        if there is not None and there.cleared_at is None:
            its = its._replace(opened_at=there.opened_at)
        # The worst comes first, and stands for others of its kind.
        found.setdefault(its.key, its)
    return found


def _has_gone(its: Known, after: Mapping[tuple[Identity, bool], Known], look: Look) -> bool:
    """Whether an open finding that the look did not see is no longer there."""
    if its.cleared_at is not None or its.run_id == look.run_id:
        return False
    if look.stations and its.finding.station_id not in look.stations:
        return False
    if look.since is None:
        return not its.newest_days or look.now - its.seen_at > DAY
    first_day = look.since.get(its.finding.place)
    if first_day is None:
        return False
    if its.newest_days:
        # What lasted up to the look that saw it has gone, however long ago that was.
        lasted_until = (its.seen_at - DAY).date()
        return _day(its.finding.last, first_day) >= min(first_day, lasted_until)
    # It was seen among the newest days as well, lies there whole, and is seen no longer.
    other = after.get((identity(its.finding), True))
    seen = other is not None and other.run_id != look.run_id and other.cleared_at is None
    return seen and _day(its.finding.first, first_day) >= first_day


def _day(time: datetime | date | None, otherwise: date) -> date:
    return time.date() if isinstance(time, datetime) else time or otherwise


def _open(known: Iterable[Known]) -> dict[Identity, Known]:
    """By identity the open finding, the worse where both kinds of look have it."""
    found: dict[Identity, Known] = {}
    for its in sorted(known, key=lambda its: (_rank(its.finding), its.newest_days)):
        if its.cleared_at is None:
            found.setdefault(identity(its.finding), its)
    return found


def _rank(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)


def _known(rows: Iterable[Sequence[Any]]) -> list[Known]:
    return [_one(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _one(row: dict[str, Any]) -> Known:
    finding = Finding(
        check=row["check_name"],
        first=_time(row["first"]),
        last=_time(row["last"]),
        **{name: row[name] for name in ("severity", "station_id", "sensor", "count", "sentence", "action", "place")},
    )
    opened_at, seen_at = (datetime.fromisoformat(row[name]) for name in ("opened_at", "seen_at"))
    cleared_at = None if row["cleared_at"] is None else datetime.fromisoformat(row["cleared_at"])
    return Known(finding, bool(row["newest_days"]), opened_at, seen_at, cleared_at, row["run_id"])


def _time(written: str | None) -> datetime | date | None:
    if written is None:
        return None
    return datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)


def _write(db: sqlite3.Connection, known: Iterable[Known]) -> None:
    db.executemany(
        f"insert or replace into findings values ({', '.join(f':{name}' for name in _COLUMNS)})",  # noqa: S608
        (
            msgspec.structs.asdict(its.finding)
            | {name: None if time is None else time.isoformat() for name, time in _times(its.finding)}
            | {"check_name": its.finding.check, "newest_days": its.newest_days, "run_id": its.run_id}
            | {"opened_at": text(its.opened_at), "seen_at": text(its.seen_at), "cleared_at": text(its.cleared_at)}
            for its in known
        ),
    )


def _times(finding: Finding) -> list[tuple[str, datetime | date | None]]:
    return [("first", finding.first), ("last", finding.last)]
