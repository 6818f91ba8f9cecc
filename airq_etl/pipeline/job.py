"""What every step works with, and the frame around it: data directory, lock, ledger, signals, record."""

import logging
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from airq_etl import captures, lock, logs
from airq_etl.errors import AirqError, StoreError
from airq_etl.lake import Lake, private
from airq_etl.ledger import Ledger
from airq_etl.pipeline.recording import recorded
from airq_etl.pipeline.signals import GRACE_S, stoppable
from airq_etl.results import Problem, Result
from airq_etl.settings import Settings
from airq_etl.stations import Rules

log = logging.getLogger(__name__)

MOST_NAMED = 5


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


@contextmanager
def job(settings: Settings, result: Result, *steps: str, bounded: bool = False) -> Iterator[Job]:
    """A job of some steps under lock, recorded in the ledger whatever becomes of it; `bounded` by the run's deadline.

    `result` is a new one, as `begun` makes it; the job fills it in.
    """
    lake = Lake(settings.data_dir)
    deadline = time.monotonic() + settings.run_deadline_s
    with stoppable(settings.run_deadline_s + GRACE_S if bounded else None), private():
        lake.open()
        with lock.hold(lake.root, result.command, result.started_at), Ledger(lake.root) as ledger:
            _clear_up(lake)
            ledger.know_its_place()
            with recorded(ledger, settings, result, steps):
                yield Job(settings, lake, ledger, result, deadline)


def begun(settings: Settings, command: str) -> Result:
    """The result of a command that begins now."""
    result = Result(command=command, run_id=secrets.token_hex(4), started_at=settings.clock())
    logs.of_run(result.run_id)
    return result


def _clear_up(lake: Lake) -> None:
    """Take in hand what an interrupted run left: its answers are kept, all else is swept."""
    try:
        for kept in captures.salvage(lake):
            log.info("a run was interrupted while it fetched; its answers are kept in %s", kept)
        lake.sweep()
    except OSError as error:
        raise StoreError(f"{lake.temporary} cannot be cleared up: {error.strerror}") from error
