"""What a look ahead gives back: of each station and pollutant the next hours, or why there is no forecast."""

from datetime import datetime

import msgspec


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """The forecast of one hour (aware UTC, by its start), in the sensor's unit.

    The hour is `horizon` hours after the origin. It will lie between `lo80` and `hi80` four times in five, between
    `lo95` and `hi95` 19 times in 20. `skill` is how much smaller the mean absolute error of `model` was than that of
    persistence over the last 28 days (per cent; null where fewer than 14 days' hours came, and over a gap);
    `trained_through` is the last hour that it was fitted to, null for one that is not fitted.
    """

    horizon: int
    hour: datetime
    median: float
    lo80: float
    hi80: float
    lo95: float
    hi95: float
    model: str
    trained_through: datetime | None = None
    skill: float | None = None


class Outlook(msgspec.Struct, kw_only=True):
    """The next hours of a pollutant at a station.

    `origin` is the last hour that has ended (aware UTC, by its start), `last_hour` the last that has a good value,
    `last_value`. Without `points` there is no forecast, for the `reason`; with them `reason`, where it is not null,
    says why a lesser model serves.
    """

    station_id: int
    name: str | None = None
    sensor: str
    unit: str
    origin: datetime
    last_hour: datetime | None = None
    last_value: float | None = None
    points: list[Point] = []
    reason: str | None = None


class Outlooks(msgspec.Struct, kw_only=True):
    """All of them, by station and pollutant, as of `made_at`.

    `made` counts the forecasts that are new, `scored` those whose hour has come since. `documents` were written to
    the `store`.
    """

    run_id: str
    made_at: datetime
    outlooks: list[Outlook] = []
    made: int = 0
    scored: int = 0
    store: str | None = None
    documents: dict[str, int] = {}
    exit_code: int = 0


class BacktestScore(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did at one horizon over all hours of a backtest; `model` may be one that is only compared with.

    `hours` are those that came with a value, of which it answered `answered` per cent; the others are over the hours
    that all models of the series answered. `mae` and `pinball` are in the
    sensor's unit, `skill` and the coverages per cent (see `scores.scores`). Null is what a model does not give: one
    without intervals has no `pinball` and no coverage, and where persistence made no error there is no `skill`.
    """

    station_id: int
    sensor: str
    horizon: int
    model: str
    hours: int
    answered: float
    mae: float | None = None
    skill: float | None = None
    pinball: float | None = None
    coverage80: float | None = None
    coverage95: float | None = None


class Backtest(msgspec.Struct, kw_only=True):
    """What a backtest gives: the `rows` of forecasts, written to the file `output` where one was named."""

    rows: int
    output: str | None = None
    seconds: float
    scores: list[BacktestScore] = []
