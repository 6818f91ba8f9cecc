"""What a model is told at an hour about the hour to forecast: a column of numbers each, known by then.

All are in the scale of the models (see `scale`), most as a distance from the `level`, the last value. What is not
known is NaN; a model takes it as usual.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from airq_etl.forecast.grid import INPUTS, Grid, Values
from airq_etl.forecast.rolling import DAY, before, filled, mean, profile, spread
from airq_etl.forecast.scale import ROOTED, scaled

VERSION = 1
"""Of the features and of how they are made; a model that was fitted to others is fitted anew."""
REACH = 42 * DAY
"""So many hours before it are all that a feature looks at: less than six weeks."""
STALE = 6  # hours after which what another station said is no news
MOST_OTHERS = 10
WEEK = 7 * DAY
SEASON = 28 * DAY
HARMONICS = (1, 2, 3, 4)
Columns = Iterator[tuple[str, Values]]


class Situation(NamedTuple):
    """All hours of a grid as a model sees them: `level` and its `age` (hours), the `target` if known, and features.

    `target` is the move from the level to the value `horizon` hours on. Arrays have an entry an hour of the grid.
    """

    level: Values
    age: Values
    target: Values
    features: dict[str, Values]


Seen = dict[tuple[object, ...], Any]
"""What several series of a station on one grid have in common, by what it is of; filled in as it is needed."""


def situation(  # noqa: PLR0913, PLR0917 -- what a situation is of
    grid: Grid, station: int, sensor: str, horizon: int, lowest: float, seen: Seen | None = None
) -> Situation:
    """The situation at every hour of the grid, the hour to forecast being `horizon` hours after it."""
    seen = {} if seen is None else seen
    values = scaled(sensor, grid.values[station, sensor], lowest)
    level, age = filled(values)
    target = np.full(grid.length, np.nan)
    target[: grid.length - horizon] = values[horizon:] - level[: grid.length - horizon]
    clock = _Clock(grid, station, horizon)
    features = dict(_own(level, age, horizon, _once(seen, ("own", sensor, lowest), lambda: _past(values, level))))
    features |= dict(_times(features, level, clock))
    features |= dict(_hinges(features))
    features |= dict(_inputs(grid, station, sensor, clock, seen))
    features |= dict(_others(grid, station, sensor, -features["mean 168"], seen))
    return Situation(level, age, target, features)


T = TypeVar("T")


def _once(seen: Seen, key: tuple[object, ...], make: Callable[[], T]) -> T:
    """What is `seen` under a key, made where it is not."""
    if key not in seen:
        seen[key] = make()
    found: T = seen[key]
    return found


class _Past(NamedTuple):
    """What the sensor said, whatever hour is to be forecast: usual courses by days, the others by their hours."""

    usual: dict[int, Values]
    means: dict[int, Values]
    spreads: dict[int, Values]
    unrest: Values


def _past(values: Values, level: Values) -> _Past:
    return _Past(
        {days: profile(values, days) for days in (7, 28)},
        {hours: mean(values, hours) for hours in (3, 6, 12, DAY, 3 * DAY, WEEK)},
        {hours: spread(values, hours) for hours in (6, DAY)},
        mean(np.abs(level - before(level, 1)), DAY),
    )


class _Clock(NamedTuple):
    """The hour to forecast: which hour of the day (UTC), and which day of the station's week."""

    grid: Grid
    station: int
    horizon: int

    def hours(self) -> Values:
        return (np.arange(self.grid.length) + self.grid.start.hour + self.horizon) % DAY * 1.0

    def wave(self, harmonic: int) -> tuple[Values, Values]:
        angle = 2 * np.pi * harmonic * self.hours() / DAY
        return np.cos(angle), np.sin(angle)

    def is_day(self, weekday: int) -> Values:
        local = np.arange(self.grid.length) + self.grid.start.hour + self.horizon
        days = (local + self.grid.offset.get(self.station, 0)) // DAY + self.grid.start.weekday()
        found: Values = (days % 7 == weekday) * 1.0
        return found


def _own(level: Values, age: Values, horizon: int, past: _Past) -> Columns:
    """What the sensor said: the last hours, the same hour on days before, the usual course of the day."""
    yield "level", level
    for hours in range(1, 7):
        yield f"lag {hours}", before(level, hours) - level
    for hours in (DAY, 2 * DAY, WEEK):
        then = before(level, hours - horizon)
        yield f"lag {hours} of target", then - level
        yield f"move of {hours}", then - before(level, hours)
    for days, usual in past.usual.items():
        there = before(usual, DAY - horizon)
        yield f"usual move {days}", there - usual
        yield f"usual {days}", there - level
    for hours, average in past.means.items():
        yield f"mean {hours}", average - level
    for hours, spread_ in past.spreads.items():
        yield f"spread {hours}", spread_
    yield "unrest 24", past.unrest
    yield "age", np.minimum(age, 3)
    yield "long age", np.log1p(np.minimum(age, WEEK))


