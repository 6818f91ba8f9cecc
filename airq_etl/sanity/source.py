"""What the API does: rewrites its past, changes its keys, sends rows that are not as they should be."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl

from airq_etl.hourly import IN_THE_FUTURE
from airq_etl.revisions import moved
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding, Severity
from airq_etl.sanity.gaps import is_expected, served
from airq_etl.sanity.wording import at, listed, many, percent, sensor
from airq_etl.sensors import BY_COLUMN, BY_KEY, present

MASS_SHARE = 0.01
MASS_HOURS = 12
REJECTED_SHARE = 0.01
REJECTED_ROWS = 12
RECENT = timedelta(days=30)
SWEEP = timedelta(hours=1)
"""Answers asked for so soon after each other are one asking, in several windows."""
DAY_ROWS = 24
CLOCK = "set this machine's clock right, or say --requested-at when you take saved payloads"


def mass_revisions(evidence: Evidence) -> Iterator[Finding]:
    """For each station the answers that told much of its past anew, the newest ones first of all."""
    if evidence.revisions.is_empty():
        return
    counts = _mass_answers(evidence)
    for (station_id,), answers in counts.group_by("station_id", maintain_order=True):
        own = evidence.revisions.filter(pl.col("station_id") == station_id)
        newest = answers.filter(pl.col("seen_at") >= pl.col("seen_at").max() - SWEEP)
        yield _mass(evidence, int(str(station_id)), own, newest, answers.height - newest.height)


def _mass_answers(evidence: Evidence) -> pl.DataFrame:
    """The answers that revised many hours of those they can have told: `station_id`, `seen_at`, `told` hours."""
    answers = evidence.revisions.group_by("station_id", "seen_at").agg(
        revised=pl.col("hour").n_unique(), since=pl.col("hour").min()
    )
    large = answers.filter(pl.col("revised") >= MASS_HOURS)
    hours = (
        evidence.tables.hourly.select("station_id", "hour")
        .unique()
        .filter(pl.col("station_id").is_in(large["station_id"].unique().implode()))
    )
    told = (
        hours.join_where(
            large.rename({"station_id": "of"}),
            pl.col("station_id") == pl.col("of"),
            pl.col("hour") >= pl.col("since"),
            pl.col("hour") <= pl.col("seen_at"),
        )
        .group_by("station_id", "seen_at", "revised")
        .agg(told=pl.len())
    )
    return told.filter(pl.col("revised") > MASS_SHARE * pl.col("told")).sort("station_id", "seen_at")


def _mass(evidence: Evidence, station_id: int, own: pl.DataFrame, newest: pl.DataFrame, before: int) -> Finding:
    seen = pl.col("seen_at")
    begins, ends, told = newest.select(seen.min(), seen.max().alias("ends"), pl.col("told").max()).row(0)
    revised = own.join(newest.select("seen_at"), on="seen_at", how="semi")
    hour = pl.col("hour")
    first, last, count = revised.select(hour.min(), hour.max().alias("last"), hour.n_unique().alias("count")).row(0)
    sensors = revised.group_by("sensor").agg(hours=pl.col("hour").n_unique()).sort("hours", "sensor", descending=True)
    names = listed([sensor(name) for name in sensors["sensor"]])
    return Finding(
        check="mass-revision",
        severity="warning" if evidence.now - ends <= RECENT else "info",
        station_id=station_id,
        first=first,
        last=last,
        count=count,
        sentence=(
            f"the source changed {many(count, 'hour')} ({percent(count / told)} of those within its reach) of {names}, "
            f"from {at(first)} to {at(last)}, seen {at(ends)}{_how_often(before)}; "
            f"{_moves(evidence, station_id, own.filter(seen >= begins), newest)}"
        ),
        action="see `airq-etl export revisions`, and ask AirQino why",
    )


def _how_often(before: int) -> str:
    return f" and in {many(before, 'answer')} before" if before else ""


def _moves(evidence: Evidence, station_id: int, since: pl.DataFrame, newest: pl.DataFrame) -> str:
    hours = evidence.tables.hourly.filter(pl.col("station_id") == station_id)
    means = moved(hours, since, evidence.rules).join(newest.select("seen_at"), on="seen_at", how="semi")
    if means.is_empty():
        return "no daily mean moved"
    # Sensors are compared by how far each can reach, since their units differ.
    size = (pl.col("after") - pl.col("before")).abs() / means["sensor"].replace_strict(
        {name: one.highest - one.lowest for name, one in BY_COLUMN.items()}, return_dtype=pl.Float64
    )
    most = means.sort(size.fill_null(0), descending=True, maintain_order=True).row(0, named=True)
    before, after = (_number(most[name]) for name in ("before", "after"))
    unit = BY_COLUMN[most["sensor"]].unit
    which = f"that of {sensor(most['sensor'])} of {most['day']}, from {before} to {after} {unit}"
    if means.height == 1:
        return f"1 daily mean moved, {which}"
    return f"{means.height:,} daily means moved, the most {which}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:,.2f}"


def unknown_keys(evidence: Evidence) -> Iterator[Finding]:
    """Keys of the API that no sensor declares: their values are in the captures alone."""
    for station_id, keys in sorted(evidence.keys.items()):
        unknown = {key: hour for key, hour in sorted(keys.items()) if key not in BY_KEY}
        if unknown:
            verb = "is no sensor" if len(unknown) == 1 else "are no sensors"
            yield Finding(
                check="unknown-keys",
                severity="info",
                station_id=station_id,
                last=max(unknown.values()),
                count=len(unknown),
                sentence=f"{listed([repr(key) for key in unknown])} {verb} known here; the values stay in the captures",
                action="have the sensor declared (airq_etl/sensors.py), then `airq-etl transform --rebuild`",
            )


def vanished_sensors(evidence: Evidence) -> Iterator[Finding]:
    """Sensors that had values and are in none of the last 24 hours that the station gave, whenever that was."""
    for (station_id,), rows in served(evidence).group_by("station_id", maintain_order=True):
        station = int(str(station_id))
        if is_expected(evidence, station):
            yield from (found for name in present(rows.columns) if (found := _vanished(station, rows, name)))


def _vanished(station_id: int, rows: pl.DataFrame, name: str) -> Finding | None:
    has = rows.select(pl.col(name).is_not_null().arg_true())[name]
    without = rows.height - int(has[-1]) - 1 if has.len() else 0
    if without < DAY_ROWS:
        return None
    newest = rows["hour"][int(has[-1])]
    return Finding(
        check="vanished-sensor",
        severity="warning",
        station_id=station_id,
        sensor=name,
        first=rows["hour"][int(has[-1]) + 1],
        last=rows["hour"][-1],
        count=without,
        sentence=f"{sensor(name)} is in none of the last {many(without, 'hour')}; it was last given for {at(newest)}",
        action="see the sensor at the station; ask AirQino whether the key has another name now",
    )


def rejected_rows(evidence: Evidence) -> Iterator[Finding]:
    """Rows that were set aside, each counted once however often it came."""
    if evidence.rejects.is_empty():
        return
    distinct = evidence.rejects.sort("requested_at").unique(("station_id", "row"), keep="last", maintain_order=True)
    stamp = pl.col("row").str.extract(r'"timestamp": "(\d{4}-\d\d-\d\d[T ]\d\d)')
    whole = stamp.str.replace("T", " ") + ":00"
    hour = whole.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", time_zone="UTC", strict=False)
    distinct = distinct.with_columns(since=pl.min_horizontal(hour, "requested_at"))
    for (station_id,), rows in distinct.sort("station_id").group_by("station_id", maintain_order=True):
        yield _rejected(evidence, int(str(station_id)), rows)


def _rejected(evidence: Evidence, station_id: int, rows: pl.DataFrame) -> Finding:
    span = rows.select(
        since=pl.col("since").min(), first=pl.col("requested_at").min(), last=pl.col("requested_at").max()
    )
    since, first, last = span.row(0)
    known = evidence.tables.hourly.filter(pl.col("station_id") == station_id, pl.col("hour").is_between(since, last))[
        "hour"
    ].n_unique()
    reasons = rows["reason"].value_counts(sort=True).sort("count", "reason", descending=[True, False])
    why, often = reasons.row(0)
    all_of_them = "" if often == rows.height else f" ({often:,} of them)"
    return Finding(
        check="rejected-rows",
        severity=_how_bad(evidence, rows.height, known, last),
        station_id=station_id,
        first=first,
        last=last,
        count=rows.height,
        sentence=(
            f"{many(rows.height, 'row')} set aside, beside {many(known, 'good hour')} of the same time; "
            f"the reason: {why}{all_of_them}; last seen {at(last)}"
        ),
        action=f"see `airq-etl export rejects`, and {CLOCK if why == IN_THE_FUTURE else 'tell AirQino'}",
    )


def _how_bad(evidence: Evidence, rows: int, known: int, last: datetime) -> Severity:
    if evidence.now - last > RECENT:
        return "info"
    return "error" if rows >= max(REJECTED_ROWS, REJECTED_SHARE * known) else "warning"


CHECKS: tuple[Check, ...] = (
    Check(
        "mass-revision",
        "hours that were settled, and that a later answer gave otherwise, many at once",
        f"at least {MASS_HOURS} hours and over 1 % of those that the answer can have told; info after 30 days",
        "in 2024 the source began to clamp negative CO to 0: 2,078 of 2,093 hours changed",
        mass_revisions,
        by_station=True,
    ),
    Check(
        "unknown-keys",
        "keys of the API that no sensor here declares",
        "from one on",
        "other station types carry other sensors; an unknown key is news, not an error",
        unknown_keys,
    ),
    Check(
        "vanished-sensor",
        "a sensor that had values and has none any more",
        f"none in the last {DAY_ROWS} hours that the station gave",
        "single hours lack a sensor now and then; a whole day of them has not been seen",
        vanished_sensors,
        by_station=True,
    ),
    Check(
        "rejected-rows",
        "rows of answers that could not be taken, each counted once",
        f"from one on; error from {REJECTED_ROWS} and 1 % of the hours of the same time on; info after 30 days",
        "no row of the captures had to be set aside",
        rejected_rows,
        by_station=True,
    ),
)
