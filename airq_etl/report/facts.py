"""The facts of a report, which `report --json` prints and from which the page draws every chart and table.

Lists of one struct that lie beside each other are columns: equally long, an entry a day, month or hour, in their
order. Concentrations are in the `unit` of their sensor, as reported, to four decimals; null is no value. Days and
months are local to the station (`zone`), times aware UTC. A day is valid with enough of its hours.
"""

from datetime import date, datetime

import msgspec

from airq_etl.forecast.outlook import Outlook
from airq_etl.report.series import Clock, Daily, Highest, Months, Recent, Revised, Score, Year
from airq_etl.sanity.finding import Finding


class SensorFacts(msgspec.Struct, kw_only=True):
    """A sensor of a station over the period.

    `completeness` is the share of the hours of all days that are over (per cent). `highest` is of valid days,
    `highest_of_all` of all days, few hours or not. `outlook` holds the forecasts that are not over, or why there
    is none.
    """

    sensor: str
    unit: str
    completeness: float | None
    valid_days: int
    daily: Daily
    highest: Highest | None
    highest_of_all: Highest | None
    months: Months
    years: list[Year]
    clock: Clock
    recent: Recent
    outlook: Outlook | None
    scores: list[Score]


class Newest(msgspec.Struct, frozen=True, kw_only=True):
    """The newest hour and how old it is (hours since its start); the air by the newest that is `complete`.

    That is null where the newest hour is older than five hours: of the air now it tells nothing.
    `nowcast` is EPA's NowCast of PM2.5 (µg/m³), `aqi` its US AQI, `category` EPA's word for that.
    """

    hour: datetime
    age_h: float
    complete: datetime | None
    pm25: float | None
    co: float | None
    nowcast: float | None
    aqi: int | None
    category: str | None


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """PM2.5 beside CO: Pearson's r over the days on which both are valid; null where these are under 10."""

    days: int
    r: float | None


class StationFacts(msgspec.Struct, kw_only=True):
    """A station: `days` are all from its first to its last in the period, those without data included.

    `days_over` of them have ended; on `days_revised` the source changed an hour afterwards. `label` is what to call
    it, no two alike.
    """

    station_id: int
    name: str | None
    zone: str
    newest: Newest | None
    days: list[date]
    expected: list[int]
    days_over: int
    pm25: SensorFacts
    co: SensorFacts
    together: Together
    findings: list[Finding]
    revisions: list[Revised]
    days_revised: int
    label: str


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How the valid daily means of a station are spread: quantiles of them, and how many they are."""

    station: str
    days: int
    p10: float
    median: float
    p90: float
    highest: float


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two stations over the days valid at both: Pearson's r, and the mean of `one` less that of `other`."""

    one: str
    other: str
    days: int
    r: float | None
    difference: float


class Compared(msgspec.Struct, kw_only=True):
    """The stations against each other by one sensor; pairs only where there are few stations."""

    sensor: str
    unit: str
    spread: list[Spread]
    pairs: list[Pair]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the hourly job, see `runs.RunRecord`."""

    run_id: str
    state: str
    started_at: datetime
    duration_s: float | None
    exit_code: int | None
    message: str


class RunDays(msgspec.Struct, kw_only=True):
    """Runs by the (UTC) day on which they began: those that stored what came, stored some of it, or failed."""

    day: list[date] = []
    good: list[int] = []
    partial: list[int] = []
    failed: list[int] = []


class Guideline(msgspec.Struct, frozen=True, kw_only=True):
    """What WHO (2021) and the EU (2024/2881, from 2030) say of a daily mean; so many days a year may exceed it."""

    sensor: str
    unit: str
    who: float
    who_days: int
    eu: float
    eu_days: int


class Report(msgspec.Struct, kw_only=True):
    """All of it, as of `now`, read from the `source` (tables or a store).

    `first_day` and `last_day` are those of all stations, null where there are none. `findings` are those that
    concern no single station; `findings_as_of` is set where they are the last that were recorded, which those of the
    stations are then too. `runs` are the last, newest first.
    """

    now: datetime
    version: str
    source: str
    min_hours: int
    first_day: date | None
    last_day: date | None
    guidelines: list[Guideline]
    stations: list[StationFacts]
    compared: list[Compared]
    findings: list[Finding]
    findings_as_of: datetime | None
    runs: list[Run]
    run_days: RunDays
