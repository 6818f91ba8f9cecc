"""What a report is made of, read from the store alone: the report of a machine that has no data directory."""

from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from airq_etl import daily, documents, hourly
from airq_etl.errors import UsageError
from airq_etl.forecast import LONGEST
from airq_etl.forecast.table import SCHEMA as FORECAST
from airq_etl.lake import Lake
from airq_etl.ledger_stations import rejects
from airq_etl.pipeline.load import EMBEDDED, open_store
from airq_etl.pipeline.reporting import hours
from airq_etl.pipeline.reporting.tables import COMMAND, RUNS_SHOWN, counted, of_days, refuse_unknown
from airq_etl.report.facts import Run
from airq_etl.report.history import RUN_DAYS
from airq_etl.report.material import Material
from airq_etl.report.now import SCORED
from airq_etl.sanity.checks import examine
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.sanity.finding import Finding
from airq_etl.settings import Settings
from airq_etl.stations import Rules, Station
from airq_etl.store import Store
from airq_etl.windows import HOUR, Days

DAY = timedelta(days=1)
RUN_FIELDS = ("_id", "command", "state", "exit_code", "started_at", "duration_s", "message")


def material(settings: Settings, wanted: Collection[int], days: Days | None) -> Material:
    """All that a report says of stations (all where none are `wanted`) on local `days` (all where None).

    Zones and beginnings of service are those that the stations' documents have. UsageError where there is no store or
    nothing in it, StoreError where it is out of reach.
    """
    lake = Lake(settings.data_dir)
    if settings.mongodb_uri is None and not (lake.root / EMBEDDED).is_file():
        raise UsageError(f"there is no store in {lake.root} yet; `airq-etl run` makes one, or set AIRQ_MONGODB_URI")
    with closing(_opened(settings, lake)) as store:
        return _material(store, settings, wanted, days)


def _opened(settings: Settings, lake: Lake) -> Store:
    if settings.mongodb_uri is not None:
        return open_store(settings, lake, settings.run_deadline_s)
    from airq_etl.store.embedded_reader import EmbeddedReader

    return EmbeddedReader(lake.root / EMBEDDED)


def _material(store: Store, settings: Settings, wanted: Collection[int], days: Days | None) -> Material:
    now = settings.clock()
    every = _hours(store, days, now)
    newest = hours.newest_of([every])
    if not newest:
        raise UsageError(f"{store.name} holds no hours yet; `airq-etl run` loads some")
    refuse_unknown(wanted, newest)
    stations = _stations(store, wanted or newest, settings.timezone)
    rules = _rules(stations, settings.min_hours)
    every = every.filter(hours.only(stations))
    rows = _daily(store, stations, days)
    revisions = _revisions(store, stations, rules, days)
    runs = _runs(store, now - timedelta(days=RUN_DAYS), now)
    on_days = _on(every, rules, days)
    return Material(
        now=now,
        source=store.name,
        rules=rules,
        days=days,
        stations=stations,
        daily=rows.sort(daily.KEY),
        recent=hours.judged(every.filter(hours.is_recent(now, newest)), rules),
        newest=newest,
        clock=hours.mean_day([on_days], rules, None),
        revisions=revisions,
        forecasts=_forecasts(store, stations, now),
        reasons={},
        findings=_findings(store.name, now, stations, rules, on_days, rows, revisions, days),
        findings_as_of=None,
        runs=runs[:RUNS_SHOWN],
        run_days=counted(runs),
    )


def _hours(store: Store, days: Days | None, now: datetime) -> pl.DataFrame:
    """The hours on the days, and those since, of which the newest are."""
    first = None if days is None else min(_midnight(days.first) - DAY, now - hours.REACH)
    found = documents.hourly_frame(store.frame(documents.HOURLY, first, None, documents.hourly_fields()))
    return found.filter(hours.until(now)).sort(hourly.KEY)


def _daily(store: Store, stations: Collection[int], days: Days | None) -> pl.DataFrame:
    first, last = (None, None) if days is None else (_midnight(days.first), _midnight(days.last) + DAY)
    rows = documents.daily_frame(store.frame(documents.DAILY, first, last, documents.daily_fields()))
    rows = rows.filter(hours.only(stations))
    if rows.is_empty():
        every = store.frame(documents.DAILY, fields=["station_id", "day"]).filter(hours.only(stations))
        of_days(every.with_columns(pl.col("day").dt.date()), days)
    return rows


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(tzinfo=UTC))


def _on(rows: pl.DataFrame, rules: Rules, days: Days | None) -> pl.DataFrame:
    return rows if days is None else rows.filter(daily.day_of(rules.zones).is_between(*days))


def _stations(store: Store, wanted: Collection[int], zone: str) -> dict[int, Station]:
    told = {row["station_id"]: row for row in store.frame(documents.STATIONS).iter_rows(named=True)}
    fields = Station.__struct_fields__
    known = {one: Station(**{name: row[name] for name in fields}) for one, row in told.items()}
    return {one: known.get(one, Station(timezone=zone)) for one in sorted(wanted)}


def _rules(stations: Mapping[int, Station], min_hours: int) -> Rules:
    served = {one: its.in_service_from for one, its in stations.items() if its.in_service_from is not None}
    return Rules({one: its.timezone or daily.UTC_ZONE for one, its in stations.items()}, min_hours, served)


def _revisions(store: Store, stations: Collection[int], rules: Rules, days: Days | None) -> pl.DataFrame:
    rows = store.frame(documents.REVISIONS, fields=list(hourly.REVISION_SCHEMA)).filter(hours.only(stations))
    return _on(rows, rules, days).sort(hourly.REVISION_KEY)


def _forecasts(store: Store, stations: Collection[int], now: datetime) -> pl.DataFrame:
    since = now - SCORED - LONGEST * HOUR
    return store.frame(documents.FORECASTS, since, None, list(FORECAST)).filter(hours.only(stations))


def _runs(store: Store, since: datetime, now: datetime) -> list[Run]:
    """The runs from then to now, the newest first."""
    rows = store.frame(documents.RUNS, fields=RUN_FIELDS).rename({"_id": "run_id"})
    rows = rows.filter(pl.col("command") == COMMAND, pl.col("started_at").is_between(since, now)).drop("command")
    rows = rows.with_columns(pl.col("message").fill_null(""))
    return [Run(**row) for row in rows.sort("started_at", descending=True).iter_rows(named=True)]


def _findings(  # noqa: PLR0913, PLR0917 -- what the checks look at
    name: str,
    now: datetime,
    stations: Mapping[int, Station],
    rules: Rules,
    every: pl.DataFrame,
    rows: pl.DataFrame,
    revisions: pl.DataFrame,
    days: Days | None,
) -> list[Finding]:
    """What the checks find that need no ledger."""
    place = Place(name, every.sort(hourly.KEY), rows.sort(daily.KEY), frozenset(stations))
    evidence = Evidence(
        now=now,
        rules=rules,
        tables=place,
        days=days,
        configured=frozenset(stations),
        known=stations,
        said=stations,
        revisions=revisions,
        rejects=rejects([]),
    )
    return examine(evidence, stations)
