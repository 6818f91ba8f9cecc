"""Was a station at its site all the time: stretches of its life that are quite unlike the rest."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

import polars as pl

from airq_etl.sanity import levels
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.hours import served
from airq_etl.sanity.levels import BY_SENSOR, SWING
from airq_etl.sanity.wording import number, percent, plain
from airq_etl.sensors import BY_COLUMN

# What changes with the place: in and out of a room, to another climate. Particles change with the weather as much.
PLACE = ("temperature", "humidity", "metal oxide")
SENSORS = ("temperature", SWING, "humidity", "no2", "o3")
KINDS = 2
# Another climate, which neighbours may share since they travel together: a temperate season (24 °C between winter and
# summer) makes 0.2 °C a day at its steepest, and so much must be left of the change. A continental spring warms as much
# in a fortnight, but its days differ more: it has less than 6 usual distances of a day, the two stations had 7.
SEASON_A_DAY = 0.2
CLIMATE, CLIMATE_SPREADS = 5.0, 6.0
# Unlike the site is a median that the site's days have not once in fifty.
SELDOM = 0.02


class Unlike(NamedTuple):
    """A sensor of a stretch, its median level there, and that of the site."""

    sensor: str
    level: float
    usual: float


class Stretch(NamedTuple):
    """Days of a station that are unlike its site.

    `returns` is the first day that is like it, None where there is none yet; `days` are those with a level. It
    `begins` the station's life where nothing like its site was before.
    """

    station_id: int
    first: date
    last: date
    returns: date | None
    days: int
    begins: bool
    unlike: tuple[Unlike, ...]


def days_of(evidence: Evidence) -> pl.DataFrame:
    """The levels of all days beside those of the neighbours, see `levels.beside`."""
    days = levels.by_day(served(evidence), evidence.rules.zones)
    return levels.beside(days, levels.neighbours(days))


def stretches(days: pl.DataFrame) -> list[Stretch]:
    """The stretches of `days` at which stations were not at their site, by station and day."""
    moves = _moves(levels.changes(days))
    return [
        stretch
        for (station,), borders in moves.group_by("station_id", maintain_order=True)
        for stretch in _unlike(days.filter(pl.col("station_id") == station), borders["day"].sort())
    ]


def at_site(days: pl.DataFrame, elsewhere: Iterable[Stretch]) -> pl.DataFrame:
    """The `days` at which stations were at their sites, beside those of neighbours that were."""
    rest = days.filter(~within(elsewhere)).drop("apart")
    return levels.beside(rest, levels.neighbours(rest))


def within(found: Iterable[Stretch], near: int = 0) -> pl.Expr:
    """Whether the day of a row lies in one of its station's stretches, or no more than so many days from one."""
    more, day = timedelta(days=near), timedelta(days=1)
    its = [
        (pl.col("station_id") == one.station_id)
        & pl.col("day").is_between(one.first - more, (one.returns - day if one.returns else one.last) + more)
        for one in found
    ]
    return pl.any_horizontal(pl.lit(value=False), *its)


def _moves(changed: pl.DataFrame) -> pl.DataFrame:
    """The days (station_id, day) on which a station begins to be somewhere else."""
    own = levels.together(levels.steps(changed).filter(pl.col("kind").is_in(PLACE)))
    own = own.filter(pl.col("kind").n_unique().over("group") >= KINDS)
    moves = pl.concat([own.select("station_id", "day"), _climate(changed).select("station_id", "day")])
    return levels.together(moves).group_by("station_id", "group", maintain_order=True).agg(pl.col("day").min())


def _climate(changed: pl.DataFrame) -> pl.DataFrame:
    season = SEASON_A_DAY * pl.col("between")
    return levels.peaks(
        changed.filter(
            pl.col("sensor") == "temperature",
            pl.col("sudden"),
            pl.col("change").abs() - season >= CLIMATE,
            pl.col("spreads").abs() >= CLIMATE_SPREADS,
        )
    )


def _unlike(days: pl.DataFrame, borders: pl.Series) -> Iterator[Stretch]:
    """The parts between borders that are unlike the longest, which is the site; those side by side are one stretch."""
    days = days.filter(pl.col("sensor").is_in(SENSORS))
    days = days.with_columns(part=borders.search_sorted(days["day"], side="right"))
    parts = days.group_by("part").agg(days=pl.col("day").n_unique()).sort("days", "part")["part"]
    site = days.filter(pl.col("part") == parts[-1])
    odd = [part for part in parts.sort() if _odd(_compared(days.filter(pl.col("part") == part), site))]
    for _, side_by_side in groupby(enumerate(odd), key=lambda item: item[1] - item[0]):
        its = [part for _, part in side_by_side]
        there = days.filter(pl.col("part").is_in(its))
        yield Stretch(
            station_id=days["station_id"][0],
            first=min(there["day"]),
            last=max(there["day"]),
            returns=min(days.filter(pl.col("part") > its[-1])["day"], default=None),
            days=there["day"].n_unique(),
            begins=min(its) == parts.min(),
            unlike=_compared(there, site),
        )


def _compared(there: pl.DataFrame, site: pl.DataFrame) -> tuple[Unlike, ...]:
    usual = site.group_by("sensor").agg(
        low=pl.col("level").quantile(SELDOM), high=pl.col("level").quantile(1 - SELDOM), usual=pl.col("level").median()
    )
    both = there.group_by("sensor").agg(pl.col("level").median()).join(usual, on="sensor")
    unlike = both.filter(~pl.col("level").is_between("low", "high")).select("sensor", "level", "usual")
    return tuple(sorted(map(Unlike._make, unlike.iter_rows()), key=lambda one: SENSORS.index(one.sensor)))


def _odd(unlike: tuple[Unlike, ...]) -> bool:
    return len({BY_SENSOR[one.sensor].kind for one in unlike}) >= KINDS


def _not_at_site(evidence: Evidence) -> Iterator[Finding]:
    for stretch in stretches(days_of(evidence)):
        sensors = ", ".join(_said(one) for one in stretch.unlike)
        yield Finding(
            check="not-at-site",
            severity="warning",
            station_id=stretch.station_id,
            first=stretch.first,
            last=stretch.last,
            count=stretch.days,
            sentence=f"from {stretch.first} to {stretch.last} it was hardly at its site: {sensors}",
            action=_what_to_do(stretch),
        )


def _said(one: Unlike) -> str:
    sensor = "temperature" if one.sensor == SWING else one.sensor
    name = "daily swing of T" if one.sensor == SWING else BY_COLUMN[sensor].key
    return f"{name} {plain(one.level)} instead of {number(one.usual, sensor)}"


def _what_to_do(stretch: Stretch) -> str:
    if stretch.returns is None:
        return "find out where it stands now, and keep its means apart from those before"
    since = f'in_service_from = "{stretch.returns}" for it in AIRQ_STATIONS_FILE'
    if stretch.begins:
        return f"set {since}, if that is when it came to its site"
    return f"leave the means of these days out; {since} would leave out all before, too"


CHECKS: tuple[Check, ...] = (
    Check(
        "not-at-site",
        "days on which the air around a station was quite unlike that of its site",
        f"a move that {KINDS} of temperature, humidity and gases show against the neighbours, or {CLIMATE:g} °C beyond"
        f" season; and {KINDS} of them outside {percent(1 - 2 * SELDOM)} of the site's days",
        "two stations in Abidjan, one winter in Europe and one month indoors",
        _not_at_site,
        for_runs=False,
    ),
)
