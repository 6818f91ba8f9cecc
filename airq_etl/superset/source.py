"""Where Superset reads the data, and what differs there in SQL: SQLite's embedded store, or Parquet through DuckDB.

In all queries a day is text like `2024-09-09` until it is given out, so that both count days the same way. What
comes out as a time is midnight of the station's local day, or UTC.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

Name = Literal["sqlite", "parquet"]
STATIONS = """\
select station_id,
       case when count(*) over (partition by label) > 1 then label || ' (' || station_id || ')' else label end
         as station
from (select station_id, coalesce(nullif(trim(name), ''), cast(station_id as text)) as label from stations)"""


class Database(NamedTuple):
    """A database as Superset knows it: its key in the bundle, its title, its address, how its engine is started."""

    key: str
    title: str
    uri: str
    engine: Literal["sqlite", "duckdb"]
    options: Mapping[str, Any]


class Source(NamedTuple):
    """Where the queries read.

    `tables`, `stations` and `runs` are SQL: the first two stand after `from` and as a query that gives `station_id`
    and the `station` that people call it, and the last gives a run a row. `runs_in` is the database of the last, and
    `labels` what the stations were called when the queries were made.
    """

    name: Name
    database: Database
    runs_in: Database
    daily: str
    forecasts: str
    stations: str
    runs: str
    labels: tuple[str, ...]

    @property
    def is_sqlite(self) -> bool:
        """Whether the tables are SQLite's."""
        return self.database.engine == "sqlite"

    def day(self, column: str) -> str:
        """A day of the table as text."""
        return column if self.is_sqlite else f"cast({column} as text)"

    def hour(self, column: str) -> str:
        """A time of the table as a time without a zone, which is UTC."""
        # Without ICU, which DuckDB would need to turn its times with a zone.
        return column if self.is_sqlite else f"make_timestamp(epoch_us({column}))"

    def next_day(self, day: str) -> str:
        """The day after, as text."""
        return f"date({day}, '+1 day')" if self.is_sqlite else f"cast(cast({day} as date) + 1 as text)"

    def hours_after(self, hour: str, hours: int) -> str:
        """A time so many hours later; or, where they are negative, before."""
        return f"datetime({hour}, '{hours:+d} hours')" if self.is_sqlite else f"{hour} + interval ({hours}) hour"

    def midnight(self, day: str) -> str:
        """A day as the time at which it begins."""
        # SQLite compares texts: of a day alone Superset's filter of a time range would lose the first.
        return f"{day} || ' 00:00:00'" if self.is_sqlite else f"cast({day} as timestamp)"


def sqlite_address(path: str) -> str:
    """The address of a SQLite file, opened to read alone: one that is missing is not made."""
    return f"sqlite:///file:{quote(path)}?mode=ro&uri=true"


def embedded(path: str, names: Mapping[int, str | None]) -> Source:
    """The embedded store at an absolute path, in POSIX form; `names` of stations give colours alone."""
    database = Database("store", "airq-etl store", sqlite_address(path), "sqlite", {})
    runs = "select _id as run, command, state, exit_code, started_at, duration_s, message from runs"
    return Source("sqlite", database, database, "daily", "forecasts", STATIONS, runs, tuple(labelled(names).values()))


def parquet(folder: str, names: Mapping[int, str | None], *, forecasts: bool) -> Source:
    """The tables under an absolute path, in POSIX form, and of its ledger the runs.

    Parquet knows no station's name: `names` are written into the queries. Where there are no `forecasts` yet DuckDB
    would find no file to read; their queries then give no row.
    """
    tables = {name: f"{folder}/{name}" for name in ("daily", "forecasts")}
    # All that it needs it has: it is to look for nothing elsewhere.
    alone = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    return Source(
        "parquet",
        Database("tables", "airq-etl tables", "duckdb:///:memory:", "duckdb", {"config": alone}),
        Database("ledger", "airq-etl ledger", sqlite_address(f"{folder}/ledger.db"), "sqlite", {}),
        _files(tables["daily"]),
        _files(tables["forecasts"]) if forecasts else _NO_FORECASTS,
        _values(labelled(names)),
        "select run_id as run, command, state, exit_code, replace(started_at, 'T', ' ') as started_at,"
        " duration_s, message from runs",
        tuple(labelled(names).values()),
    )


_NO_FORECASTS = (
    "(select null::bigint as station_id, null::text as sensor, null::bigint as horizon, null::timestamptz as hour,"
    " null::double as lo80, null::double as median, null::double as hi80, null::double as persistence,"
    " null::double as observed where false)"
)


def _files(folder: str) -> str:
    return f"read_parquet({literal(folder + '/*.parquet')}, union_by_name = true)"


def labelled(names: Mapping[int, str | None]) -> dict[int, str]:
    """What each station is called: its name, with its id where another has the same, the id where it has none."""
    plain = {station: (name or "").strip() or str(station) for station, name in sorted(names.items())}
    shared = [name for name in plain.values() if list(plain.values()).count(name) > 1]
    return {station: f"{name} ({station})" if name in shared else name for station, name in plain.items()}


def _values(called: Mapping[int, str]) -> str:
    if not called:
        return "select cast(null as bigint) as station_id, cast(null as text) as station where false"
    rows = ",\n".join(f"  ({station}, {literal(label)})" for station, label in sorted(called.items()))
    return f"select * from (values\n{rows}\n) as named(station_id, station)"


def literal(text: str) -> str:
    """A text as SQL, in which Superset finds no template, whatever it holds."""
    return " || chr(123) || ".join("'" + part.replace("'", "''") + "'" for part in text.split("{"))
