"""extract: ask for what is missing, or take saved payloads; keep the answers as they are."""

import logging
import re
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from airq_etl import hourly, payload, windows
from airq_etl.capture import Answer
from airq_etl.captures import CaptureWriter
from airq_etl.errors import AirqError, PartialError, SourceError, UsageError
from airq_etl.lake import HOURLY, Lake
from airq_etl.ledger import text
from airq_etl.pipeline.job import Job
from airq_etl.pipeline.recording import step
from airq_etl.windows import Days

if TYPE_CHECKING:
    from airq_etl.airqino import Asked

log = logging.getLogger(__name__)

SHARE = 0.8  # of the run's time

STATION_IN_NAME = re.compile(r"(?<!\d)\d{4,18}(?!\d)")
DATE_IN_NAME = re.compile(r"(?<!\d)(?:19|20)\d\d[-_.]?\d\d[-_.]?\d\d(?!\d)")


def extract(work: Job, stations: Sequence[int], days: Days | None) -> None:
    """Ask for the stations: for `days`, or for what is missing. Failures are noted, station by station."""
    with step(work, "extract"):
        plans = _plans(work, stations, days)
        errors = ask(work, plans)
        _remember_sweeps(work, [s for s, plan in plans.items() if plan.whole_year and s not in errors])


def ask(
    work: Job, plans: dict[int, windows.Plan], told: Callable[["Asked"], None] | None = None
) -> dict[int, AirqError]:
    """Ask as planned, within the step that goes on; `told` hears of each window. Failures are noted, and returned."""
    # Here and below: what only transforms or loads needs no network.
    import asyncio

    came: list[Asked] = []

    def hear(asked: "Asked") -> None:
        if asked.error is None:
            came.append(asked)
        if told is not None:
            told(asked)

    errors = asyncio.run(_ask(work, plans, hear))
    _note(work, errors, some_came=bool(came) or len(errors) < len(plans))
    return errors


def _note(work: Job, errors: dict[int, AirqError], *, some_came: bool) -> None:
    """Note the failures, those for the same reason as one."""
    alike: dict[tuple[str, type[AirqError]], list[int]] = defaultdict(list)
    for station_id, error in sorted(errors.items()):
        alike[str(error), PartialError if some_came else type(error)].append(station_id)
    for (message, kind), stations in alike.items():
        work.fail(kind(message), stations)


def newest_hours(lake: Lake, stations: Iterable[int]) -> dict[int, datetime]:
    """The newest hour (UTC) that the tables hold of each station; a station of which they hold none is left out."""
    wanted, found = set(stations), dict[int, datetime]()
    for part in reversed(lake.parts(HOURLY)):
        rows = lake.read(HOURLY, [part], pl.col("station_id").is_in(wanted - found.keys()), HOURLY.key)
        found |= dict(rows.group_by("station_id").agg(pl.col("hour").max()).iter_rows())
        if found.keys() == wanted:
            break
    return found


def _plans(work: Job, stations: Sequence[int], days: Days | None) -> dict[int, windows.Plan]:
    settings, plans = work.settings, dict[int, windows.Plan]()
    newest, swept = newest_hours(work.lake, stations), work.ledger.swept_at()
    for station_id in stations:
        if days is not None:
            plan = windows.for_days(days, settings.zone(station_id), work.now)
        else:
            plan = windows.since(
                newest.get(station_id),
                work.now,
                timedelta(hours=settings.overlap_hours),
                swept.get(station_id),
                timedelta(days=settings.sweep_days),
            )
        plans[station_id] = plan
        if plan.lost:
            lost = plan.lost / timedelta(hours=1)
            log.warning("station %s: %.0f hours are older than the year the API keeps, and lost", station_id, lost)
    return plans


