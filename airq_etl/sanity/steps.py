"""What sensors say against their past and their neighbours: levels that change from one day to the next, and stay."""

from collections.abc import Iterator
from math import exp
from typing import Any

import polars as pl

from airq_etl.sanity import levels, sites
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.levels import BY_SENSOR
from airq_etl.sanity.wording import number, plain
from airq_etl.sensors import BY_COLUMN


def _steps(evidence: Evidence) -> Iterator[Finding]:
    days = sites.days_of(evidence)
    elsewhere = sites.within(sites.stretches(days), near=levels.LEAST)
    own = levels.steps(levels.changes(days)).filter(pl.col("sensor") != levels.SWING, ~elsewhere)
    for _, group in levels.together(own).group_by("group", maintain_order=True):
        rows = group.to_dicts()
        first, last = rows[0]["day"], rows[-1]["day"]
        alone = all(row["apart_change"] is None for row in rows)
        yield Finding(
            check="step",
            severity="warning",
            station_id=rows[0]["station_id"],
            sensor=rows[0]["sensor"] if len(rows) == 1 else None,
            first=first,
            last=last,
            count=len(rows),
            sentence=f"the fortnight from {first} on has {', '.join(map(_jump, rows))}, at once"
            + ("" if alone else "; stations with the same weather show less than half of it, if any"),
            action="find out what was done to it, and compare no means across that day",
        )


def _jump(row: dict[str, Any]) -> str:
    before, after = row["before"], row["after"]
    if BY_SENSOR[row["sensor"]].logarithm:
        before, after = exp(before), exp(after)
    name = row["sensor"]
    return f"{BY_COLUMN[name].key} {plain(after)} instead of {number(before, name)}"


CHECKS: tuple[Check, ...] = (
    Check(
        "step",
        "levels that changed from one day to the next and stayed, while the neighbours' did not",
        f"medians of {levels.WINDOW} days apart by {levels.STEP:g} usual distances of a day from them"
        f" ({levels.STEP_ALONE:g} without neighbours, CO and CO2 alone)",
        "two stations in Abidjan, and made-up seasons that must not be found",
        _steps,
        for_runs=False,
    ),
)
