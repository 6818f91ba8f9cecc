"""forecast: the next hours of each pollutant, and how earlier forecasts turned out."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from airq_etl import options
from airq_etl.commands import say
from airq_etl.commands.progress_bar import progress_bar
from airq_etl.errors import UsageError
from airq_etl.forecast import HORIZON, LONGEST
from airq_etl.options import AsJson, Common, EndDate, StartDate, StationIds, with_common


@with_common
def forecast(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    station: StationIds = None,
    horizon: Annotated[
        int | None,
        typer.Option(min=1, max=LONGEST, metavar="HOURS", help=f"How far ahead, 1 to {LONGEST}; {HORIZON} by default."),
    ] = None,
    scores: Annotated[bool, typer.Option("--scores", help="How forecasts turned out, of 28 days.")] = False,
    models: Annotated[bool, typer.Option("--models", help="Which model served since when, and why.")] = False,
    backtest: Annotated[bool, typer.Option("--backtest", help="What forecasts of these days would have been.")] = False,
    start_date: StartDate = None,
    end_date: EndDate = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="With --backtest: write them here, as CSV.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast the next hours of each pollutant, each with its 80 % and 95 % interval.

    A forecast is made once, kept, and scored when its hour has come.

    Example: airq-etl forecast --station 283164601 --horizon 6
    """
    _refuse_at_odds(
        {"--scores": scores, "--models": models, "--backtest": backtest}, horizon, start_date or end_date, output
    )
    settings = options.settings(common)
    days = options.days(start_date, end_date, settings.clock())
    from airq_etl import forecast_tables
    from airq_etl.pipeline.forecasting import asked, known

    ids = asked.stations_asked(settings, options.stations(station))
    if scores:
        rows = known.scores_known(settings, ids, days)
        _show(common, rows.to_dicts(), lambda: forecast_tables.scores_text(rows), as_json=as_json)
    elif models:
        rows = known.models_known(settings, ids)
        _show(common, rows.to_dicts(), lambda: forecast_tables.models_text(rows), as_json=as_json)
    elif days is not None:
        from airq_etl.pipeline.forecasting.backtest import run_backtest

        with progress_bar(common, "backtest", "origins") as progress:
            done = run_backtest(settings, days, ids, horizon or HORIZON, output, progress=progress)
        _show(common, done, lambda: forecast_tables.backtest_text(done), as_json=as_json)
    else:
        from airq_etl.forecast_text import forecast_text
        from airq_etl.pipeline.forecasting.make import run_forecast

        found = run_forecast(settings, ids, horizon or HORIZON)
        _show(common, found, lambda: forecast_text(found), as_json=as_json)
        raise typer.Exit(found.exit_code)


def _refuse_at_odds(modes: Mapping[str, bool], horizon: int | None, a_day: str | None, output: Path | None) -> None:
    """UsageError where options do not go together, or a file cannot be written where it is to be."""
    asked = [name for name, given in modes.items() if given]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} exclude each other; give one of them")
    if horizon is not None and asked in (["--scores"], ["--models"]):
        raise UsageError(f"{asked[0]} shows all horizons, and goes without --horizon")
    if a_day is not None and asked not in (["--scores"], ["--backtest"]):
        raise UsageError("--start-date and --end-date belong to --scores and --backtest")
    if asked == ["--backtest"] and a_day is None:
        raise UsageError("--backtest needs a --start-date, and takes an --end-date: the days to forecast once more")
    if output is not None:
        _refuse_output(output, backtest=asked == ["--backtest"])


def _refuse_output(output: Path, *, backtest: bool) -> None:
    if not backtest:
        raise UsageError("-o belongs to --backtest; `airq-etl export forecasts` writes those that were made")
    if not output.parent.is_dir():
        raise UsageError(f"-o {output}: there is no directory {output.parent}")
    if output.is_dir():
        raise UsageError(f"-o {output}: it is a directory")


def _show(common: Common, result: object, text: Callable[[], str], *, as_json: bool) -> None:
    if as_json:
        import msgspec

        say(msgspec.json.encode(result).decode())
    elif not common.quiet:
        say(text())
