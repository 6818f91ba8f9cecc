"""The evidence of some stations at a time: what checks make of hours takes several times the memory they lie in."""

from collections.abc import Iterator

import polars as pl

from airq_etl.portions import LEAST, Portion, portions
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.sanity.gaps import served

HOURS_AT_ONCE = 150_000


def parts(evidence: Evidence) -> Iterator[Evidence]:
    """The evidence of some stations at a time, with all columns of their hours; every row is in one of the parts."""
    counts = evidence.tables.hourly.drop_nulls("station_id").group_by("station_id").len()
    some = portions(dict(counts.iter_rows()), at_once=HOURS_AT_ONCE)
    if len(some) == 1 and evidence.read_hours is None:
        yield evidence
        return
    for portion in some:
        yield _part(evidence, has(portion))


def has(portion: Portion) -> pl.Expr:
    """Whether a row is of one of these stations; those of no station are with the first ones."""
    return portion.has() | pl.col("station_id").is_null() if portion.first == LEAST else portion.has()


def _part(evidence: Evidence, its: pl.Expr) -> Evidence:
    """The evidence of some of the rows; which stations are known, listed and due is not cut."""
    store, read = evidence.store, evidence.read_hours
    part = evidence._replace(
        tables=_of(evidence.tables, its) if read is None else _of(evidence.tables, its)._replace(hourly=read(its)),
        store=store and _of(store, its),
        revisions=_some(evidence.revisions, its),
        rejects=_some(evidence.rejects, its),
        served=None,
        read_hours=None,
    )
    return part._replace(served=served(part))


def _of(place: Place, its: pl.Expr) -> Place:
    return place._replace(hourly=_some(place.hourly, its), daily=_some(place.daily, its))


def _some(rows: pl.DataFrame, its: pl.Expr) -> pl.DataFrame:
    return rows.filter(its) if rows.height else rows
