"""backfill: find the hours that are missing and that the source may still give, and ask for them.

Safe to interrupt anywhere: what came is in a capture, which the next backfill works in before it looks what is
missing. What an answer did not have is recorded only when the answer is in the tables.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from airq_etl import daily
from airq_etl.backfilling import Backfill, Filled, Gap, Outlook
from airq_etl.captures import UNFINISHED
from airq_etl.errors import AirqError, UsageError
from airq_etl.hourly import TIME
from airq_etl.lake import HOURLY, Lake, refuse_file
from airq_etl.ledger_answers import answered, keep_not_given, want, wanted
from airq_etl.ledger_reader import copied
from airq_etl.missing import Missing, missing
from airq_etl.pipeline.extract import ask
from airq_etl.pipeline.job import Job, begun, job
from airq_etl.pipeline.load import load
from airq_etl.pipeline.mirror import mirror_now
from airq_etl.pipeline.rebuild import is_unfinished
from airq_etl.pipeline.recording import step
from airq_etl.pipeline.transform import transform, waiting, work_in_pending
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.settings import Settings
from airq_etl.windows import Days, Hours, Plan, asked_by, for_hours

if TYPE_CHECKING:
    from airq_etl.airqino import Asked

COMMAND = "backfill"
Progress = Callable[[int, int], None]
"""Told how many of how many requests are done."""


def look_ahead(settings: Settings, days: Days | None = None, *, again: bool = False) -> Outlook:
    """What a backfill would ask for, and what is for ever; nothing is asked, and nothing in the data directory changes.

    Only gaps in local `days` where these are given; with `again` also what the source was asked for and did not give.
    """
    lake = Lake(settings.data_dir)
    refuse_file(lake.root)
    with copied(lake.root) as ledger:
        work = Job(settings, lake, ledger, begun(settings, COMMAND), 0.0)
        _refuse_half_built_tables(work)
        return _outlook(work, _find(work, days, again=again), again=again)


def run_backfill(
    settings: Settings, days: Days | None = None, *, again: bool = False, progress: Progress | None = None
) -> Backfill:
    """Ask for what is missing, and take it into the tables and the store; what fails stays to be asked for."""
    result, came = begun(settings, COMMAND), list[tuple[int, Hours]]()
    with job(settings, result, "extract", "transform", "load", bounded=True) as work:
        _refuse_half_built_tables(work)
        with step(work, "extract") as counts:
            tried = work_in_pending(work)
            found = _find(work, days, again=again)
            before = _outlook(work, found, again=again)
            _ask(work, found, came, progress)
            counts["windows"] = before.requests
        transform(work, (), None, tried)
        _remember_answers(work, came)
        try:
            load(work)
        except AirqError as error:
            work.fail(error)
        left = _find(work, days)
        after, stations = _outlook(work, left), _filled(work, found, left)
    mirror_now(settings, result)
    unanswered = before.requests - len(came)
    return Backfill(run=result, before=before, after=after, unanswered=unanswered, stations=stations)


def _refuse_half_built_tables(work: Job) -> None:
    if is_unfinished(work):
        raise UsageError("a rebuild of the tables was interrupted; `airq-etl transform` ends it, then backfill")


def _find(work: Job, days: Days | None, *, again: bool = False) -> dict[int, Missing]:
    stations = work.settings.stations
    evidence = Evidence(
        now=work.now,
        rules=work.rules(stations),
        tables=Place("tables", _hours(work), daily.empty(), frozenset()),
        days=days,
        configured=frozenset(stations),
    )
    ledger = work.ledger
    return missing(evidence, answered(ledger), ledger.swept_at().keys(), wanted=wanted(ledger), again=again)


def _hours(work: Job) -> pl.DataFrame:
    """The hours that the tables hold of the stations, and when each was asked for; month by month, for the memory."""
    whose, names = pl.col("station_id").is_in(work.settings.stations), (*HOURLY.key, "requested_at")
    parts = [work.lake.read(HOURLY, [part], whose).select(names) for part in work.lake.parts(HOURLY)]
    return pl.concat([HOURLY.empty().select(names), *parts])


def _ask(work: Job, found: Mapping[int, Missing], came: list[tuple[int, Hours]], progress: Progress | None) -> None:
    """Ask for what is askable; `came` takes each window that was answered well."""
    plans = {station_id: Plan(for_hours(one.askable), whole_year=False) for station_id, one in found.items()}
    plans = {station_id: plan for station_id, plan in plans.items() if plan.windows}
    total, done = sum(len(plan.windows) for plan in plans.values()), 0

    def told(asked: "Asked") -> None:
        nonlocal done
        done += 1
        if asked.error is None:
            came.append((asked.ask.station_id, asked_by(asked.ask.window)))
        if progress is not None:
            progress(done, total)

    if plans:
        _remember_wanted(work, found)
        ask(work, plans, told)


def _remember_wanted(work: Job, found: Mapping[int, Missing]) -> None:
    """Record what is to be asked for, and what other days want: what comes will lie on both sides of it."""
    before, of_all_days = wanted(work.ledger), _find(work, None)
    wants = {s: {*before.get(s, ()), *found[s].askable, *of_all_days[s].askable} for s in found}
    with work.ledger.transaction() as db:
        want(db, wants)


def _remember_answers(work: Job, came: Iterable[tuple[int, Hours]]) -> None:
    """Record what of the windows that were answered well is not in the tables, once their answers are."""
    if work.result.capture in {str(path) for path in waiting(work).values()}:
        return
    windows: dict[int, list[Hours]] = defaultdict(list)
    for station_id, window in came:
        windows[station_id].append(window)
    still, before = _find(work, None, again=True), wanted(work.ledger)
    with work.ledger.transaction() as db:
        for station_id, answers in windows.items():
            rest = (hours.within(window) for window in answers for hours in still[station_id].askable)
            keep_not_given(db, ((station_id, hours) for hours in rest if hours.length), work.now)
            want(db, {station_id: [hours for one in before[station_id] for hours in one.without(answers)]})


def _outlook(work: Job, found: Mapping[int, Missing], *, again: bool = False) -> Outlook:
    windows = {station_id: [asked_by(one) for one in for_hours(of.askable)] for station_id, of in found.items()}
    names = _names(work)

    def gaps(kind: str) -> list[Gap]:
        return sorted(
            (
                Gap(
                    station_id=station_id,
                    name=names.get(station_id),
                    first=hours.first,
                    last=hours.last,
                    hours=hours.length,
                    requests=sum(1 for w in windows[station_id] if w.within(hours).length) if kind == "askable" else 0,
                )
                for station_id, of in found.items()
                for hours in getattr(of, kind)
            ),
            key=lambda gap: (-gap.hours, gap.station_id, gap.first),
        )

    unfinished = len(list(work.lake.temporary.glob(f"*{UNFINISHED}")))
    return Outlook(
        now=work.now,
        again=again,
        captures_waiting=len(waiting(work)) + unfinished,
        requests=sum(map(len, windows.values())),
        gaps=gaps("askable"),
        older=gaps("older"),
        not_given=gaps("not_given"),
    )


def _filled(work: Job, found: Mapping[int, Missing], left: Mapping[int, Missing]) -> list[Filled]:
    """What came of what could be had of each station; a line for those of which nothing could is left out."""
    there, names = _there(work, found), _names(work)
    errors = {station.station_id: station.error for station in work.result.stations}
    filled = []
    for station_id, of in found.items():
        wanted = sum(hours.length for hours in of.askable)
        came = there.get(station_id, 0)
        still = sum(one.within(other).length for one in of.askable for other in left[station_id].askable)
        if wanted:
            filled.append(
                Filled(
                    station_id=station_id,
                    name=names.get(station_id),
                    missing=wanted,
                    came=came,
                    not_given=wanted - came - still,
                    left=still,
                    error=errors.get(station_id),
                )
            )
    return filled


def _there(work: Job, found: Mapping[int, Missing]) -> dict[int, int]:
    """How many of the hours that were askable the tables hold by now, by station."""
    spans = [(station_id, *hours) for station_id, of in found.items() for hours in of.askable]
    kinds = {"station_id": pl.Int64(), "first": TIME, "last": TIME}
    wanted = pl.DataFrame(spans, schema=kinds, orient="row").select(
        "station_id", hour=pl.datetime_ranges("first", "last", "1h")
    )
    hours = wanted.explode("hour").join(_hours(work), on=HOURLY.key, how="semi")
    return dict(hours.group_by("station_id").len().iter_rows())


def _names(work: Job) -> dict[int, str | None]:
    return {s: work.settings.station(s, said).name for s, said in work.ledger.stations().items()}
