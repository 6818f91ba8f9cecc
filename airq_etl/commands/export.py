"""export: tables out of the data directory, alert rules, and what Superset needs to show the data."""

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
        Literal["daily", "hourly", "forecasts", "revisions", "moved", "rejects", "alert-rules", "superset"],
        typer.Argument(
            help="The table; moved: the daily means that revisions moved; alert-rules: for Prometheus; superset: "
            "a dashboard for Apache Superset.",
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
    source: Annotated[
        Literal["sqlite", "parquet"] | None,
        typer.Option(help="What Superset is to read: the embedded store (the default), or the Parquet tables."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write here, not to stdout; of superset a directory."),
    ] = None,
) -> None:
    """Write a table as CSV, Parquet or JSON lines; alert rules for Prometheus; or a dashboard for Superset.

    Example: airq-etl export daily --station 283164601 -o daily.csv
    """
    from airq_etl.pipeline import export as exporting

    if what != "superset" and source:
        raise UsageError("--source says what superset is to read; everything else comes from the tables")
    if what in {"alert-rules", "superset"} and (station or start_date or end_date or form):
        named = "alert-rules are" if what == "alert-rules" else "a superset bundle is"
        raise UsageError(f"{named} no table: no station, no days and no --format go with it")
    if what == "superset":
        _superset(common, source or "sqlite", output)
    elif what == "alert-rules":
        exporting.write_rules(output)
    else:
        ids, settings = options.stations(station) or (), options.settings(common)
        days = options.days(start_date, end_date, settings.clock())
        chosen = form or exporting.format_of(output)
        exporting.write(exporting.rows(settings, what, ids, days), chosen, output)


def _superset(common: Common, source: Literal["sqlite", "parquet"], output: Path | None) -> None:
    from airq_etl.pipeline.superset import write_bundle

    if output is None or str(output) == "-":
        raise UsageError("superset: a bundle is a directory; name one with -o DIR")
    write_bundle(options.settings(common), source, output)
