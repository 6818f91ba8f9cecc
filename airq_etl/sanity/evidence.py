"""What a check is, and what it looks at: the tables and the store as frames, and what is known beside them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from airq_etl.hourly import KEY
from airq_etl.sanity.finding import Finding
from airq_etl.stations import Rules, Station
from airq_etl.windows import Days

SEEN = (*KEY, "requested_at")
"""Of the hourly table: which hours are there, and when each was asked for."""


class Place(NamedTuple):
    """What lies in one place, the tables of the data directory or a store.

    `hourly` has the columns of the hourly table, `daily` those of the daily table; rows may stand twice in a
    store, and stations that `stations` does not list may occur. `name` is "tables", or the store's name.
    """

    name: str
    hourly: pl.DataFrame
    daily: pl.DataFrame
    stations: frozenset[int]


class Position(NamedTuple):
    """Where the API said that a station was (degrees), and when it first and last said so."""

    station_id: int
    latitude: float | None
    longitude: float | None
    first: datetime
    last: datetime


class Evidence(NamedTuple):
    """All that the checks are given.

    `now` is the moment to judge by (aware UTC). The frames are cut to whole local `days` where a period was asked
    for; else all is there; of the store only `store_days` are, where they are given. `store` is None where it is not
    looked at. It may share its documents with other data directories (`shares`; stations that are theirs alone are
    left out), and it is `behind` by so many days where changes of the tables wait to be loaded: those that are
    `waiting` (`station_id`, `day`).
    `known` are the stations as the stations file and the API describe them, `said` as the API alone does,
    `configured` those that the settings list, `positions` the places that the API has given. `keys` has the
    newest hour of each key of the API that an answer of a station ever had. `revisions` and `rejects` are those
    tables. `placed` are the stations whose place the stations file gives, `outdated` those whose days were made
    by other rules. `served` are the hours that most checks look at (see `gaps.served`), where they are known.
    Where there is a `read_hours`, the hours of the tables are the columns of `SEEN` alone, since all of them together
    would take much memory: it reads those for which an expression holds, with their values.
    """

    now: datetime
    rules: Rules
    tables: Place
    store: Place | None = None
    shares: bool = False
    behind: int = 0
    waiting: pl.DataFrame = pl.DataFrame(schema={"station_id": pl.Int64(), "day": pl.Date()})
    days: Days | None = None
    store_days: Days | None = None
    configured: frozenset[int] = frozenset()
    known: Mapping[int, Station] = MappingProxyType({})
    said: Mapping[int, Station] = MappingProxyType({})
    positions: tuple[Position, ...] = ()
    keys: Mapping[int, Mapping[str, datetime]] = MappingProxyType({})
    revisions: pl.DataFrame = pl.DataFrame()
    rejects: pl.DataFrame = pl.DataFrame()
    placed: frozenset[int] = frozenset()
    outdated: frozenset[int] = frozenset()
    served: pl.DataFrame | None = None
    read_hours: Callable[[pl.Expr], pl.DataFrame] | None = None

    def places(self) -> list[Place]:
        """The tables, and the store where it is looked at."""
        return [self.tables] if self.store is None else [self.tables, self.store]


Find = Callable[[Evidence], Iterable[Finding]]


def nothing(_: Evidence) -> Iterable[Finding]:
    """What a check finds of all stations together where it looks at each for itself."""
    return ()


class Check(NamedTuple):
    """A check by its name (`dead-sensor`): what it looks for, from which value on, by which source.

    One that compares weeks with weeks is not `for_runs`: it is left out of the short look that each run takes. One that
    is `by_station` looks at each station for itself: it finds the same of it whatever others are in the evidence, and
    is given some stations at a time (see `parts`). What it says of all of them `together` it finds apart from that.
    The others are given all stations at once, in a short look with the columns of `SEEN` alone.
    """

    name: str
    what: str
    threshold: str
    source: str
    find: Find
    for_runs: bool = True
    by_station: bool = False
    together: Find = nothing
