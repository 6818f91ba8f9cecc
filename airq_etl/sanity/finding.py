"""What a check finds.

A finding is an `error` where what is stored is wrong or a published mean is worth nothing, a `warning` where
somebody should look, and `info` where a reader of the numbers should know.
"""

from datetime import date, datetime
from typing import Literal

import msgspec

from airq_etl.sanity.wording import printable
from airq_etl.sensors import BY_COLUMN

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found: by which check, where, how much of it, and what to do about it.

    `station_id` is None where it concerns no single station, `sensor` (a column of `sensors`) where it concerns
    none. The period runs from `first` to `last`, both included: hours (aware UTC) or days. `count` counts what
    the check is about: hours, days, rows. `sentence` is for people, without a full stop at its end; it names
    neither the station nor the place, which stand beside it. `place` is "tables", or the name of the store.
    """

    check: str
    severity: Severity
    station_id: int | None = None
    sensor: str | None = None
    first: datetime | date | None = None
    last: datetime | date | None = None
    count: int
    sentence: str
    action: str
    place: str = "tables"


def subject(finding: Finding, name: str | None) -> str:
    """The station (by its `name`) and the sensor that a sentence is about, with a colon; nothing where it has none."""
    column = finding.sensor
    key = BY_COLUMN[column].key if column is not None and column in BY_COLUMN else column
    about = " ".join(filter(None, (name, key)))
    return printable(f"{about}: ") if about else ""
