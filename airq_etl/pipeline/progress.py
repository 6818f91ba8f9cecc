"""How far a step is with each station, for those who look while it is at work."""

import asyncio
import time
from collections.abc import Iterable

from airq_etl import ledger_runs, logs
from airq_etl.errors import StoreError
from airq_etl.pipeline.recording import Recorded
from airq_etl.runs import State, StationRecord

EVERY_S = 1.0  # each writing is synced to the disk


class Progress:
    """Writes the states of stations into the ledger, once a second at most, from the loop that asks for them.

    All are PENDING at first.
    """

    def __init__(self, work: Recorded, step: str, stations: Iterable[int]) -> None:
        self._work, self._step = work, step
        self._waiting: dict[int, StationRecord] = {}
        self._written_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        for station_id in stations:
            self._waiting[station_id] = StationRecord(station_id=station_id, state="PENDING")
        self._write()

    def note(self, station_id: int, state: State, message: str = "") -> None:
        """What a station is doing now; final states are left to the end of the step."""
        said = logs.REDACTION.hide(message)
        self._waiting[station_id] = StationRecord(station_id=station_id, state=state, message=said)
        wait_s = self._written_at + EVERY_S - time.monotonic()
        if wait_s <= 0:
            self._write()
        elif self._timer is None:
            # What comes last must be seen too, though nothing comes after it.
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._write)

    def _write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            with self._work.ledger.transaction() as db:
                ledger_runs.record_stations(db, self._work.result.run_id, self._step, self._waiting.values())
        except StoreError:
            return  # on a full disk the step itself fails soon enough
        self._waiting.clear()
        self._written_at = time.monotonic()
