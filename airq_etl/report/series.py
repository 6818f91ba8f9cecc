"""The series of a station: columns that lie beside each other, and what is counted of them (see `facts`)."""

from datetime import date, datetime

import msgspec


class Daily(msgspec.Struct, kw_only=True):
    """Daily means, beside the station's `days`: `hours` lie under each; an invalid one is not comparable."""

    mean: list[float | None]
    hours: list[int]
    valid: list[bool]


class Highest(msgspec.Struct, frozen=True, kw_only=True):
    """The highest daily mean, and of how many of the `expected` hours of its day it is."""

    day: date
    mean: float
    hours: int
    expected: int


class Months(msgspec.Struct, kw_only=True):
    """By month (`2023-12`): the mean of its valid daily means, the highest of them, and how many they are.

    `days` are those of the month that are in the period and over, or valid already; a month is valid where three of
    four of its days are.
    """

    month: list[str] = []
    mean: list[float | None] = []
    highest: list[float | None] = []
    days: list[int] = []
    valid_days: list[int] = []
    valid: list[bool] = []


class Year(msgspec.Struct, frozen=True, kw_only=True):
    """A year's valid days: how many, their mean and the highest, and on how many the mean is above a guideline.

    `days` are those that are over, or valid already.
    """

    year: int
    days: int
    valid_days: int
    mean: float | None
    highest: float | None
    above_who: int
    above_eu: int


class Clock(msgspec.Struct, kw_only=True):
    """The mean of each hour of the (local) day in each month, and how many hours it is of; bad ones are left out."""

    month: list[str] = []
    hour: list[int] = []
    mean: list[float] = []
    hours: list[int] = []


class Recent(msgspec.Struct, kw_only=True):
    """The last hours by their start, as reported; null where there is none, a bad one, or one that is not complete."""

    hour: list[datetime] = []
    value: list[float | None] = []


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How the forecasts so many hours ahead turned out over 28 days: see `forecast.scores`; per cent but for `mae`."""

    horizon: int
    hours: int
    mae: float
    persistence_mae: float
    skill: float | None
    coverage80: float
    coverage95: float


class Revised(msgspec.Struct, frozen=True, kw_only=True):
    """What the source changed of a sensor after the hour was over: how many values, of which hours, and when seen.

    `taken_back` of them it no longer gives; `mean_change` and `largest_change` are of the others, new less old.
    """

    sensor: str
    unit: str
    values: int
    taken_back: int
    first_hour: datetime
    last_hour: datetime
    first_seen: datetime
    last_seen: datetime
    mean_change: float | None
    largest_change: float | None
