"""What a backfill gives back: what it would ask for, or what came of it."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from airq_etl.results import Result


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Missing hours of a station: the first and the last (UTC, by their starts), and how many.

    `requests` ask for them, each maybe for other gaps too; 0 where none does.
    """

    station_id: int
    name: str | None
    first: datetime
    last: datetime
    hours: int
    requests: int = 0


class Outlook(msgspec.Struct, kw_only=True):
    """What a backfill would do at `now` (aware UTC), each list with the longest gap first.

    `gaps` are what the source may still give, and `requests` would ask for them, all in all. The hours of `older`
    are beyond the year that it keeps, those of `not_given` were asked for, and it did not have them: both are for
    ever, but that with `again` the latter are among the gaps. `captures_waiting` are answers that are not in the
    tables yet, so that less may be missing than is said.
    """

    command: str = "backfill"
    now: datetime
    again: bool
    captures_waiting: int
    requests: int
    gaps: list[Gap]
    older: list[Gap]
    not_given: list[Gap]


class Filled(msgspec.Struct, kw_only=True):
    """What came of the hours of a station that were `missing` and could be had.

    Those that `came` are in the tables now, `not_given` are for ever, and `left` are for the next backfill.
    """

    station_id: int
    name: str | None
    missing: int
    came: int
    not_given: int
    left: int
    error: str | None = None


class Backfill(msgspec.Struct, kw_only=True):
    """What a backfill did: `run` as any command has it, `before` and `after` what was missing then and now."""

    run: Result
    before: Outlook
    after: Outlook
    unanswered: int
    stations: list[Filled]


def hours_in(gaps: Iterable[Gap]) -> int:
    """How many hours there are in some gaps."""
    return sum(gap.hours for gap in gaps)
