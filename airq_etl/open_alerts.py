"""Which alerts are open, and of which people were told: a table of the ledger."""

from datetime import datetime
from typing import Any

import msgspec

from airq_etl.ledger import Ledger
from airq_etl.watch import Alert, KnownAlert

_ALERT = Alert.__struct_fields__
_KNOWN = tuple(name for name in KnownAlert.__struct_fields__ if name != "alert")
_ORDER = "case severity when 'error' then 0 when 'warning' then 1 else 2 end, opened_at, kind, station_id"


def open_alerts(ledger: Ledger) -> list[KnownAlert]:
    """The open alerts, the worst first, then the oldest."""
    return _read(ledger, f"cleared_at is null order by {_ORDER}")


def alerts_since(ledger: Ledger, time: datetime) -> list[KnownAlert]:
    """The alerts that are open or were since a time (aware UTC), in the order in which they opened."""
    return _read(ledger, "cleared_at is null or cleared_at >= ? order by opened_at, kind, station_id", time.isoformat())


def _read(ledger: Ledger, where: str, *values: str) -> list[KnownAlert]:
    rows = ledger.rows(f"select {', '.join((*_ALERT, *_KNOWN))} from alerts where {where}", values)  # noqa: S608
    return [_known(row) for row in rows]


def _known(row: tuple[Any, ...]) -> KnownAlert:
    alert = dict(zip(_ALERT, row, strict=False))
    rest = dict(zip(_KNOWN, row[len(_ALERT) :], strict=True))
    return msgspec.convert(rest | {"alert": alert}, KnownAlert)
