"""What a report is made of: frames and records, wherever they were read."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import polars as pl

from airq_etl.report.facts import Run
from airq_etl.sanity.finding import Finding
from airq_etl.stations import Rules, Station
from airq_etl.windows import Days

CLOCK_SCHEMA: dict[str, pl.DataType] = {
    "station_id": pl.Int64(),
    "sensor": pl.String(),
    "month": pl.String(),
    "hour": pl.Int64(),
    "mean": pl.Float64(),
    "hours": pl.Int64(),
}


class Material(NamedTuple):
    """The frames of a report on `stations`, as of `now` (aware UTC), from `source`.

    `daily` has rows of the daily table, `revisions` and `forecasts` of theirs, all within `days` where a period was
    asked for; but forecasts, which are those of the last 28 days and to come. `recent` has the last hours, judged
    and with their NowCast; `clock` the columns of CLOCK_SCHEMA; `newest` the (UTC) newest hour
    of each station, whatever the period.
    `reasons` say why a station's sensor has no forecast. `findings_as_of` is null where they are of now.
    """

    now: datetime
    source: str
    rules: Rules
    days: Days | None
    stations: Mapping[int, Station]
    daily: pl.DataFrame
    recent: pl.DataFrame
    newest: Mapping[int, datetime]
    clock: pl.DataFrame
    revisions: pl.DataFrame
    forecasts: pl.DataFrame
    reasons: Mapping[tuple[int, str], str]
    findings: Sequence[Finding]
    findings_as_of: datetime | None
    runs: Sequence[Run]
    run_days: Mapping[date, Mapping[str, int]]
