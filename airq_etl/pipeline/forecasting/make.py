"""forecast: the next hours of each pollutant at each station; by itself, and as a step of each run."""

import logging
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from airq_etl.forecast import HORIZON
from airq_etl.forecast.ahead import NEEDED, Ahead, News, Served, as_it_stood, look_ahead
from airq_etl.forecast.features import MOST_OTHERS
from airq_etl.forecast.gate import NOBODY
from airq_etl.forecast.grid import Grid, lay_out
from airq_etl.forecast.outlook import Outlook, Outlooks
from airq_etl.forecast.sight import Series
from airq_etl.forecast.table import MODEL_SCHEMA, SCHEMA
from airq_etl.hourly import TIME
from airq_etl.lake import HOURLY, MODELS, Lake, with_data
from airq_etl.pipeline.forecasting import cabinet as cabinets
from airq_etl.pipeline.forecasting.keep import keep
from airq_etl.pipeline.forecasting.send import send
from airq_etl.pipeline.job import Job, begun, job
from airq_etl.pipeline.recording import step
from airq_etl.sanity.wording import many
from airq_etl.settings import Settings
from airq_etl.windows import HOUR

log = logging.getLogger(__name__)

STEP = "forecast"
UPKEEP_S = 300.0
"""Of one run's time for fitting, and for judging who serves; what is left over is for the next runs of the day."""
AT_ONCE = 20
"""Stations whose hours are read together, where there are too many to look at all of them as one."""


def run_forecast(settings: Settings, stations: Collection[int] = (), horizon: int = HORIZON) -> Outlooks:
    """Forecast `horizon` hours for `stations` (all where empty), keep that, and send it to the store.

    UsageError where there is no data. Where the store fails the forecasts are kept, and the StoreError is raised.
    """
    with_data(settings.data_dir, HOURLY)
    with job(settings, begun(settings, STEP), STEP) as work:
        return forecast(work, stations or settings.stations, horizon)


def forecast(work: Job, stations: Collection[int], horizon: int = HORIZON) -> Outlooks:
    """The step: forecasts are made, those whose hour has come are scored, and the store is brought up to them."""
    found = Outlooks(run_id=work.result.run_id, made_at=work.now)
    with step(work, STEP) as counts:
        # Cabinets take their place last, so that what an interrupted run did not keep is made once more.
        with ExitStack() as written:
            ahead = [_put_aside(work.lake, one, written) for one in _ahead(work, sorted(set(stations)), horizon)]
            found.outlooks = [outlook for one in ahead for outlook in one.outlooks]
            _name(work, found.outlooks)
            kept = keep(work, _rows(found), rows_of_news([news for one in ahead for news in one.news]))
        found.made, found.scored = kept.made, kept.scored
        counts.update(made=kept.made, scored=kept.scored, withheld=sum(not one.points for one in found.outlooks))
        found.documents, found.store = send(work)
        counts.update(found.documents)
    return found


def _put_aside(lake: Lake, ahead: Ahead, written: ExitStack) -> Ahead:
    """What lies ahead of a station without its cabinet, half a megabyte each, which is put aside on the disk."""
    if ahead.cabinet is not None:
        cabinets.put_aside(lake, ahead.cabinet, written)
    return ahead._replace(cabinet=None)


class Part(NamedTuple):
    """Stations that are forecast together, and those whose hours they see."""

    stations: list[int]
    seen: list[int]


def _ahead(work: Job, stations: list[int], horizon: int) -> Iterator[Ahead]:
    origin = work.now.replace(minute=0, second=0, microsecond=0) - HOUR
    day = (origin + HOUR).date()
    midnight = origin + HOUR - timedelta(hours=(origin + HOUR).hour)
    # Not by what this day began with: an interrupted run may have told it already.
    serving = serving_last(work.lake, stations, work.now, but=midnight)
    upkeep_ends = time.monotonic() + min(UPKEEP_S, work.seconds_left() / 2)
    left = 0
    for part in parts(work.settings, stations):
        kept = {station_id: cabinets.read(work.lake, station_id, day, horizon) for station_id in part.stations}
        is_late = time.monotonic() > upkeep_ends
        if is_late:
            kept = {station_id: one for station_id, one in kept.items() if one.is_recent(day, horizon)}
            left += len(part.stations) - len(kept)
        needed = NEEDED if is_late else max(one.days_needed(day, horizon) for one in kept.values())
        grid = read_grid(work.settings, part.seen, origin - needed * timedelta(days=1), origin)
        known = set(grid.stations())
        look = as_it_stood if is_late else look_ahead
        for station_id in sorted(known & kept.keys()):
            try:
                ahead = look(seen_by(grid, part, station_id), kept[station_id], origin, horizon, serving)
            except Exception as error:
                # Whatever it is: the others are forecast all the same.
                log.warning("station %s: no forecast, by a bug: %s: %s", station_id, type(error).__name__, error)
                log.debug("where it broke", exc_info=True)
                continue
            yield ahead
    if left:
        log.info("forecast: %s to be fitted first, by the next runs", many(left, "station"))


