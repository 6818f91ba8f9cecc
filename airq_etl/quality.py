"""Flags: what a reading is worth. Values stay as reported; a flag stands beside each.

The levels are ordered: `ok`, `info`, `suspect`, `bad`. A bad value is no reading, and is left out of means.
"""

from collections.abc import Iterable

import polars as pl

from airq_etl.sensors import BY_COLUMN, present

LEVELS = pl.Enum(["ok", "info", "suspect", "bad"])


def flags(columns: Iterable[str]) -> list[pl.Expr]:
    """The flag columns (`co_flag`, ...; null where there is no value) of the sensors among `columns`."""
    return [_flag(name).alias(f"{name}_flag") for name in present(columns)]


def good(name: str) -> pl.Expr:
    """The values of a sensor's column, null where they are bad."""
    return pl.when(pl.col(name).is_between(BY_COLUMN[name].lowest, BY_COLUMN[name].highest)).then(pl.col(name))


def _flag(name: str) -> pl.Expr:
    value, sensor = pl.col(name), BY_COLUMN[name]
    level = pl.when(value.is_null()).then(None).when(good(name).is_null()).then(pl.lit("bad"))
    if not sensor.signed:
        level = level.when(value < 0).then(pl.lit("suspect"))
    return level.otherwise(pl.lit("ok")).cast(LEVELS)
