"""status: how the hourly job stands, by what ledger, tables and disk say; it alters none of them."""

import platform
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import polars as pl

from airq_etl import ledger_counts, ledger_runs, lock
from airq_etl.errors import StoreError, UsageError
from airq_etl.lake import FORECAST_TABLES, HOURLY, TABLES, Lake, refuse_file
from airq_etl.ledger import FILE, Ledger
from airq_etl.ledger_reader import LedgerReader
from airq_etl.open_alerts import open_alerts
from airq_etl.open_findings import open_findings
from airq_etl.pipeline.load import EMBEDDED
from airq_etl.runs import UNFINISHED, RunRecord, StepRecord, is_slow
from airq_etl.sanity.finding import SEVERITIES
from airq_etl.settings import Settings
from airq_etl.status_facts import (
    DAY,
    HOURS_SHOWN,
    Disk,
    Pace,
    RunStands,
    StationStands,
    Status,
    StepStands,
    midnight,
    pace,
    unwell,
)
from airq_etl.windows import HOUR, hour_of

COMMAND = "run"  # what cron calls
WEEK = 7 * DAY
NEWEST_FILES = 2  # of the hourly table: an older hour is old enough to be called so
LATEST = "last"  # in place of an id


def standing(settings: Settings) -> Status:
    """How the hourly job stands; UsageError where nothing has run yet, StoreError where the ledger cannot be read."""
    now = settings.clock()
    with _reading(settings.data_dir) as (ledger, dead):
        alerts = open_alerts(ledger)
        runs = [_alive(run, dead) for run in ledger_runs.runs(ledger, COMMAND, limit=2)]
        good = ledger_runs.last_success(ledger, COMMAND)
        notes: list[str] = []
        return Status(
            host=platform.node(),
            data_dir=str(settings.data_dir.absolute()),
            now=now,
            pace=_pace(ledger, dead, now),
            at_work=_at_work(ledger, settings, dead),
            last=next((_run(ledger, run, settings) for run in runs if run.state not in UNFINISHED), None),
            last_good=good,
            steps=[_step(ledger, runs[0], step, settings) for step in runs[0].steps] if runs else [],
            stations=_stations(ledger, settings, dead, notes),
            alerts=alerts,
            findings=_findings(ledger),
            disk=_disk(settings),
            unwell=unwell(alerts, good or ledger_runs.first_run(ledger, COMMAND), settings.alert_overdue_h, now),
            notes=notes,
        )


def one_run(settings: Settings, run_id: str) -> tuple[RunRecord, dict[int, str]]:
    """A run with all that is recorded of it, by its id, a beginning of it or `last`, and the names of stations.

    UsageError where there is none, or more than one.
    """
    with _reading(settings.data_dir) as (ledger, dead):
        wanted = _last_id(ledger) if run_id == LATEST else run_id
        run = ledger_runs.run_of(ledger, wanted)
        if run is None:
            alike = ledger_counts.latest_ids(ledger, wanted) if wanted else []
            latest = ", ".join(alike or ledger_counts.latest_ids(ledger))
            wrong = "more than one run begins so" if alike else "there is no such run"
            raise UsageError(f"--run {run_id}: {wrong}; {'they' if alike else 'the latest'} are {latest}")
        said = ledger.stations()
        names = {station_id: settings.station(station_id, station).name for station_id, station in said.items()}
        return _alive(run, dead), {station_id: name for station_id, name in names.items() if name}


def _last_id(ledger: Ledger) -> str:
    """The id of the last `run`, or of the last run of another command where there is none."""
    runs = ledger_runs.runs(ledger, COMMAND, limit=1)
    return runs[0].run_id if runs else ledger_counts.latest_ids(ledger, limit=1)[0]


@contextmanager
def _reading(root: Path) -> Iterator[tuple[LedgerReader, set[str]]]:
    """The ledger as of one moment, and the ids of the runs that it has as at work, and that are dead.

    One that was at work before and after a moment when nobody held the lock is: a run holds it from before its
    first row until after its last.
    """
    try:
        empty = not (root / FILE).is_file() or not (root / FILE).stat().st_size
    except OSError as error:
        raise StoreError(f"{root} cannot be read: {error.strerror}; ask as the user who runs airq-etl") from error
    refuse_file(root)
    if empty:
        raise UsageError(f"no run yet in {root}; next: airq-etl run")
    with LedgerReader(root) as ledger:
        before = ledger_counts.unfinished(ledger)
        free = bool(before) and not lock.is_held(root)
        with ledger.moment():
            if not ledger_counts.latest_ids(ledger, limit=1):
                raise UsageError(f"no run yet in {root}; next: airq-etl run")
            yield ledger, before & ledger_counts.unfinished(ledger) if free else set()


def _alive(run: RunRecord, dead: Collection[str]) -> RunRecord:
    return run.as_dead() if run.run_id in dead else run


