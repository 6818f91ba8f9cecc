"""The kinds of charts, as Superset's plugins take their parameters.

`rows` is SQL that holds for the rows kept. Each axis has its unit, and no line goes on over a time without a value.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

MOST_ROWS = 50_000
COLORS = "supersetColors"

Params = dict[str, Any]


class Time(NamedTuple):
    """A column of times: how long a step is, what its axis says, how times are written there and elsewhere (d3)."""

    column: str
    grain: str | None
    title: str
    axis: str
    form: str


class Scale(NamedTuple):
    """What the axis of a value says, and how its numbers are written (d3)."""

    title: str
    form: str


class Line(NamedTuple):
    """A guideline in a chart of daily means: what it is called, at which value."""

    name: str
    value: float
    color: str


DAY = Time("day", "P1D", "Day, local to the station", "%Y-%m-%d", "%Y-%m-%d")
MONTH = Time("month", "P1M", "Month", "%Y-%m", "%Y-%m")
HOUR = Time("hour", "PT1H", "Hour, UTC", "%m-%d %H:%M", "%Y-%m-%d %H:%M")
MOMENT = Time("started_at", None, "Time, UTC", "%m-%d", "%Y-%m-%d %H:%M")


def line(  # noqa: PLR0913 -- what a chart is of
    time: Time,
    measure: str,
    by: str,
    scale: Scale,
    *,
    across: Iterable[Line] = (),
    mark: int = 3,
    rows: str | None = None,
) -> Params:
    """Values over time, a line each; with marks, so that a value between two gaps is seen."""
    return {
        "viz_type": "echarts_timeseries_line",
        "seriesType": "line",
        **_over_time(time, measure, by, scale, rows),
        "markerEnabled": True,
        "markerSize": mark,
        "annotation_layers": [_across(guideline) for guideline in across],
    }


def bars(time: Time, measure: str, by: str, scale: Scale) -> Params:
    """Values over time, side by side."""
    return {"viz_type": "echarts_timeseries_bar", **_over_time(time, measure, by, scale)}


def dots(time: Time, measure: str, by: str, scale: Scale) -> Params:
    """Values at their times, a dot each."""
    drawn = {"viz_type": "echarts_timeseries_scatter", "markerEnabled": True, "markerSize": 6}
    return drawn | _over_time(time, measure, by, scale)


def grouped(category: str, title: str, measures: Sequence[str], scale: Scale, time: Time) -> Params:
    """Measures side by side for each text of a column."""
    return {
        "viz_type": "echarts_timeseries_bar",
        **_axes(title, scale),
        **asked(time),
        "x_axis": category,
        "x_axis_sort": category,
        "x_axis_sort_asc": True,
        "metrics": list(measures),
        "groupby": [],
        "show_value": True,
    }


def boxes(measure: str, scale: Scale, rows: str) -> Params:
    """How the days of each station are spread: quartiles, and whiskers to the lowest and the highest."""
    return {
        "viz_type": "box_plot",
        **_axes("Station", scale),
        **asked(DAY, rows),
        "columns": [DAY.column],
        "temporal_columns_lookup": {DAY.column: True},
        "time_grain_sqla": DAY.grain,
        "groupby": ["station"],
        "metrics": [measure],
        "whiskerOptions": "Min/max (no outliers)",
        "number_format": scale.form,
        "x_ticks_layout": "auto",
    }


def heat(x: str, y: str, measure: str, scale: Scale, colors: str) -> Params:
    """A field for each pair of texts, coloured by a measure of days; white where there is none."""
    return {
        "viz_type": "heatmap_v2",
        **asked(DAY),
        "x_axis": x,
        "groupby": y,
        "metric": measure,
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_desc",
        "normalize_across": "heatmap",
        "linear_color_scheme": colors,
        "legend_type": "continuous",
        "show_legend": True,
        "show_percentage": False,
        "show_values": False,
        "left_margin": "auto",
        "bottom_margin": "auto",
        "value_bounds": [None, None],
        "y_axis_format": scale.form,
        "xscale_interval": -1,
        "yscale_interval": -1,
    }


def percentages(x: str, y: str, measure: str) -> Params:
    """The same of per cent, from red to green, each field with its number in it."""
    fields = heat(x, y, measure, Scale("%", ",.0f"), "schemeRdYlGn")
    return fields | {"value_bounds": [0, 100], "show_values": True}


def cloud(x: tuple[str, Scale], y: tuple[str, Scale], size: str, rows: str) -> Params:
    """A dot for each day and station, one measure against another; `size` is a measure that is the same for all."""
    return {
        "viz_type": "bubble_v2",
        **_axes(x[1].title, y[1]),
        **asked(DAY, rows),
        "entity": "date",
        "series": "station",
        "x": x[0],
        "y": y[0],
        "size": size,
        "max_bubble_size": "5",
        "opacity": 0.6,
        "xAxisFormat": x[1].form,
        "x_axis_label": x[1].title,
        "y_axis_label": y[1].title,
        "truncateXAxis": False,
        "truncateYAxis": False,
    }


def _over_time(time: Time, measure: str, by: str, scale: Scale, rows: str | None = None) -> Params:
    return {
        **_axes(time.title, scale),
        **asked(time, rows),
        "x_axis": time.column,
        "time_grain_sqla": time.grain,
        "metrics": [measure],
        "groupby": [by],
        "truncate_metric": True,
        "show_empty_columns": True,
        "x_axis_time_format": time.axis,
        "tooltipTimeFormat": time.form,
        "rich_tooltip": True,
    }


def _axes(x: str, scale: Scale) -> Params:
    return {
        "x_axis_title": x,
        "x_axis_title_margin": 30,
        "y_axis_title": scale.title,
        "y_axis_title_margin": 45,
        "y_axis_title_position": "Left",
        "y_axis_format": scale.form,
        "show_legend": True,
        "legendOrientation": "top",
        "legendType": "scroll",
        "color_scheme": COLORS,
        "annotation_layers": [],
    }


def asked(time: Time, rows: str | None = None) -> Params:
    """Which rows a chart is of: those of the dashboard's time range, and those for which SQL holds."""
    span = {"clause": "WHERE", "expressionType": "SIMPLE", "subject": time.column, "operator": "TEMPORAL_RANGE"}
    kept = [{"clause": "WHERE", "expressionType": "SQL", "sqlExpression": rows}] if rows else []
    filters = [{**span, "comparator": "No filter"}, *kept]
    return {"adhoc_filters": filters, "granularity_sqla": time.column, "row_limit": MOST_ROWS}


def _across(guideline: Line) -> Params:
    return {
        "name": guideline.name,
        "annotationType": "FORMULA",
        "sourceType": "",
        "value": f"{guideline.value:g}",
        "color": guideline.color,
        "style": "dashed",
        "width": 1.5,
        "opacity": "",
        "show": True,
        "showLabel": False,
        "showMarkers": False,
        "hideLine": False,
        "overrides": {"time_range": None},
        "timeColumn": "",
        "titleColumn": "",
        "descriptionColumns": [],
    }
