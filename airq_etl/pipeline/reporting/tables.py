"""What a report is made of, read from the tables and the ledger as they stand: without a lock, altering nothing."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl

from airq_etl import daily, lock
from airq_etl.errors import UsageError
from airq_etl.forecast import LONGEST
from airq_etl.forecast.gate import NOBODY
from airq_etl.lake import DAILY, FORECASTS, HOURLY, MODELS, REVISIONS, Lake, with_data
from airq_etl.ledger import FILE, Ledger
from airq_etl.ledger_reader import LedgerReader
from airq_etl.ledger_runs import runs as runs_known
from airq_etl.open_findings import open_findings
from airq_etl.pipeline.evidence import gather
from airq_etl.pipeline.job import MOST_NAMED, Job
from airq_etl.pipeline.reporting import hours
from airq_etl.report.facts import Run
from airq_etl.report.history import RUN_DAYS
from airq_etl.report.material import Material
from airq_etl.report.now import SCORED
from airq_etl.results import Result
from airq_etl.runs import RunRecord
from airq_etl.sanity.checks import examine
from airq_etl.sanity.finding import Finding
from airq_etl.settings import Settings
from airq_etl.stations import Rules, Station
from airq_etl.windows import HOUR, Days

COMMAND = "run"  # what cron calls
RUNS_SHOWN = 20
SOURCE = "tables"
LARGE = 20_000
"""Days of stations, 55 years of them: to look for what makes no sense in more takes longer than all else."""
LATELY = timedelta(days=2)
"""Once a night is what README suggests for large networks."""


def material(settings: Settings, wanted: Collection[int], days: Days | None) -> Material:
    """All that a report says of stations (all where none are `wanted`) on local `days` (all where None).

    UsageError where there is no data, or none of a station; DamagedError where a table cannot be read.
    """
    lake, now = with_data(settings.data_dir, HOURLY), settings.clock()
    if not (lake.root / FILE).is_file():
        raise UsageError(f"there is no ledger in {settings.data_dir}; `airq-etl run` makes one")
    with LedgerReader(settings.data_dir) as ledger:
        newest = hours.newest_of(_months(lake, hours.until(now)))
        stations = _stations(settings, ledger, {*newest}, wanted)
        rules = settings.rules(stations)
        findings, as_of = _findings(settings, lake, ledger, stations, days)
        recent = _recent(ledger, now)
        return Material(
            now=now,
            source=SOURCE,
            rules=rules,
            days=days,
            stations=stations,
            daily=of_days(lake.read(DAILY, where=hours.only(stations)), days),
            recent=hours.judged(_last_hours(lake, stations, newest, now), rules),
            newest=newest,
            clock=hours.mean_day(_months(lake, hours.only(stations) & hours.until(now)), rules, days),
            revisions=_revisions(lake, stations, rules, days),
            forecasts=_forecasts(lake, stations, now),
            reasons=_reasons(lake, stations, now),
            findings=findings,
            findings_as_of=as_of,
            runs=[_run(run) for run in recent[:RUNS_SHOWN]],
            run_days=counted(recent),
        )


def _months(lake: Lake, where: pl.Expr | None = None) -> Iterator[pl.DataFrame]:
    for part in lake.parts(HOURLY):
        yield lake.read(HOURLY, [part], where)


def _stations(settings: Settings, ledger: Ledger, there: set[int], wanted: Collection[int]) -> dict[int, Station]:
    said = ledger.stations()
    refuse_unknown(wanted, there)
    return {one: settings.station(one, said.get(one, Station())) for one in wanted or sorted(there)}


def refuse_unknown(wanted: Collection[int], there: Collection[int]) -> None:
    """UsageError where a station that is asked for has no hours."""
    for station_id in wanted:
        if station_id not in there:
            some = ", ".join(map(str, sorted(there)[:MOST_NAMED]))
            raise UsageError(f"--station {station_id}: nothing is stored of it; there are {some}")


def of_days(rows: pl.DataFrame, days: Days | None) -> pl.DataFrame:
    """The rows of the daily table on these days; UsageError where these are none of those that are stored."""
    if days is None:
        return rows
    found = rows.filter(pl.col("day").is_between(*days))
    if found.is_empty() and rows.height:
        first, last = (min(rows["day"]), max(rows["day"]))
        raise UsageError(f"no day from {days.first} to {days.last} is stored; there are those from {first} to {last}")
    return found


def _last_hours(lake: Lake, stations: Collection[int], newest: Mapping[int, datetime], now: datetime) -> pl.DataFrame:
    begins = min([now, *(newest[one] for one in stations if one in newest)]) - hours.REACH
    parts = [part for part in lake.parts(HOURLY) if part >= f"{begins:%Y-%m}"]
    return lake.read(HOURLY, parts, hours.only(stations) & hours.until(now) & hours.is_recent(now, newest))


def _revisions(lake: Lake, stations: Collection[int], rules: Rules, days: Days | None) -> pl.DataFrame:
    rows = lake.read(REVISIONS, where=hours.only(stations))
    return rows if days is None else rows.filter(daily.day_of(rules.zones).is_between(*days))


def _forecasts(lake: Lake, stations: Collection[int], now: datetime) -> pl.DataFrame:
    since = now - SCORED - LONGEST * HOUR
    parts = [part for part in lake.parts(FORECASTS) if part >= f"{since:%Y-%m}"]
    return lake.read(FORECASTS, parts, hours.only(stations) & (pl.col("hour") >= since))


def _reasons(lake: Lake, stations: Collection[int], now: datetime) -> dict[tuple[int, str], str]:
    """Why nobody serves a station's sensor, by who took over last."""
    rows = lake.read(MODELS, where=hours.only(stations) & (pl.col("since") <= now)).sort("since", maintain_order=True)
    last = rows.group_by("station_id", "sensor", maintain_order=True).last().filter(pl.col("model") == NOBODY)
    return {(station_id, name): why for station_id, name, why in last.select("station_id", "sensor", "reason").rows()}


