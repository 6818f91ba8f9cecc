"""The commands as a whole: each is a job under lock, and gives a Result."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from airq_etl.errors import AirqError
from airq_etl.pipeline.extract import extract, newest_hours, take_files
from airq_etl.pipeline.job import Job, job
from airq_etl.pipeline.load import load
from airq_etl.pipeline.rebuild import is_unfinished, rebuild
from airq_etl.pipeline.transform import transform
from airq_etl.results import Result
from airq_etl.settings import Settings
from airq_etl.windows import Days


def run_extract(settings: Settings, days: Days | None = None) -> Result:
    """Ask the API for what is missing, or for `days`."""
    with job(settings, "extract") as work:
        extract(work, settings.stations, days)
    return work.result


def run_import(
    settings: Settings, files: Sequence[Path], station_id: int | None, requested_at: datetime | None
) -> Result:
    """Take saved payloads."""
    with job(settings, "extract") as work:
        take_files(work, files, station_id, requested_at)
    return work.result


def run_transform(settings: Settings, days: Days | None = None, *, anew: bool = False, discard: bool = False) -> Result:
    """Bring the tables up to the captures; `anew` makes them again from the captures alone."""
    with job(settings, "transform") as work:
        _transform(work, days, anew=anew, discard=discard)
        _describe(work)
    return work.result


def run_load(settings: Settings, *, full: bool = False) -> Result:
    """Bring the store up to the tables; `full` sends everything."""
    with job(settings, "load") as work:
        load(work, full=full)
    return work.result


def run_all(settings: Settings, days: Days | None = None) -> Result:
    """Extract, transform, load. What fails for one station, or for the source, keeps nothing else from going on."""
    with job(settings, "run") as work:
        extract(work, settings.stations, days)
        _transform(work, days)
        _describe(work)
        try:
            load(work)
        except AirqError as error:
            work.fail(error)
    return work.result


def _transform(work: Job, days: Days | None, *, anew: bool = False, discard: bool = False) -> None:
    if anew or is_unfinished(work):
        rebuild(work, discard=discard)
    else:
        transform(work, work.settings.stations, days)


def _describe(work: Job) -> None:
    """Put names and newest hours beside the counts."""
    mentioned = {station.station_id for station in work.result.stations} | set(work.settings.stations)
    newest, said = newest_hours(work.lake, mentioned), work.ledger.stations()
    for station_id in sorted(mentioned & (newest.keys() | set(work.settings.stations))):
        station = work.result.station(station_id)
        station.newest_hour = newest.get(station_id)
        if station_id in said:
            station.name = work.settings.station(station_id, said[station_id]).name
    work.result.stations.sort(key=lambda station: station.station_id)
