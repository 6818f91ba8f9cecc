"""What an operator is told of: thresholds that a run, a station or the clock has crossed."""

from datetime import datetime

import msgspec

from airq_etl.sanity.finding import Severity


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong `since` a time (aware UTC), and what to do next.

    It is the same as another of its `kind`, `station_id` and `subject`. `sentence` names the station, and the cause.
    """

    kind: str
    severity: Severity
    since: datetime
    sentence: str
    action: str
    station_id: int | None = None
    subject: str = ""


class KnownAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert with its history, times as aware UTC: it is open until `cleared_at`, and nobody knows before `told_at`.

    `told_as` is the severity that people were told of.
    """

    alert: Alert
    opened_at: datetime
    run_id: str
    told_at: datetime | None = None
    told_as: Severity | None = None
    cleared_at: datetime | None = None
