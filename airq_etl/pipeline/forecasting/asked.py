"""Which stations somebody asks the forecast about."""

from collections.abc import Collection

from airq_etl.errors import UsageError
from airq_etl.lake import HOURLY, with_data
from airq_etl.ledger_reader import copied
from airq_etl.pipeline.job import MOST_NAMED
from airq_etl.settings import Settings


def stations_asked(settings: Settings, stations: Collection[int] | None) -> tuple[int, ...]:
    """The stations of --station, none where all are meant; UsageError where nothing is known of one, or of any."""
    with_data(settings.data_dir, HOURLY)
    if not stations:
        return ()
    with copied(settings.data_dir) as ledger:
        known = {*ledger.stations(), *settings.stations}
    for station_id in sorted(set(stations) - known):
        some = ", ".join(map(str, sorted(known)[:MOST_NAMED]))
        raise UsageError(f"--station {station_id}: nothing is known of it; there are {some}")
    return tuple(stations)
