"""Which stations somebody asks the forecast about."""

from collections.abc import Collection

from airq_etl.errors import UsageError
from airq_etl.lake import HOURLY, Lake
from airq_etl.ledger_reader import copied
from airq_etl.pipeline.job import MOST_NAMED
from airq_etl.settings import Settings


def stations_asked(settings: Settings, stations: Collection[int] | None) -> tuple[int, ...]:
    """The stations of --station, none where all are meant; UsageError where nothing is known of one, or of any."""
    if not settings.data_dir.is_dir() or not Lake(settings.data_dir).parts(HOURLY):
        raise UsageError(f"there is no data in {settings.data_dir} yet; `airq-etl run` fetches some")
    if not stations:
        return ()
    with copied(settings.data_dir) as ledger:
        known = {*ledger.stations(), *settings.stations}
    for station_id in sorted(set(stations) - known):
        some = ", ".join(map(str, sorted(known)[:MOST_NAMED]))
        raise UsageError(f"--station {station_id}: nothing is known of it; there are {some}")
    return tuple(stations)
