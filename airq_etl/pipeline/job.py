"""What every step works with, and the frame around it: data directory, lock, ledger, signals, record."""

import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from airq_etl import __version__, captures, lock, logs
from airq_etl.errors import AirqError, StoppedError, StoreError
from airq_etl.lake import Lake, private
from airq_etl.ledger import Ledger
from airq_etl.results import Problem, Result
from airq_etl.settings import Settings
from airq_etl.stations import Rules

log = logging.getLogger(__name__)

MOST_NAMED = 5
GRACE_S = 5.0  # beyond the deadline, for what is nearly done
LATE = "the run did not end before its deadline (AIRQ_RUN_DEADLINE_S); the next one takes up what is left"


class Job(NamedTuple):
    """One command at work: `deadline` is a time of `time.monotonic`."""

    settings: Settings
    lake: Lake
    ledger: Ledger
    result: Result
    deadline: float

    @property
    def now(self) -> datetime:
        """When the job began, or what it pretends."""
        return self.result.started_at

    def seconds_left(self) -> float:
        """Until the deadline; at least one, so that what is nearly done can end."""
        return max(self.deadline - time.monotonic(), 1.0)

    def zones(self, stations: Iterable[int]) -> dict[int, str]:
        """The time zone of each station."""
        return {station_id: self.settings.zone(station_id) for station_id in stations}

    def rules(self, stations: Iterable[int]) -> Rules:
        """What makes a day, and a mean, of these stations."""
        return self.settings.rules(stations)

    def fail(self, error: AirqError, stations: Sequence[int] = ()) -> None:
        """Note that something failed, for these stations or by itself, while the rest goes on."""
        where = f"{_named(stations)}: " if stations else ""
        message = logs.REDACTION.hide(str(error))
        self.result.problems.append(Problem(f"{where}{message}", error.exit_code))
        for station_id in stations:
            self.result.station(station_id).error = message
        log.error("%s%s", where, message)


def _named(stations: Sequence[int]) -> str:
    if len(stations) == 1:
        return f"station {stations[0]}"
    more = f" and {len(stations) - MOST_NAMED} more" if len(stations) > MOST_NAMED else ""
    return f"stations {', '.join(map(str, stations[:MOST_NAMED]))}{more}"


class _Interruption(KeyboardInterrupt):
    """Raised by a handler: asyncio lets a KeyboardInterrupt through, and nothing catches one by accident."""

    def __init__(self, error: AirqError, state: str) -> None:
        super().__init__()
        self.error = error
        self.state = state


@contextmanager
def job(settings: Settings, result: Result, *, bounded: bool = False) -> Iterator[Job]:
    """A job under lock, recorded in the ledger whatever becomes of it; `bounded` by the run's deadline.

    `result` is a new one, as `begun` makes it; the job fills it in.
    """
    lake = Lake(settings.data_dir)
    deadline = time.monotonic() + settings.run_deadline_s
    with stoppable(settings.run_deadline_s + GRACE_S if bounded else None), private():
        lake.open()
        with lock.hold(lake.root, result.command, result.started_at), Ledger(lake.root) as ledger:
            _clear_up(lake)
            ledger.know_its_place()
            ledger.start_run(result.run_id, result.command, result.started_at, os.getpid(), __version__)
            with recorded(ledger, settings, result):
                yield Job(settings, lake, ledger, result, deadline)


def begun(settings: Settings, command: str) -> Result:
    """The result of a command that begins now."""
    return Result(command=command, run_id=secrets.token_hex(4), started_at=settings.clock())


def _clear_up(lake: Lake) -> None:
    """Take in hand what an interrupted run left: its answers are kept, all else is swept."""
    try:
        for kept in captures.salvage(lake):
            log.info("a run was interrupted while it fetched; its answers are kept in %s", kept)
        lake.sweep()
    except OSError as error:
        raise StoreError(f"{lake.temporary} cannot be cleared up: {error.strerror}") from error


def unbounded() -> None:
    """Let the job go on beyond its deadline: it does what would have to be begun anew."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def stoppable(limit_s: float | None = None) -> Iterator[None]:
    """SIGTERM and SIGINT end the block with StoppedError; a second one is not heard while it ends.

    So does the bell (SIGALRM, where there is one) after `limit_s` seconds, with StoreError: whatever the block
    waits for by then, a disk or a pipe that nobody reads, would hold the lock for ever. It rings again while the
    block ends, which may run into the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    # A shell starts what runs in its background deaf to SIGINT, and so it stays.
    signals = [heard for heard in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(heard) is not signal.SIG_IGN]
    before = {heard: signal.signal(heard, _stop) for heard in signals}
    bell_s = limit_s if hasattr(signal, "setitimer") else None
    if bell_s is not None:
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, bell_s, GRACE_S)
    try:
        yield
    except _Interruption as interruption:
        raise interruption.error from None
    finally:
        if bell_s is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for heard, handler in before.items():
            signal.signal(heard, handler)


def _stop(number: int, _frame: object) -> None:
    for heard in (signal.SIGTERM, signal.SIGINT):
        signal.signal(heard, signal.SIG_IGN)
    raise _Interruption(StoppedError(number), "CANCELLED")


def _ring(_number: int, _frame: object) -> None:
    raise _Interruption(StoreError(LATE), "FAILED")


@contextmanager
def recorded(ledger: Ledger, settings: Settings, result: Result) -> Iterator[None]:
    """Record how the run in the block ends."""

    def end(state: str, message: str) -> None:
        result.ended_at = _ending(settings)
        ledger.end_run(result.run_id, result.ended_at, state, result.exit_code, message)

    try:
        yield
    except AirqError as error:
        result.exit_code = error.exit_code
        end("FAILED", logs.REDACTION.hide(str(error)))
        raise
    except _Interruption as interruption:
        result.exit_code = interruption.error.exit_code
        end(interruption.state, str(interruption.error))
        raise
    except BaseException as error:
        result.exit_code = 1
        end("FAILED", type(error).__name__)
        raise
    result.exit_code = worst(result.problems)
    state = {0: "SUCCESS", 3: "PARTIAL"}.get(result.exit_code, "FAILED")
    try:
        end(state, "; ".join(problem.message for problem in result.problems)[:1000])
    except StoreError as error:
        # On a full disk the step that failed has said so already.
        if str(error) not in {problem.message for problem in result.problems}:
            raise


@contextmanager
def step(work: Job, name: str) -> Iterator[dict[str, Any]]:
    """Record a step of the run; the block fills in what it counted."""
    counts: dict[str, Any] = {}
    started_at = _ending(work.settings)
    problems = len(work.result.problems)

    def record(state: str, message: str = "", *, ended: bool = True) -> None:
        ended_at = _ending(work.settings) if ended else None
        work.ledger.record_step(work.result.run_id, name, started_at, ended_at, state, message, counts)

    record("RUNNING", ended=False)
    try:
        yield counts
    except AirqError as error:
        record("FAILED", logs.REDACTION.hide(str(error)))
        raise
    except _Interruption as interruption:
        record(interruption.state, str(interruption.error))
        raise
    failed = work.result.problems[problems:]
    record("PARTIAL" if failed else "SUCCESS", "; ".join(problem.message for problem in failed)[:1000])


def worst(problems: list[Problem]) -> int:
    """The exit code of a command with these problems: that of the store, then of the source, else partial."""
    codes = {problem.exit_code for problem in problems}
    return next((code for code in (7, 6, 5) if code in codes), max(codes, default=0))


def _ending(settings: Settings) -> datetime:
    return settings.now or datetime.now(UTC)
