"""The commands as a whole: each is a job under lock, and gives a Result."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from airq_etl.errors import AirqError
from airq_etl.pipeline.days import newest_nowcasts
from airq_etl.pipeline.extract import extract, newest_hours, take_files
from airq_etl.pipeline.forecasting.send import send
from airq_etl.pipeline.job import MOST_NAMED, Job, begun, job
from airq_etl.pipeline.load import load
from airq_etl.pipeline.mirror import mirror_now
from airq_etl.pipeline.rebuild import is_unfinished, rebuild
from airq_etl.pipeline.tell import told
from airq_etl.pipeline.transform import transform
from airq_etl.results import Result
from airq_etl.runs import STEPS
from airq_etl.settings import Settings
from airq_etl.watched import Extent
from airq_etl.windows import Days

log = logging.getLogger(__name__)

DAY = timedelta(days=1)


def run_extract(settings: Settings, days: Days | None = None) -> Result:
    """Ask the API for what is missing, or for `days`."""
    with job(settings, begun(settings, "extract"), "extract") as work:
        extract(work, settings.stations, days)
    return work.result


def run_import(
    settings: Settings, files: Sequence[Path], station_id: int | None, requested_at: datetime | None
) -> Result:
    """Take saved payloads."""
    with job(settings, begun(settings, "extract"), "extract") as work:
        take_files(work, files, station_id, requested_at)
    return work.result


def run_transform(settings: Settings, days: Days | None = None, *, anew: bool = False, discard: bool = False) -> Result:
    """Bring the tables up to the captures; `anew` makes them again from the captures alone."""
    with job(settings, begun(settings, "transform"), "transform") as work:
        _transform(work, days, anew=anew, discard=discard)
        _describe(work)
    return work.result


def run_load(settings: Settings, *, full: bool = False) -> Result:
    """Bring the store up to the tables; `full` sends everything."""
    with job(settings, begun(settings, "load"), "load") as work:
        load(work, full=full)
        forecasts, _ = send(work, full=full)
        work.result.documents |= forecasts
    mirror_now(settings, work.result)
    return work.result


def run_all(  # noqa: PLR0913 -- what a run is of
    settings: Settings,
    days: Days | None = None,
    *,
    forecast: bool = True,
    sanity_check: bool = True,
    check_only: Collection[int] = (),
    beside: Collection[int] = (),
) -> Result:
    """Extract, transform, load, forecast, and look at the newest days of what is stored (of those of `check_only`).

    What fails for one station, or for the source, keeps nothing else from going on; what becomes of the forecast, and
    what the sanity check finds, changes no exit code. `beside` are stations that are not asked, and that the forecast
    sees all the same.
    """
    result = begun(settings, "run")
    left_out = {name for name, wanted in (("forecast", forecast), ("sanity-check", sanity_check)) if not wanted}
    steps = [name for name in STEPS if name not in left_out]
    extent = Extent(whole=not check_only, of_days=days is not None)
    with told(settings, result, extent) as start, job(settings, result, *steps, bounded=True) as work:
        start.tell()
        extract(work, settings.stations, days)
        _transform(work, days)
        _describe(work)
        _warn_of_stale_stations(work)
        try:
            load(work)
        except AirqError as error:
            work.fail(error)
        if forecast:
            from airq_etl.pipeline.forecasting.in_run import forecast_newest

            forecast_newest(work, beside)
        if sanity_check:
            from airq_etl.pipeline.sanity import check_newest

            check_newest(work, check_only, loaded=work.result.store is not None)
    return result


def _transform(work: Job, days: Days | None, *, anew: bool = False, discard: bool = False) -> None:
    if anew or is_unfinished(work):
        rebuild(work, discard=discard)
    else:
        transform(work, work.settings.stations, days)


def _describe(work: Job) -> None:
    """Put names and newest hours beside the counts."""
    mentioned = {station.station_id for station in work.result.stations} | set(work.settings.stations)
    newest, said = newest_hours(work.lake, mentioned), work.ledger.stations()
    air = newest_nowcasts(work.lake, newest, work.rules(mentioned))
    for station_id in sorted(mentioned & (newest.keys() | set(work.settings.stations))):
        station = work.result.station(station_id)
        station.newest_hour = newest.get(station_id)
        station.pm25_nowcast, station.pm25_nowcast_aqi = air.get(station_id, (None, None))
        if station_id in said:
            station.name = work.settings.station(station_id, said[station_id]).name


def _warn_of_stale_stations(work: Job) -> None:
    """Warn, once a day, of stations that answered and have had no hour for a day."""
    answered = (station for station in work.result.stations if station.error is None)
    stale = [(s.station_id, s.newest_hour) for s in answered if s.newest_hour is None or work.now - s.newest_hour > DAY]
    told = [station for station in stale if work.ledger.is_news(f"stale:{station[0]}", work.now)]
    for station_id, newest in told[:MOST_NAMED]:
        if newest is None:
            log.warning("station %s: no hour of it is known yet", station_id)
        else:
            age = (work.now - newest) / timedelta(hours=1)
            log.warning(
                "station %s: its newest hour is %s UTC, %.0f h ago", station_id, f"{newest:%Y-%m-%d %H:%M}", age
            )
    if len(told) > MOST_NAMED:
        log.warning("and %d more stations have had no hour for a day", len(told) - MOST_NAMED)
