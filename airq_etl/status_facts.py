"""How the hourly job stands: the facts that `status` shows, and what follows from them. Times are aware UTC."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from airq_etl.runs import State, StationRecord
from airq_etl.status_words import age_text
from airq_etl.watch import FINDING, KnownAlert
from airq_etl.windows import HOUR

DAY = timedelta(days=1)
HOURS_SHOWN = 24
# The worst first; None is a station that no extract has asked for.
WORST_FIRST: Sequence[State | None] = (
    *("FAILED", "CANCELLED", "PARTIAL", "SKIPPED", "RETRY", None, "RUNNING", "PENDING", "SUCCESS"),
)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often `run` came, against once an hour at the `minute` at which it mostly comes.

    `expected` counts these times from `since` up to now; `done` the good runs since then, which stored what came
    (SUCCESS, PARTIAL); `today` and `week` have all of today (UTC) and of the last 7 days, by state. `good_percent` is
    the share of good ones among those of the week that have ended, None where none has.
    """

    minute: int
    since: datetime
    expected: int
    done: int
    today: dict[State, int]
    week: dict[State, int]
    good_percent: float | None
    next_due: datetime


class RunStands(msgspec.Struct, frozen=True, kw_only=True):
    """A run: `duration_s` of one at work is up to now; `usual_s` is None where too few were good to say.

    `failed` names the steps that failed or did half their work; `step` the one at work.
    """

    run_id: str
    command: str
    state: State
    started_at: datetime
    ended_at: datetime | None
    duration_s: float | None
    usual_s: float | None
    slow: bool
    exit_code: int | None
    message: str
    failed: list[str]
    step: str | None


class StepStands(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the newest `run`, as the ledger counts it; `duration_s` as in `RunStands`."""

    step: str
    state: State
    slow: bool
    duration_s: float | None
    usual_s: float | None
    message: str
    counts: dict[str, int]


class StationStands(msgspec.Struct, frozen=True, kw_only=True):
    """A station: its last extract (`state` is None where there was none), and its newest hour in the tables.

    `hours_of_24` counts those that are stored of the 24 hours that ended last; both are None where not known.
    """

    station_id: int
    name: str | None
    state: State | None
    duration_s: float | None
    message: str
    newest_hour: datetime | None
    hours_of_24: int | None


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes used and free; `tables` are hours and days, `store` is None where it is no file here."""

    captures: int
    tables: int
    store: int | None
    ledger: int
    free: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the hourly job stands at `now`.

    `at_work` is the run of any command that is at work, `last` the last `run` that ended, `steps` are those of the
    newest `run`. `pace` is None where there was no `run` yet, `findings` counts the open ones by severity.
    `unwell` says in sentences why `--check` fails, `notes` what could not be read.
    """

    host: str
    data_dir: str
    now: datetime
    pace: Pace | None
    at_work: RunStands | None
    last: RunStands | None
    last_good: datetime | None
    steps: list[StepStands]
    stations: list[StationStands]
    alerts: list[KnownAlert]
    findings: dict[str, int]
    disk: Disk
    unwell: list[str]
    notes: list[str]


def pace(
    starts: Sequence[datetime], first: datetime, today: Mapping[State, int], week: Mapping[State, int], now: datetime
) -> Pace:
    """How often `run` came: `starts` are those of the last runs, the newest first, `first` that of the first ever."""
    minute = Counter(start.minute for start in starts).most_common(1)[0][0]
    since = max(midnight(now), first.replace(second=0, microsecond=0))
    ended = sum(count for state, count in week.items() if state in {"SUCCESS", "PARTIAL", "FAILED", "CANCELLED"})
    return Pace(
        minute=minute,
        since=since,
        expected=max((now - _at(minute, since)) // HOUR + 1, 0),
        done=_good(today),
        today=dict(today),
        week=dict(week),
        good_percent=round(100 * _good(week) / ended, 1) if ended else None,
        next_due=_at(minute, starts[0].replace(second=0, microsecond=0) + timedelta(minutes=1)),
    )


def _good(states: Mapping[State, int]) -> int:
    return states.get("SUCCESS", 0) + states.get("PARTIAL", 0)


def midnight(time: datetime) -> datetime:
    """The beginning of its UTC day."""
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _at(minute: int, time: datetime) -> datetime:
    """The first time at this minute of an hour, from `time` on, which is a whole minute."""
    return time + timedelta(minutes=(minute - time.minute) % 60)


def unwell(alerts: Sequence[KnownAlert], since: datetime | None, overdue_h: int, now: datetime) -> list[str]:
    """Why the job is not well: errors that are open; no good run `since` (None: no matter) for so long (0: never).

    A finding is about what is stored: a sensor that is dead is no reason to start the job anew.
    """
    errors = sum(one.alert.severity == "error" and not one.alert.kind.startswith(FINDING) for one in alerts)
    reasons = [f"{errors} open {'alert is an error' if errors == 1 else 'alerts are errors'}"] if errors else []
    if overdue_h and since is not None and now - since > overdue_h * HOUR:
        reasons.append(f"no good run for {age_text(now - since)} (AIRQ_ALERT_OVERDUE_H is {overdue_h})")
    return reasons


def worst_first(stations: Sequence[StationStands]) -> list[StationStands]:
    """By what became of the last extract, then by the hours that are missing."""
    return sorted(stations, key=lambda s: (WORST_FIRST.index(s.state), s.hours_of_24 or 0, s.station_id))


def stations_worst_first(stations: Sequence[StationRecord]) -> list[StationRecord]:
    """The same of what one run recorded."""
    return sorted(stations, key=lambda s: (WORST_FIRST.index(s.state), s.station_id))
