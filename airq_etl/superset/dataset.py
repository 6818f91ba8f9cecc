"""What a dataset is: a query, its columns, and the measures that charts take of it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from airq_etl.superset.source import Database

Kind = Literal["text", "number", "time"]


class Column(NamedTuple):
    """A column of a dataset: of what kind, and how a chart calls it."""

    name: str
    kind: Kind
    label: str


class Measure(NamedTuple):
    """What a chart takes of rows: SQL that aggregates, how a chart calls it, and how its numbers are written (d3)."""

    name: str
    sql: str
    label: str
    form: str = ""


class Dataset(NamedTuple):
    """A query and what there is in it; `time` is the column that a time range is of."""

    key: str
    said: str
    sql: str
    columns: tuple[Column, ...]
    measures: tuple[Measure, ...]
    database: Database
    time: str

    def measure(self, name: str) -> Measure:
        """One of its measures."""
        return next(measure for measure in self.measures if measure.name == name)


def columns(told: Mapping[str, tuple[Kind, str]]) -> tuple[Column, ...]:
    """Columns, from their names, kinds and labels."""
    return tuple(Column(name, kind, label) for name, (kind, label) in told.items())