def _findings(
    settings: Settings, lake: Lake, ledger: Ledger, stations: Mapping[int, Station], days: Days | None
) -> tuple[list[Finding], datetime | None]:
    """What the checks find in the tables, or what they found last and when.

    That is while a run alters the tables, and of a large network where a look at all of it is recorded of late.
    """
    if not lock.is_held(lake.root) and not _is_known(settings, lake, ledger, days):
        looking = Job(
            settings, lake, ledger, Result(command="report", run_id="", started_at=settings.clock()), math.inf
        )
        found = examine(gather(looking, days, with_store=False), stations)
        if not lock.is_held(lake.root):
            return found, None
    known = open_findings(ledger)
    kept = [its.finding for its in known if its.finding.station_id in {None, *stations}]
    return kept, max((its.seen_at for its in known), default=None)


def _is_known(settings: Settings, lake: Lake, ledger: Ledger, days: Days | None) -> bool:
    if days is not None or lake.read(DAILY).height < LARGE:
        return False
    of_all = (its.seen_at for its in open_findings(ledger) if not its.newest_days)
    return settings.clock() - max(of_all, default=datetime.min.replace(tzinfo=UTC)) < LATELY


def _recent(ledger: Ledger, now: datetime) -> list[RunRecord]:
    """The runs of the last days up to now, whatever came later."""
    return [run for run in runs_known(ledger, COMMAND, since=now - timedelta(days=RUN_DAYS)) if run.started_at <= now]


def _run(record: RunRecord) -> Run:
    return Run(**{name: getattr(record, name) for name in Run.__struct_fields__})


def counted(runs: Collection[RunRecord] | Collection[Run]) -> dict[date, dict[str, int]]:
    """How many runs began on a (UTC) day, by state."""
    found: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for run in runs:
        found[run.started_at.astimezone(UTC).date()][run.state] += 1
    return found
