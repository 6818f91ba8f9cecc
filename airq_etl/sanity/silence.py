"""Who has fallen silent: one station for longer than is usual for it, or all of them together."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding, Severity
from airq_etl.sanity.gaps import HOUR, gaps, is_expected, judged_at, served, spans
from airq_etl.sanity.wording import at, many

FLOOR_H = 6  # hours are published up to two late, and a run may have been missed
CEILING_H = 72
WEEK_H = 168
LAG = timedelta(hours=2)
USUAL_DAYS = 90
USUAL_TIMES = 3  # what has happened three times in 90 days is a habit, once or twice an accident


def silent_network(evidence: Evidence) -> Iterator[Finding]:
    """All stations at once: each time in the past together, and the one that lasts."""
    hours = served(evidence)
    yield from _past(hours)
    silent = _silent_now(evidence, spans(hours))
    if silent:
        yield _lasting(evidence, silent)


def stale_stations(evidence: Evidence) -> Iterator[Finding]:
    """Each station that is silent for longer than usual, unless all are."""
    hours = served(evidence)
    all_spans = spans(hours)
    together = {row["station_id"] for row in _silent_now(evidence, all_spans)}
    usual = _usual_outages(gaps(hours), all_spans)
    for row in all_spans.iter_rows(named=True):
        if row["station_id"] not in together and is_expected(evidence, row["station_id"]):
            yield from _stale(evidence, row, usual.get(row["station_id"], 0))
    for station_id in sorted(evidence.configured - set(all_spans["station_id"])):
        begins = evidence.rules.in_service.get(station_id)
        if begins is None or begins <= judged_at(evidence, station_id):
            yield _without_hours(evidence, station_id)


def _stale(evidence: Evidence, row: dict[str, Any], usual_h: int) -> Iterator[Finding]:
    end = judged_at(evidence, row["station_id"])
    age = end - row["newest"]
    if age < _limit(usual_h):
        return
    severity: Severity = "error" if age >= WEEK_H * HOUR else "warning"
    habit = f"; its usual outages last up to {usual_h} h" if usual_h else ""
    cause, action = _cause(evidence, row["asked"], end)
    yield Finding(
        check="stale-station",
        severity=severity,
        station_id=row["station_id"],
        first=row["newest"] + HOUR,
        last=end,
        count=age // HOUR,
        sentence=f"its newest hour is {at(row['newest'])}, {_ago(evidence, age)}{habit}{cause}",
        action=action or "see the station: its power, its network, its SIM card",
    )


def _limit(usual_h: int) -> timedelta:
    # The hour after the outage is the one that comes late: hence one hour, and two for its publication.
    return min(max(usual_h * HOUR + HOUR + LAG, FLOOR_H * HOUR), CEILING_H * HOUR)


def _cause(evidence: Evidence, asked: datetime, end: datetime) -> tuple[str, str | None]:
    """What else there is to say and to do: where no answer has come since, the station may well have measured."""
    if end < evidence.now:
        return "", "look at the days after these, too: it may be back"
    if end - asked < FLOOR_H * HOUR:
        return "", None
    return f", and no answer has come since {at(asked)}", "run `airq-etl run`, and see that it runs every hour"


def _ago(evidence: Evidence, age: timedelta) -> str:
    long = many(age // HOUR, "hour") if age < WEEK_H * HOUR else many(age.days, "day")
    if evidence.days is not None and judged_at(evidence) < evidence.now:
        return f"{long} before these days end"
    return f"{long} ago"


def _without_hours(evidence: Evidence, station_id: int) -> Finding:
    ever = evidence.days is None
    return Finding(
        check="stale-station",
        severity="warning",
        station_id=station_id,
        count=1,
        sentence=f"it has no hour{'' if ever else ' in these days'}, though the settings name it",
        action="see that its id is right (AIRQ_STATIONS), and what `airq-etl run` says of it"
        if ever
        else "look at other days, too",
    )


def _usual_outages(all_gaps: pl.DataFrame, all_spans: pl.DataFrame) -> dict[int, int]:
    """The hours of the third longest outage of each station in its last 90 days; none where there were fewer."""
    lately = pl.col("first") - HOUR >= pl.col("newest") - timedelta(days=USUAL_DAYS)
    found = all_gaps.join(all_spans.select("station_id", "newest"), on="station_id").filter(lately)
    usual = found.group_by("station_id").agg(pl.col("hours").sort(descending=True))
    return {
        station_id: outages[USUAL_TIMES - 1] for station_id, outages in usual.iter_rows() if len(outages) >= USUAL_TIMES
    }


def _silent_now(evidence: Evidence, all_spans: pl.DataFrame) -> list[dict[str, Any]]:
    """The spans of the stations that are silent together up to the end, for six hours at least; else none.

    Together means that at least two fell silent within the lag of publication. One that was given up before
    (72 h) is not among them.
    """
    alive = [row for row in all_spans.iter_rows(named=True) if is_expected(evidence, row["station_id"])]
    if not alive:
        return []
    newest = max(row["newest"] for row in alive)
    alive = [row for row in alive if newest - row["newest"] < CEILING_H * HOUR]
    fell = [row for row in alive if newest - row["newest"] <= LAG]
    return alive if len(fell) > 1 and judged_at(evidence) - newest >= FLOOR_H * HOUR else []


def _lasting(evidence: Evidence, silent: list[dict[str, Any]]) -> Finding:
    newest, end = max(row["newest"] for row in silent), judged_at(evidence)
    cause, action = _cause(evidence, max(row["asked"] for row in silent), end)
    since = f"the newest is {at(newest)}, {_ago(evidence, end - newest)}"
    return Finding(
        check="silent-network",
        severity="error",
        first=newest + HOUR,
        last=end,
        count=(end - newest) // HOUR,
        sentence=f"none of {len(silent)} stations has a newer hour: {since}{cause}",
        action=action or "ask AirQino: the source or the network is silent, not the sensors",
    )


def _past(hours: pl.DataFrame) -> Iterator[Finding]:
    runs = _common(hours)
    if runs.is_empty():
        return
    longest = runs.sort("hours", "first", descending=[True, False]).row(0, named=True)
    total = int(runs["hours"].sum())
    span = f"{many(longest['hours'], 'hour')} from {at(longest['first'])}"
    often = f"{runs.height:,} times, {total:,} hours in all, the longest time {span}" if runs.height > 1 else span
    yield Finding(
        check="silent-network",
        severity="info",
        first=runs.row(0, named=True)["first"],
        last=runs.row(-1, named=True)["last"],
        count=total,
        sentence=f"all stations were silent together: {often}",
        action="do not look for these hours at the stations; the source or the network was silent",
    )


def _common(hours: pl.DataFrame) -> pl.DataFrame:
    """Runs of hours (`first`, `last`, `hours`) that no station has, while at least two were in service.

    Two of them at least fell silent together, or came back together (within the lag of publication): else each
    has its own reason, and it is a coincidence.
    """
    nobody = gaps(hours.select("hour", "requested_at", station_id=pl.lit(0, pl.Int64)).unique("hour"))
    runs = nobody.select("first", "last", "hours")
    own = gaps(hours).select(began=pl.col("first"), ended=pl.col("last"))
    return (
        runs.join_where(own, pl.col("began") <= pl.col("first"), pl.col("ended") >= pl.col("last"))
        .group_by("first", "last", "hours")
        .agg(
            fell=(pl.col("began") >= pl.col("first") - LAG).sum(),
            came=(pl.col("ended") <= pl.col("last") + LAG).sum(),
        )
        .filter(pl.max_horizontal("fell", "came") > 1)
        .sort("first")
    )


CHECKS: tuple[Check, ...] = (
    Check(
        "stale-station",
        "a station whose newest hour is older than is usual for it, or that has none",
        f"longer than its third longest outage of {USUAL_DAYS} days; never before {FLOOR_H} h, always from "
        f"{CEILING_H} h; error from 7 days",
        "hours are published up to 2 h late; one of the stations is off each weekend for 40 h",
        stale_stations,
    ),
    Check(
        "silent-network",
        "hours in which all stations were silent together: the source or the network, not the sensors",
        f"from 1 h in the past (info); error while it lasts, from {FLOOR_H} h",
        "both stations of the captures stop and restart together at times",
        silent_network,
    ),
)
