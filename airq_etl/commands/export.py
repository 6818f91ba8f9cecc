"""export: tables out of the data directory."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from airq_etl import options
from airq_etl.options import Common, EndDate, StartDate, StationIds, with_common


@with_common
def export(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    what: Annotated[
        Literal["daily", "hourly", "revisions", "moved", "rejects"],
        typer.Argument(help="The table; moved: the daily means that revisions moved.", show_default=False),
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
    """Write a table as CSV, Parquet or JSON lines.

    Example: airq-etl export daily --station 283164601 -o daily.csv
    """
    from airq_etl.pipeline import export as exporting

    ids, settings = options.stations(station) or (), options.settings(common)
    days = options.days(start_date, end_date, settings.clock())
    chosen = form or exporting.format_of(output)
    exporting.write(exporting.rows(settings, what, ids, days), chosen, output)
