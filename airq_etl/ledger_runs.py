"""The ledger's record of runs: written as they go on, read by status, alerts and metrics.

A state that is final stays: only what is PENDING, RUNNING or RETRY takes another.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from airq_etl.ledger import Ledger, text
from airq_etl.runs import INTERRUPTED, UNFINISHED, RunRecord, State, StationRecord, StepRecord

KEPT = timedelta(days=400)
STATION_ROWS_KEPT = 200_000  # of two stations for ever, of a thousand for four days of hourly runs
GOOD = "state in ('SUCCESS', 'PARTIAL')"  # what came is stored; a station of a thousand often fails
_OF_STEP = f"steps.run_id = runs.run_id and steps.{GOOD} and step = ?4"
USUAL_OF = 30  # good runs that make what is usual
USUAL_LEAST = 5  # fewer say nothing

# By number of the run: times may go back. Of the columns, SQLite takes those of the row that has the least number.
_FAILURES = """
with asked as (
    select station_id, its.state, started_at, runs.rowid as number from runs join station_steps as its using (run_id)
    where command = ? and step = 'extract' and its.state in ('SUCCESS', 'FAILED') and its.message <> ?),
answered as (select station_id, max(number) as last from asked where state = 'SUCCESS' group by station_id)
select station_id, count(*), started_at, min(number) from asked left join answered using (station_id)
where state = 'FAILED' and number > coalesce(last, 0) group by station_id
"""

IS_UNFINISHED = f"state in ({', '.join(repr(state) for state in UNFINISHED)})"
_RUN = (
    *("run_id", "command", "state", "started_at", "ended_at", "duration_s", "exit_code", "message"),
    *("pid", "host", "version", "settings"),
)
_STEP = ("step", "state", "started_at", "ended_at", "duration_s", "message", "counts")
_STATION = ("station_id", "state", "duration_s", "message", "counts")
_TABLES = {"runs": RunRecord, "steps": StepRecord, "station_steps": StationRecord}


def start(
    db: sqlite3.Connection, run: RunRecord, steps: Sequence[str], *, station_rows: int = STATION_ROWS_KEPT
) -> None:
    """Record that a run has begun, and which steps are to come; one still said to be running was interrupted.

    Only while holding the lock. Of what runs did for each station at most so many rows are kept.
    """
    unfinished = f"select run_id from runs where {IS_UNFINISHED}"  # noqa: S608
    for (run_id,) in db.execute(unfinished).fetchall():
        _conclude(db, run_id, "FAILED", INTERRUPTED)
    _write(db, "runs", run, ("run_id",), {})
    for step in steps:
        _write(db, "steps", StepRecord(step=step, state="PENDING"), ("run_id", "step"), {"run_id": run.run_id})
    _forget(db, run.started_at, station_rows)


def end(db: sqlite3.Connection, run: RunRecord) -> None:
    """Record how a run ended; its steps that were still to come are skipped."""
    _write(db, "runs", run, ("run_id",), {})
    _conclude(db, run.run_id, run.state, run.message)


def record_step(db: sqlite3.Connection, run_id: str, step: StepRecord) -> None:
    """Record a step of a run, and its stations, in place of what was said of them before."""
    _write(db, "steps", step, ("run_id", "step"), {"run_id": run_id})
    record_stations(db, run_id, step.step, step.stations)


def record_stations(db: sqlite3.Connection, run_id: str, step: str, stations: Iterable[StationRecord]) -> None:
    """Record how far a step is with some stations."""
    for station in stations:
        _write(db, "station_steps", station, ("run_id", "step", "station_id"), {"run_id": run_id, "step": step})


def runs(ledger: Ledger, command: str | None = None, since: datetime | None = None, limit: int = -1) -> list[RunRecord]:
    """Runs with their steps (of a command; begun at `since` or later), the newest first."""
    where = "(?1 is null or command = ?1) and (?2 is null or started_at >= ?2) order by rowid desc limit ?3"
    found = _read(ledger, "runs", where, [command, text(since), limit])
    return [_with_steps(ledger, run) for run in found]


def run_of(ledger: Ledger, run_id: str) -> RunRecord | None:
    """One run, by its id or the beginning of it where that is clear, with the steps and what these did for stations."""
    found = _read(ledger, "runs", "substr(run_id, 1, length(?1)) = ?1 limit 2", [run_id])
    if len(found) != 1 or not run_id:
        return None
    run = _with_steps(ledger, found[0])
    for step in run.steps:
        where = "run_id = ? and step = ? order by station_id"
        step.stations = _read(ledger, "station_steps", where, [run.run_id, step.step])
    return run


def usual_s(ledger: Ledger, command: str, step: str | None = None, before: str | None = None) -> float | None:
    """How long the last 30 good runs of a command (or a step of them) took on average, in seconds.

    Those that began after the run `before` (itself included) are left out. None where there are fewer than five.
    """
    if step is None:
        return _usual(ledger, "duration_s", "runs", command, before)
    return _usual(ledger, "steps.duration_s", f"runs join steps on {_OF_STEP}", command, before, step)


def usual_rows(ledger: Ledger, command: str, before: str | None = None) -> float | None:
    """How many rows of answers these runs worked in on average; see `usual_s`."""
    source = f"runs join steps on {_OF_STEP}"
    return _usual(ledger, "json_extract(counts, '$.rows_read')", source, command, before, "transform")


def _usual(ledger: Ledger, what: str, source: str, command: str, before: str | None, *more: str) -> float | None:
    query = (
        f"select {what} from {source} where command = ?1 and runs.{GOOD}"  # noqa: S608
        " and (?2 is null or runs.rowid < (select rowid from runs where run_id = ?2)) order by runs.rowid desc limit ?3"
    )
    found = [value for (value,) in ledger.rows(query, [command, before, USUAL_OF, *more]) if value is not None]
    return sum(found) / len(found) if len(found) >= USUAL_LEAST else None


def last_success(ledger: Ledger, command: str, before: str | None = None) -> datetime | None:
    """When the last good run of a command ended (that began before the run `before`)."""
    query = (
        f"select ended_at from runs where command = ?1 and {GOOD}"  # noqa: S608
        " and (?2 is null or rowid < (select rowid from runs where run_id = ?2)) order by rowid desc limit 1"
    )
    rows = ledger.rows(query, [command, before])
    return None if not rows or rows[0][0] is None else datetime.fromisoformat(rows[0][0])


def first_run(ledger: Ledger, command: str) -> datetime | None:
    """When the first run of a command began that is still recorded."""
    ((when,),) = ledger.rows("select min(started_at) from runs where command = ?", [command])
    return None if when is None else datetime.fromisoformat(when)


def bad_runs(ledger: Ledger, command: str, until: str | None = None) -> list[datetime]:
    """When each run of a command began that failed after the last good one, newest first.

    With `until`, a run, those up to it that came after the last good one before it.
    """
    its_row = "select rowid from runs where run_id = ?2"
    last_good = f"select max(rowid) from runs where command = ?1 and {GOOD} and (?2 is null or rowid < ({its_row}))"  # noqa: S608
    rows = ledger.rows(
        f"select started_at from runs where command = ?1 and state = 'FAILED' and rowid > coalesce(({last_good}), 0)"  # noqa: S608
        f" and (?2 is null or rowid <= ({its_row})) order by rowid desc",
        [command, until],
    )
    return [datetime.fromisoformat(when) for (when,) in rows]


def last_bad_message(ledger: Ledger, command: str, until: str) -> str:
    """What failed in the newest of `bad_runs`; empty where there is none."""
    rows = ledger.rows(
        "select message from runs where command = ?1 and state = 'FAILED'"
        " and rowid <= (select rowid from runs where run_id = ?2) order by rowid desc limit 1",
        [command, until],
    )
    return (rows[0][0] or "") if rows else ""


def failures(ledger: Ledger, command: str) -> dict[int, tuple[int, datetime]]:
    """Of each station that failed when it was last asked: in how many runs in a row, and when the first of these began.

    A run that was stopped or died before it had an answer, or none, says nothing of the station.
    """
    rows = ledger.rows(_FAILURES, [command, INTERRUPTED])
    return {station_id: (count, datetime.fromisoformat(began)) for station_id, count, began, _ in rows}


def to_mirror(ledger: Ledger, store: str, limit: int = 1000) -> list[RunRecord]:
    """Runs that have ended and that this store has not been told of, the oldest first."""
    where = f"not {IS_UNFINISHED} and mirrored_to is not ? order by rowid limit ?"
    return [_with_steps(ledger, run) for run in _read(ledger, "runs", where, [store, limit])]


def mark_mirrored(db: sqlite3.Connection, run_ids: Iterable[str], store: str) -> None:
    """Record that a store has been told of these runs."""
    db.executemany("update runs set mirrored_to = ? where run_id = ?", ([store, run_id] for run_id in run_ids))


def _with_steps(ledger: Ledger, run: RunRecord) -> RunRecord:
    run.steps = _read(ledger, "steps", "run_id = ? order by rowid", [run.run_id])
    return run


def _read(ledger: Ledger, table: str, where: str, values: Sequence[Any]) -> list[Any]:
    names = {"runs": _RUN, "steps": _STEP, "station_steps": _STATION}[table]
    rows = ledger.rows(f"select {', '.join(names)} from {table} where {where}", values)  # noqa: S608
    return [msgspec.convert(_typed(dict(zip(names, row, strict=True))), _TABLES[table]) for row in rows]


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    if "counts" in row:
        row["counts"] = msgspec.json.decode(row["counts"] or "{}")
    row["message"] = row["message"] or ""
    return row


def _write(
    db: sqlite3.Connection, table: str, record: msgspec.Struct, key: Sequence[str], more: Mapping[str, Any]
) -> None:
    """Insert a record, or put it in place of one whose state is not final."""
    row = dict(more) | {
        name: _plain(value)
        for name, value in msgspec.structs.asdict(record).items()
        if name not in {"steps", "stations"}
    }
    changes = ", ".join(f"{name} = excluded.{name}" for name in row if name not in key)
    db.execute(
        f"insert into {table} ({', '.join(row)}) values ({', '.join(f':{name}' for name in row)})"  # noqa: S608
        f" on conflict ({', '.join(key)}) do update set {changes} where {table}.{IS_UNFINISHED}",
        row,
    )


def _conclude(db: sqlite3.Connection, run_id: str, at_work: State, message: str) -> None:
    """Give what of a run has not ended its last state: what was `at_work` that one, what was waiting SKIPPED."""
    for table in ("runs", "steps", "station_steps"):
        changes = (("PENDING", "SKIPPED", ""), ("RUNNING", at_work, message), ("RETRY", at_work, message))
        db.executemany(
            f"update {table} set state = ?3, message = ?4 where run_id = ?1 and state = ?2",  # noqa: S608
            ([run_id, before, after, said] for before, after, said in changes),
        )


def _forget(db: sqlite3.Connection, now: datetime, station_rows: int) -> None:
    """Forget old runs and alerts, and of runs that are kept what they did for each station, where that is too much."""
    db.execute("delete from alerts where cleared_at < ?", [text(now - KEPT)])
    old = "select run_id from runs where started_at < ?"
    for table in ("station_steps", "steps", "runs"):
        db.execute(f"delete from {table} where run_id in ({old})", [text(now - KEPT)])  # noqa: S608
    (rows,) = db.execute("select count(*) from station_steps").fetchone()
    if rows <= station_rows:
        return
    kept = 0
    for run_id, count in db.execute(
        "select runs.run_id, count(*) from runs join station_steps using (run_id)"
        " group by runs.run_id order by runs.rowid desc"
    ).fetchall():
        kept += count
        if kept > station_rows:
            db.execute("delete from station_steps where run_id = ?", [run_id])


def _plain(value: Any) -> Any:  # noqa: ANN401 -- whatever a record holds
    if isinstance(value, datetime):
        return text(value)
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value
