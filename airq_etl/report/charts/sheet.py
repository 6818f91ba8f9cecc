"""What charts have in common: data that are columns of the facts, axes, labels, guideline lines."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import altair as alt

from airq_etl.report.facts import Guideline
from airq_etl.report.ink import Ink
from airq_etl.report.words import Words

FACTS = "facts"
"""The name of a chart's data: one row, that of its station, or a row a station."""
PLACES: Mapping[str, int] = {"pm25": 1, "co": 2}
"""To how many places a sensor's values are shown."""
NAMES: Mapping[str, str] = {"pm25": "PM2.5", "co": "CO"}
PICTURE_WIDTH = 860


class Sheet(NamedTuple):
    """What a chart is drawn on: colours, language, and by which sensor."""

    ink: Ink
    say: Words
    guideline: Guideline

    @property
    def sensor(self) -> str:
        """The column of the sensor."""
        return self.guideline.sensor

    @property
    def quantity(self) -> str:
        """The sensor and its unit, as an axis says it."""
        return f"{NAMES[self.sensor]}, {self.guideline.unit}"

    @property
    def form(self) -> str:
        """How a value is written, in d3's words."""
        return f",.{PLACES[self.sensor]}f"

    def value(self, field: str) -> str:
        """A Vega expression that writes a value with its unit."""
        return f"format(datum.{field}, '{self.form}') + ' {self.guideline.unit}'"

    def date(self, field: str) -> str:
        """A Vega expression that writes a day as this language does."""
        return f"utcFormat(datum.{field}, '{'%d/%m/%Y' if self.say.language == 'fr' else '%Y-%m-%d'}')"

    def quoted(self, text: str, **fill: object) -> str:
        """A text of the report as a string of a Vega expression."""
        said = self.say(text, **fill)
        return "'" + said.replace("\\", "\\\\").replace("'", "\\'") + "'"


def columns(**paths: str) -> alt.Chart:
    """A chart of rows whose fields are the entries of columns that lie at these paths of the facts."""
    return alt.Chart(alt.NamedData(FACTS)).transform_flatten(list(paths.values()), as_=list(paths))


def entries(path: str, *fields: str) -> alt.Chart:
    """A chart of rows that are the structs in the list at this path of the facts; none where there is no list."""
    found = alt.Chart(alt.NamedData(FACTS)).transform_calculate(list=f"datum.{path} || []")
    found = found.transform_flatten(["list"], as_=["entry"]).transform_filter("isValid(datum.entry)")
    return found.transform_calculate(**{field: f"datum.entry.{field}" for field in fields})


def days_axis(title: str | None = None) -> alt.X:
    """An axis of days (UTC midnights): months and years as there is room."""
    axis = alt.Axis(grid=False, tickCount={"expr": "max(3, round(width / 80))"}, title=title)
    return alt.X("at:T", scale=alt.Scale(type="utc"), axis=axis)


def months_axis(side: Literal["top", "bottom"] = "bottom") -> alt.X:
    """An axis of months, each of the same width, with the year below the first and below each January."""
    at = "toDate(datum.value + '-01')"
    year = f"datum.index == 0 || utcmonth({at}) == 0 ? utcFormat({at}, '%Y') : ''"
    axis = alt.Axis(grid=False, title=None, labelAngle=0, orient=side, labelExpr=f"[utcFormat({at}, '%b'), {year}]")
    return alt.X("month:O", axis=axis)


def every_month(sheet: Sheet, side: Literal["top", "bottom"] = "bottom") -> alt.Chart:
    """The months themselves, unseen: so that one without a value is a gap, and not left out of the axis."""
    months: alt.Chart = columns(month=f"{sheet.sensor}.months.month").mark_rect(opacity=0).encode(x=months_axis(side))
    return months.transform_aggregate(rows="count()", groupby=["month"])


def quantity_axis(sheet: Sheet, field: str, *, zero: bool = False) -> alt.Y:
    """An axis of concentrations."""
    scale = alt.Scale(zero=zero, nice=True)
    return alt.Y(f"{field}:Q", title=sheet.quantity, scale=scale, axis=alt.Axis(tickCount=6, format=",~f"))


def guidelines(sheet: Sheet) -> alt.LayerChart | alt.FacetChart:
    """The lines of WHO and the EU, each with its name at its right end; one line where they agree."""
    its = sheet.guideline
    lines: list[tuple[float, Sequence[str], str]]
    lines = [(its.who, ("WHO",), sheet.ink.who), (its.eu, ("EU",), sheet.ink.eu)]
    if its.who == its.eu:
        lines = [(its.who, ("WHO", "EU"), sheet.ink.who)]
    return alt.layer(*(layer for line in lines for layer in _guideline(sheet, *line)))


def _guideline(sheet: Sheet, value: float, names: Sequence[str], colour: str) -> list[alt.Chart]:
    words = f"{', '.join(sheet.say(name) for name in names)} {sheet.say.number(value)}"
    base = alt.Chart(alt.InlineData(values=[{"limit": value, "name": words}])).encode(y="limit:Q")
    place: dict[str, Any] = {"align": "right", "baseline": "bottom", "dy": -3, "fontWeight": "bold"}
    word = base.encode(x=alt.value("width"), text="name:N")
    return [
        base.mark_rule(color=colour, strokeDash=[5, 3], strokeWidth=1.2),
        # Once as a halo, so that it can be read over lines.
        word.mark_text(color=sheet.ink.surface, stroke=sheet.ink.surface, strokeWidth=4, **place),
        word.mark_text(color=colour, **place),
    ]


def legend_of_classes(title: str) -> alt.Legend:
    """A legend of classes, as many in a row as there is room for."""
    columns = {"expr": "max(3, floor(width / 75))"}
    return alt.Legend(
        title=title,
        type="symbol",
        symbolType="square",
        symbolSize=130,
        symbolStrokeWidth=0,
        titleLimit=400,
        columns=columns,
        format=",~f",
    )


def finished(chart: alt.LayerChart | alt.Chart | alt.FacetChart, ink: Ink, height: int | None) -> dict[str, Any]:
    """The specification of a chart that is as wide as its place."""
    size = {} if height is None else {"height": height}
    spec: dict[str, Any] = chart.properties(width="container", **size).to_dict()
    return spec | {"config": ink.config(), "autosize": {"type": "fit-x", "contains": "padding"}}


def picture(spec: Mapping[str, Any], rows: Sequence[Any], title: str, notes: Sequence[str]) -> dict[str, Any]:
    """The specification with its data, a title and what stands under it in the page, to stand by itself."""
    return {
        **spec,
        "width": PICTURE_WIDTH,
        "padding": 16,
        "datasets": {**spec.get("datasets", {}), FACTS: list(rows)},
        "title": {"text": title, "subtitle": list(notes), "subtitleFontSize": 11, "offset": 12},
    }
