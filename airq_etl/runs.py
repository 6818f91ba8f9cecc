"""What the ledger records of a run: the run, its steps, and what a step did for each station.

PENDING -> RUNNING -> SUCCESS    all went well
   |       |     |--> PARTIAL    some stations failed, the others are stored
   |       |     |--> FAILED     it did not do its work; "interrupted" where its process died
   |       |     '--> CANCELLED  a signal stopped it
   |       '<-> RETRY            a station: asked, to be asked again after a pause
   '--> SKIPPED                  what came before it failed, or there was no time left
"""

from datetime import datetime
from typing import Literal

import msgspec

State = Literal["PENDING", "RUNNING", "SUCCESS", "PARTIAL", "FAILED", "RETRY", "SKIPPED", "CANCELLED"]
UNFINISHED: tuple[State, ...] = ("PENDING", "RUNNING", "RETRY")
INTERRUPTED = "interrupted"
SLOW_S = 5.0  # as much longer than usual may a run be: twice half a second is no reason to wake anybody

# The steps of a run, in their order, and what each counts; of the counts, those that it has for each station.
STEPS = ("extract", "transform", "load", "forecast", "sanity-check")
OF_A_STATION: dict[str, tuple[str, ...]] = {
    "extract": ("requests", "retries", "wire_bytes", "body_bytes"),
    "transform": (
        *("rows_read", "rows_rejected", "rows_duplicate", "values_missing"),
        *("hours_new", "hours_settled", "hours_revised", "days_changed"),
    ),
}


class StationRecord(msgspec.Struct, kw_only=True):
    """What a step did for one station; `counts` as OF_A_STATION names them (see `results.StationResult`).

    `duration_s` is None where a step works on all stations together.
    """

    station_id: int
    state: State
    duration_s: float | None = None
    message: str = ""
    counts: dict[str, int] = {}


class StepRecord(msgspec.Struct, kw_only=True):
    """A step of a run; times are aware UTC (as `--now` says, where it does), `duration_s` is by the real clock.

    `counts` are those of all stations; of load the documents written by collection, of forecast how many were made
    and scored, and the documents, of sanity-check the findings by severity. `stations` are read with one run alone,
    and forgotten before the run is.
    """

    step: str
    state: State
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None
    message: str = ""
    counts: dict[str, int] = {}
    stations: list[StationRecord] = []


class RunRecord(msgspec.Struct, kw_only=True):
    """A run of a command, by which version, on which host, under which settings (their fingerprint).

    Times are aware UTC (as `--now` says, where it does); `duration_s` is by the real clock. `message` says what
    failed. Of a run that has not ended `ended_at`, `duration_s` and `exit_code` are None.
    """

    run_id: str
    command: str
    state: State
    started_at: datetime
    ended_at: datetime | None = None
    duration_s: float | None = None
    exit_code: int | None = None
    message: str = ""
    pid: int
    host: str | None = None
    version: str
    settings: str | None = None
    steps: list[StepRecord] = []

    def count(self, name: str) -> int:
        """What the steps counted under a name, together."""
        return sum(step.counts.get(name, 0) for step in self.steps)

    def as_dead(self) -> "RunRecord":
        """The same where its process is known to have gone: what it had not ended was interrupted."""
        if self.state not in UNFINISHED:
            return self
        steps = [msgspec.structs.replace(step, **_as_dead(step)) for step in self.steps]
        return msgspec.structs.replace(self, state="FAILED", message=INTERRUPTED, steps=steps)


def _as_dead(step: StepRecord) -> dict[str, object]:
    if step.state not in UNFINISHED:
        return {}
    stations = [
        msgspec.structs.replace(station, state="SKIPPED" if station.state == "PENDING" else "FAILED")
        if station.state in UNFINISHED
        else station
        for station in step.stations
    ]
    if step.state == "PENDING":
        return {"state": "SKIPPED", "stations": stations}
    return {"state": "FAILED", "message": INTERRUPTED, "stations": stations}


def is_slow(duration_s: float | None, usual_s: float | None, times: float) -> bool:
    """Whether it took more than so many `times` what is usual (0: never), and 5 s more at that."""
    if duration_s is None or usual_s is None or not times:
        return False
    return duration_s > times * usual_s and duration_s > usual_s + SLOW_S
