"""What findings say of rows: numbers, times, and how to put right what is wrong."""

from typing import Any

import polars as pl

from airq_etl.sanity.evidence import Place
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.wording import at, many

REBUILD = "run `airq-etl transform --rebuild`"
LOAD = "run `airq-etl load --full`"


def error(check: str, place: Place, times: pl.Series, *, sentence: str, action: str, **more: Any) -> Finding:  # noqa: ANN401 -- fields of a finding
    """A finding of severity error about rows of these times (hours, or days), one a row unless `count` says else."""
    first: Any = times.min()
    last: Any = times.max()
    fields = {"count": times.len()} | more
    return Finding(
        check=check,
        severity="error",
        first=first,
        last=last,
        sentence=sentence,
        action=action,
        place=place.name,
        **fields,
    )


def rows_of(hours: pl.Series, days: pl.Series) -> str:
    """How many hours and days: `24 hours and 1 day`, `3 hours`."""
    return " and ".join(many(rows.len(), unit) for rows, unit in ((hours, "hour"), (days, "day")) if rows.len())


def which(times: pl.Series) -> str:
    """Which hours or days these are: `: 2023-04-22`, or `, the first is 2023-04-22`."""
    return f"{', the first is' if times.len() > 1 else ':'} {at(times.min())}"


def value(number: object, unit: str = "") -> str:
    """A value with its unit, `none` where there is none."""
    if number is None:
        return "none"
    if isinstance(number, bool):
        return "yes" if number else "no"
    text = f"{number:,.6g}" if isinstance(number, float) else f"{number}"
    return f"{text} {unit}".rstrip()
