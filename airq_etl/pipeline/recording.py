"""How a run and its steps stand in the ledger, whatever becomes of them."""

import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from airq_etl import __version__, ledger_runs, logs
from airq_etl.errors import AirqError, PartialError, StoreError
from airq_etl.ledger import Ledger
from airq_etl.pipeline.signals import Interruption, interrupted_as_such
from airq_etl.results import Problem, Result
from airq_etl.runs import OF_A_STATION, RunRecord, State, StationRecord, StepRecord
from airq_etl.settings import Settings


class Recorded(Protocol):
    """A job as far as its record goes."""

    @property
    def settings(self) -> Settings:
        """Which say what time it is."""

    @property
    def ledger(self) -> Ledger:
        """Where it is recorded."""

    @property
    def result(self) -> Result:
        """What it did so far."""


@contextmanager
def recorded(ledger: Ledger, settings: Settings, result: Result, steps: Sequence[str]) -> Iterator[None]:
    """Record that a run begins, and how the run in the block ends."""
    began = time.monotonic()
    run = RunRecord(
        run_id=result.run_id,
        command=result.command,
        state="RUNNING",
        started_at=result.started_at,
        pid=os.getpid(),
        host=platform.node(),
        version=__version__,
        settings=settings.fingerprint(),
    )
    with ledger.transaction() as db:
        ledger_runs.start(db, run, steps)
    logs.event("run-started", f"{run.command} {run.run_id}", run.state)

    def end(state: State, message: str) -> None:
        result.ended_at, result.duration_s = _ending(settings), _seconds_since(began)
        run.state, run.message, run.exit_code = state, message, result.exit_code
        run.ended_at, run.duration_s = result.ended_at, result.duration_s
        name = f"{run.command} {run.run_id}"
        logs.event("run-ended", name, state, run.duration_s, exit_code=result.exit_code, error=message)
        with ledger.transaction() as db:
            ledger_runs.end(db, run)

    try:
        yield
    except AirqError as error:
        result.exit_code = error.exit_code
        end("FAILED", logs.REDACTION.hide(str(error)))
        raise
    except Interruption as interruption:
        result.exit_code = interruption.error.exit_code
        end(interruption.state, str(interruption.error))
        raise
    except BaseException as error:
        result.exit_code = 1
        end("FAILED", type(error).__name__)
        raise
    result.exit_code = worst(result.problems)
    states: dict[int, State] = {0: "SUCCESS", 3: "PARTIAL"}
    try:
        end(states.get(result.exit_code, "FAILED"), _joined(result.problems))
    except StoreError as error:
        # On a full disk the step that failed has said so already.
        if str(error) not in {problem.message for problem in result.problems}:
            raise


@contextmanager
def step(work: Recorded, name: str) -> Iterator[dict[str, int]]:
    """Record a step of the run; the block fills in what it counted, beside what it counted for each station."""
    counts: dict[str, int] = {}
    began, record = time.monotonic(), StepRecord(step=name, state="RUNNING", started_at=_ending(work.settings))
    problems = len(work.result.problems)
    _record(work, record)

    def end(state: State, message: str) -> None:
        record.state, record.message = state, message
        record.ended_at, record.duration_s = _ending(work.settings), _seconds_since(began)
        logs.event("step-ended", name, state, record.duration_s, step=name)
        record.stations = _station_records(work.result, name)
        totals = {key: sum(s.counts[key] for s in record.stations) for key in OF_A_STATION.get(name, ())}
        record.counts = totals | counts
        _record(work, record)

    try:
        with interrupted_as_such():
            yield counts
    except AirqError as error:
        end("FAILED", logs.REDACTION.hide(str(error)))
        raise
    except Interruption as interruption:
        end(interruption.state, str(interruption.error))
        raise
    except BaseException as error:
        end("FAILED", type(error).__name__)
        raise
    failed = work.result.problems[problems:]
    end(_state_of(failed), _joined(failed))


def _record(work: Recorded, record: StepRecord) -> None:
    with work.ledger.transaction() as db:
        ledger_runs.record_step(db, work.result.run_id, record)


def _station_records(result: Result, step: str) -> list[StationRecord]:
    """What a step that has ended did for each station."""
    names = OF_A_STATION.get(step)
    if names is None:
        return []
    asking = step == "extract"
    return [
        StationRecord(
            station_id=station.station_id,
            state="FAILED" if asking and station.error else "SUCCESS",
            duration_s=station.asking_s if asking else None,
            message=(station.error or "") if asking else "",
            counts={name: getattr(station, name) for name in names},
        )
        for station in result.stations
    ]


def _state_of(problems: Sequence[Problem]) -> State:
    """What a step with these problems is: failed where nothing was had of it."""
    if not problems:
        return "SUCCESS"
    return "PARTIAL" if worst(problems) == PartialError.exit_code else "FAILED"


def _joined(problems: Sequence[Problem]) -> str:
    return "; ".join(problem.message for problem in problems)[:1000]


def _seconds_since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def worst(problems: Sequence[Problem]) -> int:
    """The exit code of a command with these problems: that of the store, then of the source, else partial."""
    codes = {problem.exit_code for problem in problems}
    return next((code for code in (7, 6, 5) if code in codes), max(codes, default=0))


def _ending(settings: Settings) -> datetime:
    return settings.now or datetime.now(UTC)
