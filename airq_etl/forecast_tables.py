"""What is known of forecasts as tables of 80 columns: how they turned out, which model serves, how a backtest went."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, zip_longest
from typing import Any

import polars as pl
from rich.cells import cell_len, set_cell_size

from airq_etl.forecast import POLLUTANTS
from airq_etl.forecast.outlook import Backtest, BacktestScore
from airq_etl.sanity.wording import at, many, printable, sensor
from airq_etl.status_view import grid
from airq_etl.summary import WIDTH, rendered

NONE = "-"
DECIMALS, OF_CO = 1, 2
"""Of a value, as the table of daily means has them; of a mean error one more."""
LARGE = 99.95  # from which on it has none
GIVES_WAY = "model"
SCORES = ("", "ahead", "model", "hours", "error", "stays", "skill", "pinball", "80 %", "95 %")
BACKTEST = ("", "ahead", "model", "hours", "known", "error", "skill", "pinball", "80 %", "95 %")
SINCE, SENSOR, AHEAD, MODEL = 17, 6, 6, 15  # the widths of the history of models


def scores_text(scores: pl.DataFrame, *, of_days: bool = False) -> str:
    """How forecasts turned out (rows of `scores.SCORE_SCHEMA`), a table a station; `of_days` that were asked for."""
    if scores.is_empty() and of_days:
        return "no forecast for an hour of these days has been scored"
    if scores.is_empty():
        return "no forecast has been scored yet: the hours of some have to come first"
    legend = (
        "error: mean absolute error, in the unit of the sensor; stays: that of 'it stays as it is'; skill: by how "
        "much the first is smaller; pinball: the loss over all five quantiles, the smaller the better; 80 %, 95 %: of "
        "the hours, how many lay within. Few hours tell little."
    )
    return "\n\n".join([*_by_station(SCORES, scores.to_dicts(), _score), wrapped(legend)])


def backtest_text(done: Backtest) -> str:
    """How each model did, a table a station, and what was written where."""
    tables = _by_station(BACKTEST, [_row(score) for score in done.scores], _backtest_score)
    written = f", in {done.output}" if done.output else ""
    legend = (
        "served: whoever would have served; seasonal naive: as the day before. known: of the hours that came, how many "
        "had been forecast; error: mean absolute error, in the unit of the sensor, over the hours that all of them had "
        "forecast; skill: by how much it is smaller than that of persistence; pinball: the loss over all five "
        "quantiles, the smaller the better; 80 %, 95 %: how many hours lay within."
    )
    made = f"{many(done.rows, 'forecast')} in {done.seconds:.0f} s{written}"
    return "\n\n".join([*tables, wrapped(legend), wrapped(made)])


def models_text(models: pl.DataFrame) -> str:
    """Which model served since when and why (rows of `table.MODEL_SCHEMA`), a list a station."""
    if models.is_empty():
        return "no model has served yet"
    parts: list[Any] = []
    found = sorted(models.to_dicts(), key=_place_of_change)
    for station_id, rows in groupby(found, lambda row: row["station_id"]):
        parts += [*([""] if parts else []), f"station {station_id}, since (UTC)"]
        parts.append(grid([SINCE, SENSOR, AHEAD, MODEL, None], [_change(row) for row in rows]))
    return rendered(parts)


def _place_of_change(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["station_id"], row["since"], POLLUTANTS.index(row["sensor"]), row["horizon"]


def _change(row: Mapping[str, Any]) -> Sequence[str]:
    before = f" (before: {row['before']})" if row["before"] else ""
    said = f"{row['reason'] or ''}{before}".strip()
    return at(row["since"]), sensor(row["sensor"]), ahead(row["horizon"]), row["model"], said


def _by_station(heading: Sequence[str], rows: Iterable[Mapping[str, Any]], cells: Any) -> Iterator[str]:  # noqa: ANN401
    found = sorted(rows, key=lambda row: (row["station_id"], POLLUTANTS.index(row["sensor"]), row["horizon"]))
    for station_id, of in groupby(found, lambda row: row["station_id"]):
        lines, before = [], None
        for row in of:
            named = (sensor(row["sensor"]), ahead(row["horizon"]))
            # What stands in the row above is not said again.
            beginning = ("", "") if named == before else named
            lines.append((*beginning, *cells(row)))
            before = named
        yield "\n".join([f"station {station_id}", *table(heading, lines, left=("", "ahead", "model"))])


def _score(row: Mapping[str, Any]) -> Sequence[str]:
    errors = (error(row[name], row["sensor"]) for name in ("mae", "persistence_mae"))
    return short(row["model"]), f"{row['hours']:,}", *errors, percent(row["skill"]), *_intervals(row)


def _backtest_score(row: Mapping[str, Any]) -> Sequence[str]:
    answered, mae = percent(row["answered"], 1), error(row["mae"], row["sensor"])
    return short(row["model"]), f"{row['hours']:,}", answered, mae, percent(row["skill"], 1), *_intervals(row)


def _intervals(row: Mapping[str, Any]) -> Sequence[str]:
    return error(row["pinball"], row["sensor"]), percent(row["coverage80"], 1), percent(row["coverage95"], 1)


def _row(score: BacktestScore) -> Mapping[str, Any]:
    return {name: getattr(score, name) for name in score.__struct_fields__}


def value(number: float | None, column: str) -> str:
    """A value of a sensor, or a bound; from a hundred on to the whole."""
    if number is None:
        return NONE
    decimals = 0 if abs(number) >= LARGE else OF_CO if column == "co" else DECIMALS
    return f"{number:z,.{decimals}f}"


def error(number: float | None, column: str) -> str:
    """A mean error of a sensor."""
    return NONE if number is None else f"{number:.{(OF_CO if column == 'co' else DECIMALS) + 1}f}"


def short(model: str) -> str:
    """The name of a model, as it fits into a table."""
    return model.removesuffix(" persistence")


def percent(number: float | None, decimals: int = 0) -> str:
    """Per cent, which may be negative."""
    return NONE if number is None else f"{number:.{decimals}f} %"


def ahead(horizon: int) -> str:
    """How far ahead: `+1 h`."""
    return f"+{horizon} h"


def wrapped(*sentences: str, mark: str = "") -> str:
    """Sentences, in as many lines as 80 columns ask for, each after the `mark`."""
    if not mark:
        return rendered([grid([None], [(printable(said),) for said in sentences])])
    return rendered([grid([len(mark) + 1, None], [(mark, printable(said)) for said in sentences])])


def table(heading: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[str]) -> list[str]:
    """Columns side by side, those headed as in `left` to the left and others to the right; a row may end early.

    Where they would not fit otherwise they stand closer, and then the name of the model is cut.
    """
    widths = _widths(heading, rows)
    gap = "  " if excess(heading, rows) <= 1 - len(widths) else " "
    if GIVES_WAY in heading:
        where = heading.index(GIVES_WAY)
        widths[where] = max(widths[where] - max(excess(heading, rows), 0), len(GIVES_WAY))

    def cell(text: str, name: str, width: int) -> str:
        return set_cell_size(text, width) if name in left else " " * (width - cell_len(text)) + text

    return [gap.join(map(cell, row, heading, widths)).rstrip() for row in (heading, *rows)]


def excess(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """By how many columns a table is too wide, a blank between its own; negative where there is room."""
    widths = _widths(heading, rows)
    return sum(widths) + len(widths) - 1 - WIDTH


def _widths(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """The widest cell of each column."""
    return [max(map(cell_len, column)) for column in zip_longest(heading, *rows, fillvalue="")]