async def _ask(work: Job, plans: dict[int, windows.Plan], told: Callable[["Asked"], None]) -> dict[int, AirqError]:
    # httpx has a command line, and loads it where what it needs happens to be installed: click, rich, pygments.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # an import takes it for "not there"
    import asyncio

    from airq_etl.airqino import AirqinoClient, Ask
    from airq_etl.credentials import auth_for
    from airq_etl.pipeline.progress import Progress

    asks = [Ask(station_id, window) for station_id, plan in plans.items() for window in plan.windows]
    errors: dict[int, AirqError] = {}
    unanswered = set(asks)
    with CaptureWriter(work.lake, work.result.run_id, work.now) as writer:
        # What came late must still be computed and stored, or a slow source would starve the store.
        deadline = work.deadline - (1 - SHARE) * work.settings.run_deadline_s
        note = Progress(work, "extract", plans).note
        client = AirqinoClient(work.settings, auth_for(work.settings, work.lake), writer.add, deadline, note)
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 1.0)):
                async for asked in client.ask_all(asks):
                    unanswered.discard(asked.ask)
                    _count(work, asked)
                    told(asked)
                    if asked.error is not None:
                        errors[asked.ask.station_id] = asked.error
        except TimeoutError:
            late = SourceError("no answer before the run's deadline (AIRQ_RUN_DEADLINE_S)")
            errors |= dict.fromkeys(sorted({ask.station_id for ask in unanswered}), late)
        kept = writer.keep()
    work.result.capture = None if kept is None else str(kept)
    return errors


def _count(work: Job, asked: "Asked") -> None:
    station = work.result.station(asked.ask.station_id)
    for name in ("requests", "retries", "wire_bytes", "body_bytes"):
        setattr(station, name, getattr(station, name) + getattr(asked, name))
    station.asking_s = round((station.asking_s or 0) + asked.seconds, 3)


def _remember_sweeps(work: Job, stations: Iterable[int]) -> None:
    with work.ledger.transaction() as db:
        db.executemany(
            "insert into stations (station_id, swept_at) values (?, ?)"
            " on conflict do update set swept_at = excluded.swept_at",
            ((station_id, text(work.now)) for station_id in stations),
        )


def take_files(work: Job, files: Sequence[Path], station_id: int | None, requested_at: datetime | None) -> None:
    """Keep saved payloads as if they had just been answered.

    A payload counts as asked for at `requested_at`, by default at its newest hour: so an old one overrides
    nothing newer, and its newest hour is provisional. Raises UsageError that names the file, before any is kept.
    """
    with step(work, "extract") as counts:
        answers = [_saved(work, path, station_id, requested_at) for path in files]
        with CaptureWriter(work.lake, work.result.run_id, work.now) as writer:
            for answer in answers:
                writer.add(answer)
                work.result.station(answer.station_id).body_bytes += len(answer.body)
            work.result.capture = str(writer.keep())
        counts["answers"] = len(answers)


def _saved(work: Job, path: Path, station_id: int | None, requested_at: datetime | None) -> Answer:
    body = _read(path, work.settings.max_response_mb << 20)
    try:
        newest = hourly.newest(payload.decode(body), work.now)
    except SourceError as error:
        raise UsageError(f"{path}: {error}") from error
    asked_at = requested_at or newest
    if asked_at is None:
        raise UsageError(f"{path}: it holds no hour up to now; --requested-at says when it was asked for all the same")
    station_id = station_id or _station_in(path)
    return Answer(station_id=station_id, requested_at=asked_at, url=path.name, status=200, body=body)


def _read(path: Path, most: int) -> bytes:
    try:
        body = path.read_bytes()
        if body[:2] == b"\x1f\x8b":
            unpacker = zlib.decompressobj(wbits=31)
            body = unpacker.decompress(body, most + 1)
            if len(body) <= most and not unpacker.eof:
                raise UsageError(f"{path}: the gzip is cut short")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except zlib.error as error:
        raise UsageError(f"{path}: the gzip is damaged: {error}") from error
    if len(body) > most:
        raise UsageError(f"{path} is larger than {most >> 20} MB (AIRQ_MAX_RESPONSE_MB)")
    return body


def _station_in(path: Path) -> int:
    found = set(STATION_IN_NAME.findall(DATE_IN_NAME.sub(" ", path.name)))
    if len(found) != 1:
        raise UsageError(f"{path}: {len(found) or 'no'} numbers in its name may be a station id; say it with --station")
    return int(found.pop())
