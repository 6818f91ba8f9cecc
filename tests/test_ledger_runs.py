"""The ledger's record of runs."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from airq_etl import ledger_runs
from airq_etl.ledger import FILE, Ledger
from airq_etl.ledger_runs import bad_runs, failures, last_success, run_of, runs, to_mirror, usual_rows, usual_s
from airq_etl.open_alerts import alerts_since, record, record_past
from airq_etl.runs import STEPS, RunRecord, State, StationRecord, StepRecord
from airq_etl.watch import Alert
from tests.frames import hour

# What a ledger of layout 3 had of runs.
LAYOUT_3 = """
create table runs (
    run_id text primary key, command text not null, started_at text not null, ended_at text,
    state text not null, exit_code integer, message text, pid integer not null, version text not null);
create table steps (
    run_id text not null, step text not null, started_at text not null, ended_at text, state text not null,
    message text, counts text, primary key (run_id, step));
insert into runs values (
    'old', 'run', '2024-09-08T10:20:00+00:00', '2024-09-08T10:20:05+00:00', 'SUCCESS', 0, '', 1, '0');
insert into steps values ('old', 'extract', '2024-09-08T10:20:00+00:00', null, 'SUCCESS', '', '{"requests": 2}');
pragma user_version = 3;
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path) as opened:
        yield opened


