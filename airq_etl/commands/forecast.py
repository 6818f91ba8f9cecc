"""forecast: the next hours of each pollutant, and how earlier forecasts turned out."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from airq_etl import options
from airq_etl.commands import say
from airq_etl.commands.progress_bar import progress_bar
from airq_etl.errors import UsageError
from airq_etl.forecast import HORIZON, LONGEST
from airq_etl.options import AsJson, Common, EndDate, StartDate, StationIds, with_common

if TYPE_CHECKING:
    from airq_etl.settings import Settings
    from airq_etl.windows import Days


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
    challenge: Annotated[bool, typer.Option("--challenge", help="Try LightGBM; it serves where it wins.")] = False,
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
    modes = {"--scores": scores, "--models": models, "--challenge": challenge, "--backtest": backtest}
    _refuse_at_odds(modes, horizon, start_date or end_date, output)
    from airq_etl.pipeline.forecasting.asked import stations_asked

    settings = options.settings(common)
    days = options.days(start_date, end_date, settings.clock())
    ids = stations_asked(settings, options.stations(station))
    ahead = horizon or HORIZON
    if scores:
        shown = _scores(settings, ids, days)
    elif models:
        shown = _models(settings, ids)
    elif challenge:
        with progress_bar(common, "challenge", "series") as progress:
            shown = _challenged(settings, ids, ahead, progress)
    elif days is not None:
        with progress_bar(common, "backtest", "series") as progress:
            shown = _backtest(settings, days, ids, ahead, output, progress=progress)
    else:
        shown = _made(settings, ids, ahead)
    if as_json:
        import msgspec

        say(msgspec.json.encode(shown.result).decode())
    elif not common.quiet:
        say(shown.text())
    raise typer.Exit(shown.exit_code)


class _Shown(NamedTuple):
    """What a mode found, for --json, and how it is said to people."""

    result: object
    text: Callable[[], str]
    exit_code: int = 0


def _made(settings: "Settings", stations: Collection[int], horizon: int) -> _Shown:
    from airq_etl.forecast_text import forecast_text
    from airq_etl.pipeline.forecasting.make import run_forecast

    found = run_forecast(settings, stations, horizon)
    return _Shown(found, partial(forecast_text, found), found.exit_code)


def _scores(settings: "Settings", stations: Collection[int], days: "Days | None") -> _Shown:
    from airq_etl.forecast_tables import scores_text
    from airq_etl.pipeline.forecasting.known import scores_known

    found = scores_known(settings, stations, days)
    return _Shown(found.to_dicts(), partial(scores_text, found, of_days=days is not None))


def _models(settings: "Settings", stations: Collection[int]) -> _Shown:
    from airq_etl.forecast_tables import models_text
    from airq_etl.pipeline.forecasting.known import models_known

    found = models_known(settings, stations)
    return _Shown(found.to_dicts(), partial(models_text, found))


def _challenged(
    settings: "Settings", stations: Collection[int], horizon: int, progress: Callable[[int, int], None] | None
) -> _Shown:
    from airq_etl.challenge_text import challenge_text
    from airq_etl.pipeline.forecasting.challenge import run_challenge

    done = run_challenge(settings, stations, horizon, progress)
    return _Shown(done, partial(challenge_text, done), done.exit_code)


def _backtest(  # noqa: PLR0913 -- what a backtest is of
    settings: "Settings",
    days: "Days",
    stations: Collection[int],
    horizon: int,
    output: Path | None,
    *,
    progress: Callable[[int, int], None] | None,
) -> _Shown:
    from airq_etl.forecast_tables import backtest_text
    from airq_etl.pipeline.forecasting.backtest import run_backtest

    done = run_backtest(settings, days, stations, horizon, output, progress=progress)
    return _Shown(done, partial(backtest_text, done))


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
