"""What the ledger says of many runs at once, counted by SQLite: a year of hourly runs is 8,760 of them."""

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from airq_etl.ledger import Ledger
from airq_etl.ledger_runs import IS_UNFINISHED
from airq_etl.runs import INTERRUPTED, UNFINISHED, State, StationRecord

LATEST = 24  # runs, a day of them


def unfinished(ledger: Ledger) -> set[str]:
    """The ids of runs that the ledger has as at work; of several, or without a holder of the lock, some are dead."""
    return {run_id for (run_id,) in ledger.rows(f"select run_id from runs where {IS_UNFINISHED}")}  # noqa: S608


def states_since(ledger: Ledger, command: str, since: datetime, dead: Collection[str] = ()) -> dict[State, int]:
    """How many runs of a command began since then, by state; those of `dead` count as failed."""
    query = (
        "select case when run_id in (select value from json_each(?3)) then 'FAILED' else state end as now_is, count(*)"
        " from runs where command = ?1 and started_at >= ?2 group by now_is order by now_is"
    )
    return dict(ledger.rows(query, [command, since.astimezone(UTC).isoformat(), json.dumps(sorted(dead))]))


def latest_starts(ledger: Ledger, command: str) -> list[datetime]:
    """When the last runs of a command began (UTC), the newest first."""
    query = "select started_at from runs where command = ? order by rowid desc limit ?"
    return [datetime.fromisoformat(when) for (when,) in ledger.rows(query, [command, LATEST])]


def latest_ids(ledger: Ledger, beginning: str = "", limit: int = 5) -> list[str]:
    """The ids of the last runs of any command (that begin so), the newest first."""
    query = "select run_id from runs where substr(run_id, 1, length(?1)) = ?1 order by rowid desc limit ?2"
    return [run_id for (run_id,) in ledger.rows(query, [beginning, limit])]


def last_extracts(ledger: Ledger, stations: Iterable[int], dead: Collection[str] = ()) -> dict[int, StationRecord]:
    """What the last extract that was about a station did for it, of these stations and of those of the newest one.

    Only the extracts of the last day are looked at. What one of `dead` had not ended was interrupted.
    """
    wanted, found = set(stations), dict[int, StationRecord]()
    query = "select run_id from steps where step = 'extract' order by rowid desc limit ?"
    for (run_id,) in ledger.rows(query, [LATEST]):
        rows = ledger.rows(
            "select station_id, state, duration_s, message from station_steps where run_id = ? and step = 'extract'",
            [run_id],
        )
        records = [_record(row, interrupted=run_id in dead) for row in rows]
        found = {s.station_id: s for s in records if not found or s.station_id in wanted} | found
        if found and found.keys() >= wanted:
            break
    return found


def _record(row: tuple[int, State, float | None, str], *, interrupted: bool) -> StationRecord:
    station_id, state, duration_s, message = row
    if interrupted and state in UNFINISHED:
        state, message = ("SKIPPED", "") if state == "PENDING" else ("FAILED", INTERRUPTED)
    return StationRecord(station_id=station_id, state=state, duration_s=duration_s, message=message)