def parts(settings: Settings, stations: Collection[int]) -> Iterator[Part]:
    """The stations in parts to be worked on one after another; few stations see each other, many do not."""
    if not stations:
        return  # a shard may have none
    everybody = sorted({*stations, *settings.stations})
    if len(everybody) <= MOST_OTHERS + 1:
        yield Part(sorted(stations), everybody)
        return
    ids = sorted(stations)
    for begin in range(0, len(ids), AT_ONCE):
        yield Part(ids[begin : begin + AT_ONCE], ids[begin : begin + AT_ONCE])


def seen_by(grid: Grid, part: Part, station_id: int) -> Grid:
    """The grid as a station sees it: with the others, or alone."""
    if len(part.seen) <= MOST_OTHERS + 1:
        return grid
    return grid._replace(values={key: values for key, values in grid.values.items() if key[0] == station_id})


def read_grid(settings: Settings, stations: Collection[int], first: datetime, last: datetime) -> Grid:
    """The hours of stations from about `first` to `last`, laid out."""
    lake = Lake(settings.data_dir)
    months = [month for month in lake.parts(HOURLY) if f"{first:%Y-%m}" <= month <= f"{last:%Y-%m}"]
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    wanted = pl.col("station_id").is_in(list(stations)) & pl.col("hour").is_between(midnight, last)
    hours = lake.read(HOURLY, months, wanted)
    offset = {station_id: _hours_ahead(settings.zone(station_id), last) for station_id in stations}
    return lay_out(hours, last, settings.rules(stations).in_service, offset)


def _hours_ahead(zone: str, at: datetime) -> int:
    ahead = at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)
    return round(ahead / HOUR)


def serving_last(
    lake: Lake, stations: Collection[int], now: datetime, but: datetime | None = None
) -> Mapping[Series, Served]:
    """Who served each series last at a time, leaving out what is told of those who serve since `but`."""
    told = (pl.col("since") <= now) & pl.col("since").ne_missing(pl.lit(but, dtype=TIME))
    rows = lake.read(MODELS, where=pl.col("station_id").is_in(list(stations)) & told)
    return {
        Series(row["station_id"], row["sensor"], row["horizon"]): Served(row["model"], row["reason"])
        for row in rows.sort("since", maintain_order=True).iter_rows(named=True)
    }


def _name(work: Job, outlooks: list[Outlook]) -> None:
    said = work.ledger.stations()
    for outlook in outlooks:
        if outlook.station_id in said:
            outlook.name = work.settings.station(outlook.station_id, said[outlook.station_id]).name


def _rows(found: Outlooks) -> pl.DataFrame:
    """The forecasts as rows of their table."""
    rows = [
        {name: getattr(point, name, None) for name in SCHEMA}
        | {"station_id": one.station_id, "sensor": one.sensor, "origin": one.origin, "persistence": one.last_value}
        | {"made_at": found.made_at, "updated_at": found.made_at}
        for one in found.outlooks
        for point in one.points
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def rows_of_news(news: list[News]) -> pl.DataFrame:
    """News of who serves as rows of their table."""
    rows = [
        {**one.series._asdict(), "since": one.since, "before": one.before}
        | {"model": one.standing.model or NOBODY, "reason": one.standing.reason}
        | {name: getattr(one.standing.evidence, name) for name in one.standing.evidence.__struct_fields__}
        for one in news
    ]
    return pl.DataFrame(rows, schema=MODEL_SCHEMA)
