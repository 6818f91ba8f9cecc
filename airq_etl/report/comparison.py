"""Stations against each other, by their valid daily means."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import polars as pl

from airq_etl.report.days import correlation, one
from airq_etl.report.facts import Compared, Pair, Spread, StationFacts
from airq_etl.sanity.wording import printable
from airq_etl.stations import Station

FEW = 6
"""Stations that can be told apart by colour, and whose pairs can be looked at one by one."""


def compared(stations: Sequence[StationFacts], sensor: str, unit: str) -> Compared:
    """The stations by one sensor."""
    means = {station.label: _valid(station, sensor) for station in stations}
    return Compared(
        sensor=sensor,
        unit=unit,
        spread=sorted(_spreads(means.items()), key=lambda its: (-its.median, its.station)),
        pairs=[*_pairs(means.items())] if len(stations) <= FEW else [],
    )


def labels(stations: Mapping[int, Station]) -> dict[int, str]:
    """What to call the stations: by what can be printed of their names, no two alike; else by their ids."""
    names = {one: printable(station.name or "").strip() or str(one) for one, station in stations.items()}
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    return {station_id: f"{name} ({station_id})" if name in shared else name for station_id, name in names.items()}


def _valid(station: StationFacts, sensor: str) -> pl.DataFrame:
    daily = getattr(station, sensor).daily
    rows = pl.DataFrame(
        {"day": station.days, "mean": daily.mean, "valid": daily.valid},
        schema={"day": pl.Date, "mean": pl.Float64, "valid": pl.Boolean},
    )
    return rows.filter("valid").drop_nulls("mean").drop("valid")


def _spreads(means: Iterable[tuple[str, pl.DataFrame]]) -> Iterator[Spread]:
    for name, rows in means:
        if rows.height:
            p10, median, p90 = (one(rows["mean"].quantile(q, "linear")) for q in (0.1, 0.5, 0.9))
            yield Spread(
                station=name,
                days=rows.height,
                p10=p10 or 0.0,
                median=median or 0.0,
                p90=p90 or 0.0,
                highest=one(rows["mean"].max()) or 0.0,
            )


def _pairs(means: Iterable[tuple[str, pl.DataFrame]]) -> Iterator[Pair]:
    for (one_name, left), (other_name, right) in combinations(means, 2):
        both = left.join(right, on="day")
        if both.height:
            yield Pair(
                one=one_name,
                other=other_name,
                days=both.height,
                r=correlation(both["mean"], both["mean_right"]),
                difference=one((both["mean"] - both["mean_right"]).mean()) or 0.0,
            )
