"""For which hours to ask: what is missing, a little before it, and now and then the whole year.

The API keeps 365 days. It revises its newest hour, publishes hours late, and rewrites its past, so an overlap
is asked again at each run, and the whole year every few days. Whether the ends of a window are inclusive is
not documented: a window for given days begins an hour early and ends an hour late, and merging sorts it out.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from airq_etl.stations import midnight

KEPT = timedelta(days=365)
HOUR = timedelta(hours=1)
WIDEST = timedelta(days=90)


class Days(NamedTuple):
    """Local days, both included."""

    first: date
    last: date


class Window(NamedTuple):
    """Hours to ask for, aware UTC, both ends included; None is the API's own choice, the last 365 days."""

    start: datetime | None = None
    end: datetime | None = None


class Plan(NamedTuple):
    """The windows to ask one station for, whether they are the whole year, and the hours lost before them."""

    windows: list[Window]
    whole_year: bool
    lost: timedelta = timedelta(0)


WHOLE_YEAR = Plan([Window()], whole_year=True)


def since(
    newest: datetime | None, now: datetime, overlap: timedelta, swept_at: datetime | None, sweep: timedelta
) -> Plan:
    """What to ask when `newest` is the newest hour in the tables, and `swept_at` the last whole year asked.

    `sweep` is how often the whole year is asked again, zero for never.
    """
    if newest is None:
        return WHOLE_YEAR
    # A clock that was set back must not make us ask for the future.
    start = min(newest, now) - overlap
    if now - start > KEPT:
        return WHOLE_YEAR._replace(lost=max(_ceiling(now - KEPT) - newest - HOUR, timedelta(0)))
    if sweep and (swept_at is None or not timedelta(0) <= now - swept_at < sweep):
        return WHOLE_YEAR
    return Plan([Window(start, _next_hour(now))], whole_year=False)


def for_days(days: Days, zone: str, now: datetime) -> Plan:
    """What to ask for these days in `zone`; no window where they are out of reach."""
    start, end = midnight(days.first, zone), midnight(days.last + timedelta(days=1), zone)
    reachable = max(start, now - KEPT)
    lost = max(min(reachable, end) - start, timedelta(0))
    stop = min(end, _next_hour(now))
    windows = []
    while reachable < stop:
        until = min(reachable + WIDEST, stop)
        windows.append(Window(reachable - HOUR, until + HOUR))
        reachable = until
    return Plan(windows, whole_year=False, lost=lost)


def _ceiling(time: datetime) -> datetime:
    hour = time.replace(minute=0, second=0, microsecond=0)
    return hour if hour == time else hour + HOUR


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + HOUR
