"""forecast --challenge: challengers are fitted where they are due, and serve from today on where they won."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import timedelta

from airq_etl.errors import UsageError
from airq_etl.forecast import HORIZON, POLLUTANTS, table, trees
from airq_etl.forecast.ahead import sights_of
from airq_etl.forecast.sight import Sight
from airq_etl.forecast.standing import FIT_BACK
from airq_etl.forecast.trial import Challenge, Tried, try_out
from airq_etl.lake import HOURLY, with_data
from airq_etl.pipeline.forecasting import cabinet as cabinets
from airq_etl.pipeline.forecasting.keep import keep
from airq_etl.pipeline.forecasting.make import STEP, parts, read_grid, rows_of_news, seen_by, serving_last
from airq_etl.pipeline.forecasting.send import send
from airq_etl.pipeline.job import Job, begun, job
from airq_etl.pipeline.recording import step
from airq_etl.settings import Settings
from airq_etl.windows import HOUR

Progress = Callable[[int, int], None]


def run_challenge(
    settings: Settings, stations: Collection[int] = (), horizon: int = HORIZON, progress: Progress | None = None
) -> Challenge:
    """Fit the challengers of `stations` (all where empty) that are due, up to a horizon, and judge them.

    `progress` is told how many series of at most how many are done. UsageError without LightGBM, or without data.
    What is done for a station is kept, whatever becomes of the next.
    """
    if not trees.there():
        raise UsageError(
            "the challenger is fitted by LightGBM, which cannot be loaded: pip install 'airq-etl[lightgbm]'"
        )
    with_data(settings.data_dir, HOURLY)
    chosen = sorted(set(stations or settings.stations))
    with job(settings, begun(settings, STEP), STEP) as work, step(work, STEP) as counts:
        found = Challenge(run_id=work.result.run_id, made_at=work.now)
        for tried in _tried(work, chosen, horizon, progress):
            # Since now: the day may have begun with another.
            news = [one._replace(since=work.now) for one in tried.brought.news]
            keep(work, table.empty(), rows_of_news(news))
            cabinets.write_whole(work.lake, tried.brought.cabinet)
            found.trials += tried.trials
        said = work.ledger.stations()
        known = {station_id: work.settings.station(station_id, said[station_id]).name for station_id in said}
        found.names = {station_id: name for station_id, name in known.items() if station_id in chosen and name}
        found.documents, found.store = send(work)
        counts.update(found.documents)
    return found


def _tried(work: Job, stations: list[int], horizon: int, progress: Progress | None) -> Iterator[Tried]:
    origin = work.now.replace(minute=0, second=0, microsecond=0) - HOUR
    day = (origin + HOUR).date()
    serving = serving_last(work.lake, stations, work.now)
    told = _Told(progress, len(stations) * len(POLLUTANTS) * horizon)
    for part in parts(work.settings, stations):
        grid = read_grid(work.settings, part.seen, origin - timedelta(days=FIT_BACK), origin)
        for station_id in sorted({*part.stations} & {*grid.stations()}):
            kept = cabinets.read_whole(work.lake, station_id, day)
            sights = sights_of(seen_by(grid, part, station_id), station_id, horizon)
            yield try_out(kept, day, horizon, told.each(sights), serving)


class _Told:
    """Tells how many series are done."""

    def __init__(self, progress: Progress | None, most: int) -> None:
        self._progress = progress
        self._done, self._most = 0, most

    def each(self, sights: Iterable[Sight]) -> Iterator[Sight]:
        for sight in sights:
            yield sight
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._most)