def _times(own: dict[str, Values], level: Values, clock: _Clock) -> Columns:
    """The hour of the day, alone and with the level: what is high in the evening stays, what is high at noon falls."""
    for harmonic in HARMONICS:
        for name, wave in zip(("cos", "sin"), clock.wave(harmonic), strict=True):
            yield f"{name} {harmonic}", wave
            if harmonic < HARMONICS[-1]:
                yield f"level {name} {harmonic}", wave * level
            if harmonic <= 2:  # noqa: PLR2004 -- the day and its half
                yield f"lag 1 {name} {harmonic}", wave * own["lag 1"]
                yield f"mean 6 {name} {harmonic}", wave * own["mean 6"]
                yield f"usual 28 {name} {harmonic}", wave * own["usual 28"]
    for weekday, day in ((5, "saturday"), (6, "sunday")):
        is_day = clock.is_day(weekday)
        yield day, is_day
        for name, wave in zip(("cos", "sin"), clock.wave(1), strict=True):
            yield f"{day} {name}", is_day * wave


def _hinges(own: dict[str, Values]) -> Columns:
    """Where a line bends: a high level falls faster than a low one rises."""
    above = -own["mean 168"]
    size = spread(above, SEASON)
    for bend in (-1.0, -0.3, 0.3, 1.0):
        yield f"above week {bend:g}", np.maximum(above - bend * size, 0.0)
    for name in ("lag 1", "lag 24 of target", "usual 28", "mean 6", "mean 24", "usual move 28"):
        yield f"{name} up", np.maximum(own[name], 0.0)


def _inputs(grid: Grid, station: int, sensor: str, clock: _Clock, seen: Seen) -> Columns:
    """The other sensors of the station."""
    for name in INPUTS:
        if name == sensor or (station, name) not in grid.values:
            continue
        columns = _once(seen, ("input", station, name), partial(_input, name, grid.values[station, name]))
        yield from columns.items()
        if name in {"temperature", "humidity"}:
            for which, wave in zip(("cos", "sin"), clock.wave(1), strict=True):
                yield f"{name} {which}", columns[name] * wave


def _input(name: str, values: Values) -> dict[str, Values]:
    level, _ = filled(_seen(name, values))
    found: dict[str, Values] = {
        f"{name}": level - mean(level, WEEK),
        f"{name} lag 1": level - before(level, 1),
        f"{name} day": level - mean(level, DAY),
    }
    if name in {"temperature", "humidity"}:
        found |= {f"{name} lag 3": level - before(level, 3), f"{name} lag 24": level - before(level, DAY)}
    return found


def _others(grid: Grid, station: int, sensor: str, own: Values, seen: Seen) -> Columns:
    """The same sensor at the other stations, their mean where there are several; nothing where there are too many."""
    others = [key for key in grid.values if key[1] == sensor and key[0] != station]
    if not others or len(others) > MOST_OTHERS:
        return
    # Each at its own level: where two stations stand is no news, only what moves there is.
    shapes = [_once(seen, ("shape", *key), partial(_shape, _seen(sensor, grid.values[key]))) for key in others]
    usual, day, last, three = (_mean_of([shape[at] for shape in shapes]) for at in range(4))
    yield "others", usual
    yield "others day", day
    yield "others lag 1", last
    yield "others lag 3", three
    yield "others above own", usual - own
    yield "others above own up", np.maximum(usual - own, 0.0)


def _shape(values: Values) -> tuple[Values, Values, Values, Values]:
    level, age = filled(values)
    fresh = np.where(age < STALE, 0.0, np.nan)
    return (
        level - mean(values, WEEK) + fresh,
        level - mean(values, DAY) + fresh,
        level - before(level, 1),
        level - before(level, 3),
    )


def _mean_of(arrays: list[Values]) -> Values:
    total = np.sum([np.nan_to_num(array) for array in arrays], axis=0)
    count = np.sum([~np.isnan(array) for array in arrays], axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _seen(name: str, values: Values) -> Values:
    return values if name in ROOTED else scaled(name, values)
