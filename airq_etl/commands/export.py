"""export: tables out of the data directory, and alert rules."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from airq_etl import options
from airq_etl.errors import UsageError
from airq_etl.options import Common, EndDate, StartDate, StationIds, with_common


@with_common
def export(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    what: Annotated[
        Literal["daily", "hourly", "forecasts", "revisions", "moved", "rejects", "alert-rules"],
        typer.Argument(
            help="The table; moved: the daily means that revisions moved; alert-rules: for Prometheus.",
            show_default=False,
        ),
    ],
    station: StationIds = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    form: Annotated[
        Literal["csv", "parquet", "jsonl"] | None,
        typer.Option("--format", help="By default what FILE ends in, else csv."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here, not to stdout.")
    ] = None,
) -> None:
    """Write a table as CSV, Parquet or JSON lines; or alert rules for Prometheus.

    Example: airq-etl export daily --station 283164601 -o daily.csv
    """
    from airq_etl.pipeline import export as exporting

    if what == "alert-rules":
        if station or start_date or end_date or form:
            raise UsageError("alert-rules are no table: they take no station, no days and no --format")
        exporting.write_rules(output)
        return
    ids, settings = options.stations(station) or (), options.settings(common)
    days = options.days(start_date, end_date, settings.clock())
    chosen = form or exporting.format_of(output)
    exporting.write(exporting.rows(settings, what, ids, days), chosen, output)