def _pace(ledger: Ledger, dead: Collection[str], now: datetime) -> Pace | None:
    first, starts = ledger_runs.first_run(ledger, COMMAND), ledger_counts.latest_starts(ledger, COMMAND)
    if first is None:
        return None
    today, week = (ledger_counts.states_since(ledger, COMMAND, since, dead) for since in (midnight(now), now - WEEK))
    return pace(starts, first, today, week, now)


def _at_work(ledger: Ledger, settings: Settings, dead: Collection[str]) -> RunStands | None:
    """The run of whatever command that is at work."""
    alive = ledger_counts.unfinished(ledger) - set(dead)
    newest = next((run_id for run_id in ledger_counts.latest_ids(ledger) if run_id in alive), None)
    run = None if newest is None else ledger_runs.run_of(ledger, newest)
    return None if run is None else _run(ledger, run, settings)


def _run(ledger: Ledger, run: RunRecord, settings: Settings) -> RunStands:
    usual = ledger_runs.usual_s(ledger, run.command, before=run.run_id)
    return RunStands(
        **{name: getattr(run, name) for name in ("run_id", "command", "state", "started_at", "ended_at")},
        duration_s=_so_far(run, settings.clock()),
        usual_s=usual,
        slow=run.state == "SUCCESS" and is_slow(run.duration_s, usual, settings.alert_slow),
        exit_code=run.exit_code,
        message=run.message,
        failed=[step.step for step in run.steps if step.state in {"FAILED", "PARTIAL", "CANCELLED"}],
        step=next((step.step for step in run.steps if step.state == "RUNNING"), None),
    )


def _step(ledger: Ledger, run: RunRecord, step: StepRecord, settings: Settings) -> StepStands:
    usual = ledger_runs.usual_s(ledger, run.command, step.step, before=run.run_id)
    return StepStands(
        step=step.step,
        state=step.state,
        slow=step.state == "SUCCESS" and is_slow(step.duration_s, usual, settings.alert_slow),
        duration_s=_so_far(step, settings.clock()),
        usual_s=usual,
        message=step.message,
        counts=step.counts,
    )


def _so_far(record: RunRecord | StepRecord, now: datetime) -> float | None:
    if record.state != "RUNNING" or record.started_at is None:
        return record.duration_s
    return max((now - record.started_at).total_seconds(), 0.0)


def _stations(ledger: Ledger, settings: Settings, dead: Collection[str], notes: list[str]) -> list[StationStands]:
    """The stations of the settings, and those of the newest extract."""
    extracts = ledger_counts.last_extracts(ledger, settings.stations, dead)
    hours, said, there = _hours(settings, notes), ledger.stations(), {*settings.stations, *extracts}
    stations = []
    for station_id in sorted(there):
        extract = extracts.get(station_id)
        known = settings.station(station_id, said[station_id]) if station_id in said else None
        newest, count = (None, None) if hours is None else hours.get(station_id, (None, 0))
        stations.append(
            StationStands(
                station_id=station_id,
                name=None if known is None else known.name,
                state=None if extract is None else extract.state,
                duration_s=None if extract is None else extract.duration_s,
                message="" if extract is None else extract.message,
                newest_hour=newest,
                hours_of_24=count,
            )
        )
    return stations


def _hours(settings: Settings, notes: list[str]) -> dict[int, tuple[datetime, int]] | None:
    """Each station's newest hour, and how many it has of the 24 that ended last, by the newest files of the table."""
    lake = Lake(settings.data_dir)
    last = hour_of(settings.clock())
    paths = [lake.path(HOURLY, part) for part in lake.parts(HOURLY)[-NEWEST_FILES:]]
    recent = pl.col("hour").is_between(last - HOURS_SHOWN * HOUR, last, closed="left")
    try:
        tables = [pl.scan_parquet(path, glob=False).select("station_id", "hour") for path in paths]
        if not tables:
            return {}
        rows = (
            pl.concat(tables).group_by("station_id").agg(pl.col("hour").max(), recent.sum().alias("recent")).collect()
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).partition("\n")[0]
        notes.append(f"the hourly table cannot be read ({reason}); `airq-etl transform --rebuild` makes it again")
        return None
    return {station_id: (newest, count) for station_id, newest, count in rows.iter_rows()}


def _findings(ledger: Ledger) -> dict[str, int]:
    there = Counter(known.finding.severity for known in open_findings(ledger))
    return {severity: there[severity] for severity in SEVERITIES}


def _disk(settings: Settings) -> Disk:
    root = settings.data_dir
    return Disk(
        captures=_size((root / "captures").rglob("*.gz")),
        tables=sum(_size((root / table.name).glob("*.parquet")) for table in (*TABLES, *FORECAST_TABLES)),
        store=_size(root.glob(f"{EMBEDDED}*")) if settings.mongodb_uri is None else None,
        ledger=_size(root.glob(f"{FILE}*")),
        free=shutil.disk_usage(root).free,
    )


def _size(paths: Iterator[Path]) -> int:
    """The bytes of these files; one that goes meanwhile has none."""
    size = 0
    for path in paths:
        try:
            size += path.stat().st_size
        except OSError:
            continue
    return size
