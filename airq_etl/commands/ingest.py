"""run, and its steps by themselves: extract, transform, load."""

from pathlib import Path
from typing import Annotated

import typer

from airq_etl import options
from airq_etl.commands import end
from airq_etl.errors import UsageError
from airq_etl.options import AsJson, Common, EndDate, StartDate, StationIds, with_common


@with_common
def run(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    station: StationIds = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Run on made-up stations, with no network and no settings.")
    ] = False,
    no_forecast: Annotated[bool, typer.Option("--no-forecast", help="Forecast nothing.")] = False,
    no_sanity_check: Annotated[
        bool, typer.Option("--no-sanity-check", help="Do not look at what is stored at the end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch new hours, compute daily means, store them, forecast: what cron calls.

    Example: airq-etl run --env-file /etc/airq-etl.env -q
    """
    from airq_etl.pipeline.run import run_all

    if demo:
        if station or start_date or end_date:
            raise UsageError("--demo goes by itself: its stations and its days are made up")
        from airq_etl.pipeline import demo as demonstration

        result, text = demonstration.run_demo(common.data_dir, common.now)
        end(common, result, as_json, text)
    ids = options.stations(station)
    settings = options.settings(common, stations=ids)
    days = options.days(start_date, end_date, settings.clock())
    steps = {"forecast": not no_forecast, "sanity_check": not no_sanity_check}
    beside = options.listed(common) if ids and not no_forecast else ()
    end(common, run_all(settings, days, **steps, check_only=ids or (), beside=beside), as_json)


@with_common
def extract(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="More payloads, after --from.", show_default=False),
    ] = None,
    station: StationIds = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    source: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="Take saved payloads (JSON, also .gz), not the API."),
    ] = None,
    requested_at: Annotated[
        str | None, typer.Option(metavar="ISO", help="When the payloads of --from were asked for (UTC).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask AirQino for new hours, and keep the answers byte for byte.

    Example: airq-etl extract --from old/283164601_2023-12-06.json.gz
    """
    from airq_etl.pipeline.run import run_extract, run_import
    from airq_etl.settings import parse_time

    ids = options.stations(station)
    settings = options.settings(common, stations=ids)
    days = options.days(start_date, end_date, settings.clock())
    if not source:
        if files or requested_at:
            raise UsageError("FILE and --requested-at belong to --from, as in: airq-etl extract --from FILE...")
        end(common, run_extract(settings, days), as_json)
    if days or (ids and len(ids) > 1):
        raise UsageError("--from takes payloads whole, of one --station at a time, and without days")
    when = parse_time(requested_at, "--requested-at") if requested_at else None
    if when is not None and when > settings.clock():
        raise UsageError(f"--requested-at {requested_at} is in the future, and would override what comes until then")
    end(common, run_import(settings, [*(source or []), *(files or [])], ids[0] if ids else None, when), as_json)


@with_common
def transform(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    station: StationIds = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make all tables again from the captures.")] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="With --rebuild: give up hours that no capture holds.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn kept answers into the hourly table and daily means.

    With days, their daily means are computed anew.

    Example: airq-etl transform --rebuild
    """
    from airq_etl.pipeline.run import run_transform

    settings = options.settings(common, stations=options.stations(station))
    days = options.days(start_date, end_date, settings.clock())
    if rebuild and (days or station):
        raise UsageError("--rebuild makes all tables again; it takes no station and no days")
    if discard and not rebuild:
        raise UsageError("--discard belongs to --rebuild")
    end(common, run_transform(settings, days, anew=rebuild, discard=discard), as_json)


@with_common
def load(
    common: Common,
    *,
    full: Annotated[bool, typer.Option("--full", help="Send everything, not only what changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send changed hours and days to MongoDB, or to the embedded store.

    Example: airq-etl load --full
    """
    from airq_etl.pipeline.run import run_load

    end(common, run_load(options.settings(common), full=full), as_json)
