"""The next hours of a station, and what is kept of how they were made: its models, and how they stand today."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import msgspec

from airq_etl import __version__
from airq_etl.forecast import POLLUTANTS, QUANTILES
from airq_etl.forecast.features import REACH, VERSION, Seen
from airq_etl.forecast.fitted import Fitted
from airq_etl.forecast.gate import DAMPED, PERSISTENCE
from airq_etl.forecast.grid import Grid, Values
from airq_etl.forecast.outlook import Outlook, Point
from airq_etl.forecast.rolling import DAY, filled
from airq_etl.forecast.service import SILENT
from airq_etl.forecast.serving import forecast
from airq_etl.forecast.sight import Series, Sight
from airq_etl.forecast.standing import (
    BEHIND,
    FIT_BACK,
    LOOK_BACK,
    OWN,
    REFIT,
    Learners,
    Models,
    Standing,
    Stood,
    fit_missing,
    last_refit,
    stand,
)
from airq_etl.sensors import BY_COLUMN

RECENT = 7
"""Days for which standings may serve where there is no time to make new ones."""
NEEDED = REACH // DAY + 1
"""Days of hours before an origin that a forecast is made of, where models and standings are there."""


class Placed(msgspec.Struct, kw_only=True, frozen=True):
    """The standing of a sensor, so many hours ahead."""

    sensor: str
    horizon: int
    standing: Standing


class Cabinet(msgspec.Struct, kw_only=True):
    """What is kept of a station: its fitted models, and the standings of a `day` up to a `horizon`.

    It is made again where it is lost. `program` is the version of airq-etl, `version` that of the features.
    """

    station_id: int
    day: date = date.min
    horizon: int = 0
    models: list[Fitted] = []
    standings: list[Placed] = []
    program: str = __version__
    version: int = VERSION

    def as_of(self, day: date) -> "Cabinet":
        """What of it was there on a day: after a replay of later ones it knows hours that had not come."""
        models = [one for one in self.models if one.serves_from.date() <= day]
        return self if self.day <= day else Cabinet(station_id=self.station_id, models=models, version=self.version)

    def serves(self, day: date, horizon: int) -> bool:
        """Whether it holds the standings of a day."""
        return self.version == VERSION and self.day == day and self.horizon >= horizon

    def is_recent(self, day: date, horizon: int) -> bool:
        """Whether its standings may serve on a day, if need be: those of the week before it."""
        return self.version == VERSION and self.horizon >= horizon and (day - self.day).days <= RECENT

    def days_needed(self, day: date, horizon: int) -> int:
        """How many days of hours before a day are needed to forecast on it."""
        if self.serves(day, horizon):
            return NEEDED
        refitted = self.version == VERSION and self.horizon >= horizon and self.day >= last_refit(self.station_id, day)
        # A sensor that lives again is fitted to the last weeks, until all are fitted anew: before, it was dead.
        return LOOK_BACK if refitted and self.standings else FIT_BACK

    def of(self, series: Series, start: datetime) -> Models:
        """The models of a series by name, and by the day since `start` from which they serve."""
        found: dict[str, dict[int, Fitted]] = {}
        for model in self.models:
            if (model.sensor, model.horizon) == (series.sensor, series.horizon):
                found.setdefault(model.model, {})[(model.serves_from - start).days] = model
        return found


class News(NamedTuple):
    """Another model serves a series since a day."""

    series: Series
    since: datetime
    before: str | None
    standing: Standing


class Served(NamedTuple):
    """Who serves a series, and why."""

    model: str
    reason: str


class Ahead(NamedTuple):
    """The outlooks of a station, what is news, and what is to be kept (null: as it was)."""

    outlooks: list[Outlook]
    news: list[News]
    cabinet: Cabinet | None


def look_ahead(grid: Grid, cabinet: Cabinet, origin: datetime, horizon: int, serving: Mapping[Series, Served]) -> Ahead:
    """The next hours of a station at an origin (the last hour of the grid), where `serving` served last.

    The grid holds at least `cabinet.days_needed` days of hours.
    """
    sights = sights_of(grid, cabinet.station_id, horizon)
    day = (origin + timedelta(hours=1)).date()
    if cabinet.serves(day, horizon):
        return Ahead(_outlooks(sights, cabinet, origin, serving), [], None)
    fresh, news, _ = bring_up(cabinet, day, horizon, sights, serving)
    return Ahead(_outlooks(sights, fresh, origin, serving), news, fresh)


def as_it_stood(
    grid: Grid, cabinet: Cabinet, origin: datetime, horizon: int, serving: Mapping[Series, Served]
) -> Ahead:
    """The same by the standings of a day before, where there is no time to look at who should serve today."""
    return Ahead(_outlooks(sights_of(grid, cabinet.station_id, horizon), cabinet, origin, serving), [], None)


def _outlooks(
    sights: list[Sight], cabinet: Cabinet, origin: datetime, serving: Mapping[Series, Served]
) -> list[Outlook]:
    placed = {(one.sensor, one.horizon): one.standing for one in cabinet.standings}
    of_sensor: dict[str, list[tuple[Sight, Standing | None]]] = {}
    for sight in sights:
        _, sensor, ahead = sight.series
        of_sensor.setdefault(sensor, []).append((sight, placed.get((sensor, ahead))))
    return [_outlook(own, cabinet, origin, serving) for own in of_sensor.values()]


def sights_of(grid: Grid, station_id: int, horizon: int) -> list[Sight]:
    """The series of a station, up to a horizon, by pollutant."""
    sensors, seen = [sensor for sensor in POLLUTANTS if (station_id, sensor) in grid.values], Seen()
    every = (Series(station_id, sensor, ahead) for sensor in sensors for ahead in range(1, horizon + 1))
    return [Sight(grid, series, seen) for series in every]


class BroughtUp(NamedTuple):
    """The cabinet of a day, what is news, and how each series stood on that day."""

    cabinet: Cabinet
    news: list[News]
    stood: list[tuple[Sight, Stood]]


def bring_up(  # noqa: PLR0913, PLR0917 -- what a day begins with
    cabinet: Cabinet,
    day: date,
    horizon: int,
    sights: Iterable[Sight],
    serving: Mapping[Series, Served],
    learners: Learners = OWN,
) -> BroughtUp:
    """The cabinet of a day, made of what was known when it began; models of farther hours are kept in it."""
    kept = cabinet if cabinet.version == VERSION else Cabinet(station_id=cabinet.station_id)
    fresh = Cabinet(station_id=cabinet.station_id, day=day, horizon=horizon)
    since = datetime.combine(day, time(), UTC)
    oldest = since - timedelta(days=BEHIND + 2 * REFIT)
    fresh.models += [one for one in kept.models if one.horizon > horizon]
    news, stood = [], []
    for sight in sights:
        series, start = sight.series, sight.grid.start
        today = (since - start).days
        before = serving.get(series)
        models = fit_missing(sight, kept.of(series, start), range(today, today + 1), learners)
        found = stand(sight, models, range(today, today + 1), before and before.model)
        stood.append((sight, found))
        standing = found.standings[today]
        fresh.standings.append(Placed(sensor=series.sensor, horizon=series.horizon, standing=standing))
        fresh.models += [one for fitted in models.values() for _, one in sorted(fitted.items())]
        if standing.changed:
            news.append(News(series, since, before and before.model, standing))
    fresh.models = [one for one in fresh.models if one.serves_from >= oldest]
    return BroughtUp(fresh, news, stood)


def _outlook(
    own: list[tuple[Sight, Standing | None]], cabinet: Cabinet, origin: datetime, serving: Mapping[Series, Served]
) -> Outlook:
    """The next hours of one sensor."""
    sight = own[0][0]
    at = sight.grid.place(origin)
    levels, ages = filled(sight.values)
    age = float(ages[at])
    found = Outlook(
        station_id=sight.series.station_id,
        sensor=sight.series.sensor,
        unit=BY_COLUMN[sight.series.sensor].unit,
        origin=origin,
        last_hour=sight.grid.hour(at - int(age)),
        last_value=float(levels[at]),
    )
    if age >= SILENT:
        found.reason = f"it has been silent since {found.last_hour:%Y-%m-%d %H:%M} UTC"
        return found
    for one, standing in own:
        if standing is None:
            found.reason = "its first hours came today; it is forecast from tomorrow on"
            return found
        found.reason = found.reason or _reason(standing, serving.get(one.series))
        point = _point(one, standing, cabinet, origin)
        if point is not None:
            # How well it does was tried on hours whose last value was known.
            found.points.append(point if age == 0 else msgspec.structs.replace(point, skill=None))
    return found


def _reason(standing: Standing, before: Served | None) -> str | None:
    """Why there is no forecast, or why a lesser model makes it."""
    if standing.model not in {None, PERSISTENCE, DAMPED}:
        return None
    return standing.reason or (before.reason if before is not None else None)


def _point(sight: Sight, standing: Standing, cabinet: Cabinet, origin: datetime) -> Point | None:
    if standing.model is None:
        return None
    fitted = cabinet.of(sight.series, sight.grid.start).get(standing.model, {})
    model = fitted[max(fitted)] if fitted else None
    made = forecast(sight, standing, model, sight.grid.place(origin))
    return None if made is None else _as_point(made, sight, standing, model, origin)


def _as_point(made: Values, sight: Sight, standing: Standing, model: Fitted | None, origin: datetime) -> Point:
    return Point(
        horizon=sight.series.horizon,
        hour=origin + timedelta(hours=sight.series.horizon),
        model=standing.model or PERSISTENCE,
        trained_through=None if model is None else model.trained_through,
        skill=standing.skill,
        **{name: float(value) for name, value in zip(QUANTILES, made, strict=True)},
    )
