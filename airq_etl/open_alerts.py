"""Which alerts are open, and of which people were told: a table of the ledger."""

import sqlite3
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from airq_etl.ledger import Ledger, text
from airq_etl.sanity.finding import SEVERITIES
from airq_etl.watch import Alert, KnownAlert

_ALERT = Alert.__struct_fields__
_KNOWN = tuple(name for name in KnownAlert.__struct_fields__ if name != "alert")
_COLUMNS = (*_ALERT, *_KNOWN)
_ORDER = "case severity when 'error' then 0 when 'warning' then 1 else 2 end, opened_at, kind, station_id"
_IDENTITY = "kind = :kind and station_id is :station_id and subject = :subject and opened_at = :opened_at"


class News(NamedTuple):
    """What people are to be told: open alerts that they do not know, or not as so bad; and known ones that cleared."""

    opened: list[KnownAlert]
    cleared: list[KnownAlert]


def open_alerts(ledger: Ledger) -> list[KnownAlert]:
    """The open alerts, the worst first, then the oldest."""
    return _read(ledger, f"cleared_at is null order by {_ORDER}")


def alerts_since(ledger: Ledger, time: datetime) -> list[KnownAlert]:
    """The alerts that are open or were since a time (aware UTC), in the order in which they opened."""
    where = "cleared_at is null or cleared_at >= ? order by opened_at, kind, station_id"
    return _read(ledger, where, text(time))


def record(
    ledger: Ledger, found: Collection[Alert], unseen: Callable[[Alert], bool], *, now: datetime, run_id: str
) -> None:
    """Record what a run found: an open alert that it found again, or could not see, stays open; any other clears."""
    there = {one.alert.identity: one for one in open_alerts(ledger)}
    now_open = {alert.identity: _known_as(alert, there.get(alert.identity), now, run_id) for alert in found}
    gone = {
        key: msgspec.structs.replace(one, cleared_at=now)
        for key, one in there.items()
        if key not in now_open and not unseen(one.alert)
    }
    with ledger.transaction() as db:
        _write(db, (one for key, one in (now_open | gone).items() if one != there.get(key)))


def record_past(ledger: Ledger, alert: Alert, *, now: datetime, run_id: str, telling: bool) -> None:
    """Record an alert that has cleared before anybody could be told that it was open; news only where we are `telling`.

    Whoever is told of alerts from next year on does not want those of this one.
    """
    told_as = alert.severity if telling else None
    with ledger.transaction() as db:
        _write(db, [KnownAlert(alert=alert, opened_at=now, run_id=run_id, told_as=told_as, cleared_at=now)])


def news(ledger: Ledger) -> News:
    """What people are to be told of."""
    opened = [one for one in open_alerts(ledger) if one.told_as is None or _is_worse(one)]
    cleared = _read(ledger, "cleared_at is not null and told_as is not null order by opened_at, kind, station_id")
    return News(opened, cleared)


def mark_told(ledger: Ledger, told: News, now: datetime) -> None:
    """Record that people were told: what has cleared is of no more interest then."""
    known = [msgspec.structs.replace(one, told_at=now, told_as=one.alert.severity) for one in told.opened]
    with ledger.transaction() as db:
        _write(db, [*known, *(msgspec.structs.replace(one, told_as=None) for one in told.cleared)])


def _known_as(alert: Alert, there: KnownAlert | None, now: datetime, run_id: str) -> KnownAlert:
    if there is None:
        return KnownAlert(alert=alert, opened_at=now, run_id=run_id)
    # What it is since does not move, whatever else is said of it by now.
    return msgspec.structs.replace(there, alert=msgspec.structs.replace(alert, since=there.alert.since))


def _is_worse(one: KnownAlert) -> bool:
    return one.told_as is not None and SEVERITIES.index(one.alert.severity) < SEVERITIES.index(one.told_as)


def _read(ledger: Ledger, where: str, *values: Any) -> list[KnownAlert]:  # noqa: ANN401 -- as SQLite takes them
    rows = ledger.rows(f"select {', '.join(_COLUMNS)} from alerts where {where}", values)  # noqa: S608
    return [_known(row) for row in rows]


def _known(row: tuple[Any, ...]) -> KnownAlert:
    alert = dict(zip(_ALERT, row, strict=False))
    rest = dict(zip(_KNOWN, row[len(_ALERT) :], strict=True))
    return msgspec.convert(rest | {"alert": alert}, KnownAlert)


def _write(db: sqlite3.Connection, known: Iterable[KnownAlert]) -> None:
    for one in known:
        values = {**msgspec.structs.asdict(one.alert), **msgspec.structs.asdict(one)}
        row = {name: text(value) if isinstance(value := values[name], datetime) else value for name in _COLUMNS}
        db.execute(f"delete from alerts where {_IDENTITY}", row)  # noqa: S608
        db.execute(f"insert into alerts ({', '.join(row)}) values ({', '.join(f':{name}' for name in row)})", row)  # noqa: S608
