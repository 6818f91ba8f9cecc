"""For which hours to ask: what is missing, a little before it, and now and then the whole year.

The API keeps 365 days. It revises its newest hour, publishes hours late, and rewrites its past, so an overlap
is asked again at each run, and the whole year every few days. Whether the ends of a window are inclusive is
not documented: a window for given days or hours begins an hour early and ends an hour late, and merging sorts it out.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from airq_etl.stations import midnight

KEPT = timedelta(days=365)
HOUR = timedelta(hours=1)
WIDEST = timedelta(days=90)
WIDEST_OF_BACKFILL = timedelta(days=30)  # what an interruption costs is one window


class Days(NamedTuple):
    """Local days, both included."""

    first: date
    last: date


class Hours(NamedTuple):
    """Hours in a row, by their starts (aware UTC), both included; none where `last` is before `first`."""

    first: datetime
    last: datetime

    @property
    def length(self) -> int:
        """How many there are."""
        return max((self.last - self.first) // HOUR + 1, 0)

    def within(self, other: "Hours") -> "Hours":
        """Those that are in the other as well."""
        return Hours(max(self.first, other.first), min(self.last, other.last))

    def without(self, others: Iterable["Hours"]) -> list["Hours"]:
        """Those that are in none of the others."""
        rest, begins = [], self.first
        for other in sorted(other for other in others if other.within(self).length):
            rest.append(Hours(begins, other.first - HOUR))
            begins = max(begins, other.last + HOUR)
        return [hours for hours in (*rest, Hours(begins, self.last)) if hours.length]


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
        return WHOLE_YEAR._replace(lost=max(whole_hour(now - KEPT) - newest - HOUR, timedelta(0)))
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


def for_hours(wanted: Iterable[Hours]) -> list[Window]:
    """Few windows for these hours, none longer than 30 days and the hours around; `asked_by` says what each is for.

    What lies between hours of one window is asked for as well: a request costs more than the hours that it brings.
    """
    windows: list[Hours] = []
    for first, last in sorted(wanted):
        begins = first
        while begins <= last:
            if not windows or begins >= windows[-1].first + WIDEST_OF_BACKFILL:
                windows.append(Hours(begins, begins))
            start = windows[-1].first
            windows[-1] = Hours(start, min(last, start + WIDEST_OF_BACKFILL - HOUR))
            begins = windows[-1].last + HOUR
    return [Window(first - HOUR, last + 2 * HOUR) for first, last in windows]


def asked_by(window: Window) -> Hours:
    """The hours that a window of `for_hours` is for, without those around."""
    if window.start is None or window.end is None:
        raise ValueError("a window without ends is for no hours in particular")
    return Hours(window.start + HOUR, window.end - 2 * HOUR)


def whole_hour(time: datetime) -> datetime:
    """The first start of an hour that is not before `time`."""
    hour = hour_of(time)
    return hour if hour == time else hour + HOUR


def hour_of(time: datetime) -> datetime:
    """The start of the hour that a time is in."""
    return time.replace(minute=0, second=0, microsecond=0)


def _next_hour(now: datetime) -> datetime:
    return hour_of(now) + HOUR