class Recorder:
    """Records runs an hour apart."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.numbers = itertools.count(1)
        self.station_rows = ledger_runs.STATION_ROWS_KEPT

    def start(self, *steps: str) -> RunRecord:
        number = next(self.numbers)
        run = RunRecord(
            run_id=f"{number:08x}", command="run", state="RUNNING", started_at=hour(number), pid=number, version="0"
        )
        with self.ledger.transaction() as db:
            ledger_runs.start(db, run, steps, station_rows=self.station_rows)
        return run

    def step(self, run: RunRecord, step: str, state: State, **fields: object) -> None:
        with self.ledger.transaction() as db:
            record = msgspec.structs.replace(StepRecord(step=step, state=state), **fields)
            ledger_runs.record_step(db, run.run_id, record)

    def end(self, run: RunRecord, state: State, took_s: float = 1.0) -> None:
        ended_at = run.started_at + timedelta(seconds=took_s)
        with self.ledger.transaction() as db:
            ended = msgspec.structs.replace(run, state=state, ended_at=ended_at, duration_s=took_s, exit_code=0)
            ledger_runs.end(db, ended)

    def whole(self, state: State = "SUCCESS", took_s: float = 1.0, **stations: State) -> RunRecord:
        run = self.start(*STEPS)
        records = [StationRecord(station_id=int(name[1:]), state=its) for name, its in stations.items()]
        self.step(run, "extract", state, duration_s=took_s / 2, stations=records)
        self.step(run, "transform", state, duration_s=took_s / 4, counts={"rows_read": 49})
        self.end(run, state, took_s)
        return run


@pytest.fixture
def recorder(ledger: Ledger) -> Recorder:
    return Recorder(ledger)


def states(ledger: Ledger, run: RunRecord) -> dict[str, State]:
    found = run_of(ledger, run.run_id)
    assert found is not None
    return {"run": found.state} | {step.step: step.state for step in found.steps}


def test_steps_to_come_are_pending(ledger: Ledger, recorder: Recorder) -> None:
    """A run that begins has its steps before it, in their order."""
    run = recorder.start(*STEPS)
    assert states(ledger, run) == {"run": "RUNNING"} | dict.fromkeys(STEPS, "PENDING")
    recorder.step(run, "extract", "RUNNING")
    recorder.step(run, "extract", "SUCCESS")
    assert states(ledger, run) == {"run": "RUNNING"} | dict.fromkeys(STEPS, "PENDING") | {"extract": "SUCCESS"}


def test_steps_that_did_not_come_are_skipped(ledger: Ledger, recorder: Recorder) -> None:
    """What was waiting when the run ended was skipped; what was at work ended as the run did."""
    run = recorder.start(*STEPS)
    recorder.step(run, "extract", "SUCCESS")
    recorder.step(run, "transform", "RUNNING")
    recorder.end(run, "CANCELLED")
    assert list(states(ledger, run).values()) == ["CANCELLED", "SUCCESS", "CANCELLED", *["SKIPPED"] * 3]


def test_a_run_whose_process_died_was_interrupted(ledger: Ledger, recorder: Recorder) -> None:
    """The next run finds it RUNNING, and records it as FAILED, with what it was at."""
    stations = [StationRecord(station_id=7, state="RETRY"), StationRecord(station_id=8, state="PENDING")]
    dead = recorder.start(*STEPS)
    recorder.step(dead, "extract", "RUNNING", stations=stations)
    before = run_of(ledger, dead.run_id)
    assert before is not None
    recorder.start(*STEPS)
    found = run_of(ledger, dead.run_id)
    assert found is not None
    assert (found.state, found.message) == ("FAILED", "interrupted")
    assert [step.state for step in found.steps] == ["FAILED", *["SKIPPED"] * 4]
    assert [(s.station_id, s.state) for s in found.steps[0].stations] == [(7, "FAILED"), (8, "SKIPPED")]
    # Who looks before the next run sees the same.
    seen = before.as_dead()
    assert [seen.state, *(step.state for step in seen.steps)] == [found.state, *(step.state for step in found.steps)]
    assert [s.state for s in seen.steps[0].stations] == ["FAILED", "SKIPPED"]


def test_a_final_state_stays(ledger: Ledger, recorder: Recorder) -> None:
    """Nothing that ended is written over."""
    run = recorder.whole("FAILED")
    recorder.end(run, "SUCCESS")
    recorder.step(run, "extract", "RUNNING")
    assert states(ledger, run)["run"] == "FAILED"
    assert states(ledger, run)["extract"] == "FAILED"


def test_what_is_usual(ledger: Ledger, recorder: Recorder) -> None:
    """The mean of the last thirty good runs before a run; fewer than five say nothing."""
    for _ in range(4):
        recorder.whole(took_s=10)
    assert usual_s(ledger, "run") is None
    for _ in range(30):
        recorder.whole(took_s=2)
    recorder.whole("FAILED", took_s=99)
    slow = recorder.whole(took_s=62)
    assert usual_s(ledger, "run", before=slow.run_id) == 2
    assert usual_s(ledger, "run") == 4
    assert usual_s(ledger, "run", "extract", before=slow.run_id) == 1
    assert usual_s(ledger, "run", "load") is None
    assert usual_s(ledger, "load") is None
    assert usual_rows(ledger, "run") == 49


def test_good_and_bad_runs(ledger: Ledger, recorder: Recorder) -> None:
    """A run that stored what came is good, if one station failed; bad ones count from the last good one on."""
    assert (last_success(ledger, "run"), bad_runs(ledger, "run")) == (None, [])
    good = recorder.whole("PARTIAL")
    first, second = recorder.whole("FAILED"), recorder.whole("FAILED")
    recorder.whole("CANCELLED")
    assert bad_runs(ledger, "run") == [second.started_at, first.started_at]
    assert last_success(ledger, "run") == good.started_at + timedelta(seconds=1)
    assert last_success(ledger, "run", before=good.run_id) is None
    good = recorder.whole()
    assert bad_runs(ledger, "run") == []
    assert bad_runs(ledger, "run", until=good.run_id) == [second.started_at, first.started_at]


def test_failures_of_a_station_in_a_row(ledger: Ledger, recorder: Recorder) -> None:
    """They count from the last run that had an answer of the station."""
    recorder.whole("PARTIAL", s7="SUCCESS", s8="FAILED")
    recorder.whole(s7="SUCCESS", s8="SUCCESS")
    first = recorder.whole("PARTIAL", s7="SUCCESS", s8="FAILED")
    recorder.whole("PARTIAL", s7="SUCCESS", s8="FAILED")
    assert failures(ledger, "run") == {8: (2, first.started_at)}


def test_failures_on_both_sides_of_a_run_that_died(ledger: Ledger, recorder: Recorder) -> None:
    """What died or was stopped before it had an answer neither ends the row nor is one of it."""
    first = recorder.whole("PARTIAL", s7="SUCCESS", s8="FAILED")
    dead = recorder.start(*STEPS)
    at_work = [StationRecord(station_id=7, state="RETRY"), StationRecord(station_id=8, state="PENDING")]
    recorder.step(dead, "extract", "RUNNING", stations=at_work)
    stopped = recorder.start(*STEPS)
    recorder.step(stopped, "extract", "RUNNING", stations=at_work)
    recorder.end(stopped, "CANCELLED")
    assert failures(ledger, "run") == {8: (1, first.started_at)}
    recorder.whole("PARTIAL", s7="FAILED", s8="FAILED")
    assert {station: count for station, (count, _) in failures(ledger, "run").items()} == {7: 1, 8: 2}


def test_runs_are_found_by_the_beginning_of_their_id(ledger: Ledger, recorder: Recorder) -> None:
    """A beginning that two share names neither."""
    recorder.whole()
    run = recorder.whole(s7="SUCCESS")
    assert run_of(ledger, "0000000") is None
    assert run_of(ledger, "") is None
    assert run_of(ledger, "%") is None
    found = run_of(ledger, run.run_id[:8])
    assert found is not None
    assert [s.station_id for s in found.steps[0].stations] == [7]
    assert [r.run_id for r in runs(ledger, limit=1)] == [run.run_id]
    assert [r.run_id for r in runs(ledger, since=run.started_at)] == [run.run_id]


def test_what_a_store_was_not_told(ledger: Ledger, recorder: Recorder) -> None:
    """A store is told of each run that has ended once; another store of all of them."""
    ended = recorder.whole()
    recorder.start()
    assert [run.run_id for run in to_mirror(ledger, "a")] == [ended.run_id]
    with ledger.transaction() as db:
        ledger_runs.mark_mirrored(db, [ended.run_id], "a")
    assert to_mirror(ledger, "a") == []
    assert [run.run_id for run in to_mirror(ledger, "b")] == [ended.run_id]


def test_old_runs_are_forgotten(ledger: Ledger, recorder: Recorder) -> None:
    """Runs and alerts are kept for 400 days, but for what is open; what was done for each station as there is room."""
    few = Alert(kind="few-records", severity="warning", since=hour(0), sentence="few", action="see", station_id=7)
    record_past(ledger, few, now=hour(0), run_id="x", telling=False)
    record(ledger, [msgspec.structs.replace(few, station_id=8)], lambda _: False, now=hour(0), run_id="x")
    recorder.station_rows = 5
    many = [recorder.whole(s7="SUCCESS", s8="SUCCESS") for _ in range(5)]
    recorder.start()
    kept = [found for run in many if (found := run_of(ledger, run.run_id))]
    assert [len(run.steps[0].stations) for run in kept] == [0, 0, 0, 2, 2]
    recorder.numbers = itertools.count(401 * 24)
    recorder.start()
    assert [run.started_at for run in runs(ledger)] == [hour(401 * 24)]
    for table in ("steps", "station_steps"):
        assert ledger.rows(f"select count(*) from {table}") == [(0,)]  # noqa: S608
    assert [one.alert.station_id for one in alerts_since(ledger, hour(0))] == [8]


def test_a_ledger_of_the_last_layout(tmp_path: Path) -> None:
    """Its runs are kept, and it takes new ones."""
    with closing(sqlite3.connect(tmp_path / FILE)) as old:
        old.executescript(LAYOUT_3)
    with Ledger(tmp_path) as ledger:
        (found,) = runs(ledger)
        assert (found.run_id, found.state, found.duration_s, found.host) == ("old", "SUCCESS", None, None)
        assert found.steps == [
            StepRecord(
                step="extract",
                state="SUCCESS",
                started_at=datetime.fromisoformat("2024-09-08T10:20:00+00:00"),
                counts={"requests": 2},
            )
        ]
        recorder = Recorder(ledger)
        run = recorder.whole(s7="SUCCESS")
        assert states(ledger, run)["extract"] == "SUCCESS"
    with Ledger(tmp_path) as ledger:
        assert len(runs(ledger)) == 2
