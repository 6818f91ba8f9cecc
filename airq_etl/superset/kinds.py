"""The kinds of charts, as Superset's plugins take their parameters.

`rows` keeps the rows for which SQL holds. Each axis has its unit, and no line goes on over a day or hour without a value.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

MOST_ROWS = 50_000
COLORS = "supersetColors"
DAY, HOUR, MONTH = "P1D", "PT1H", "P1M"
TIMES = {DAY: "%Y-%m-%d", HOUR: "%Y-%m-%d %H:%M", MONTH: "%Y-%m"}

Params = dict[str, Any]


class Line(NamedTuple):
    """A guideline in a chart of daily means: what it is called, at which value."""

    name: str
    value: float
    color: str


def line(  # noqa: PLR0913 -- what a chart is of
    time: str,
    grain: str,
    measures: Sequence[str],
    by: str,
    unit: str,
    form: str,
    *,
    across: Iterable[Line] = (),
    rows: str | None = None,
) -> Params:
    """Values over time, a line each; small marks, so that a value between two gaps is seen."""
    marks = {"markerEnabled": True, "markerSize": 3, "seriesType": "line"}
    return {"viz_type": "echarts_timeseries_line", **marks, **_over_time(time, grain, measures, by, unit, form, rows)} | {
        "annotation_layers": [_across(guideline) for guideline in across]
    }


def bars(  # noqa: PLR0913 -- what a chart is of
    time: str, grain: str, measures: Sequence[str], by: str, unit: str, form: str
) -> Params:
    """Values over time, side by side."""
    return {"viz_type": "echarts_timeseries_bar", **_over_time(time, grain, measures, by, unit, form, None)}


def dots(  # noqa: PLR0913 -- what a chart is of
    time: str, measures: Sequence[str], by: str, unit: str, form: str
) -> Params:
    """Values at their times, a dot each."""
    marks = {"markerSize": 6, "markerEnabled": True}
    return {"viz_type": "echarts_timeseries_scatter", **_over_time(time, None, measures, by, unit, form, None), **marks}


def grouped(category: str, measures: Sequence[str], title: str, unit: str, time: str) -> Params:
    """Measures side by side for each text of a column."""
    return {
        "viz_type": "echarts_timeseries_bar",
        **_axes(title, unit),
        **_asked(time, None),
        "x_axis": category,
        "x_axis_sort": category,
        "x_axis_sort_asc": True,
        "metrics": list(measures),
        "groupby": [],
        "y_axis_format": ",d",
        "show_value": True,
        "row_limit": MOST_ROWS,
    }


def boxes(measure: str, time: str, unit: str, form: str, rows: str) -> Params:
    """How the days of each station are spread: quartiles, and whiskers to the lowest and the highest."""
    return {
        "viz_type": "box_plot",
        **_asked(time, rows),
        "columns": [time],
        "temporal_columns_lookup": {time: True},
        "time_grain_sqla": DAY,
        "groupby": ["station"],
        "metrics": [measure],
        "whiskerOptions": "Min/max (no outliers)",
        "number_format": form,
        "x_ticks_layout": "auto",
        "x_axis_title": "Station",
        "x_axis_title_margin": 30,
        "y_axis_title": unit,
        "y_axis_title_margin": 45,
        "color_scheme": COLORS,
        "row_limit": MOST_ROWS,
    }


def heat(x: str, y: str, measure: str, colors: str, form: str, *, time: str, values: bool = False) -> Params:  # noqa: PLR0913
    """A field for each pair of texts, coloured by a measure; white where there is none."""
    return {
        "viz_type": "heatmap_v2",
        **_asked(time, None),
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
        "show_values": values,
        "left_margin": "auto",
        "bottom_margin": "auto",
        "value_bounds": [None, None],
        "y_axis_format": form,
        "xscale_interval": -1,
        "yscale_interval": -1,
        "row_limit": MOST_ROWS,
    }


def cloud(x: str, y: str, titles: tuple[str, str], forms: tuple[str, str], *, size: str, time: str, rows: str) -> Params:  # noqa: PLR0913
    """A dot for each day, one measure against another."""
    return {
        "viz_type": "bubble_v2",
        **_asked(time, rows),
        "entity": "date",
        "series": "station",
        "x": x,
        "y": y,
        "size": size,
        "max_bubble_size": "5",
        "opacity": 0.6,
        "xAxisFormat": forms[0],
        "y_axis_format": forms[1],
        "x_axis_title": titles[0],
        "x_axis_title_margin": 30,
        "y_axis_title": titles[1],
        "y_axis_title_margin": 45,
        "truncateXAxis": True,
        "truncateYAxis": False,
        "show_legend": True,
        "legendOrientation": "top",
        "legendType": "scroll",
        "color_scheme": COLORS,
        "row_limit": MOST_ROWS,
    }


def totals(by: Sequence[str], measures: Sequence[str], time: str, *, order: str | None = None, most: int = 1000) -> Params:
    """A table of measures for each of some texts, those with the most of `order` first."""
    return {
        "viz_type": "table",
        **_asked(time, None),
        "query_mode": "aggregate",
        "groupby": list(by),
        "metrics": list(measures),
        "timeseries_limit_metric": order,
        "order_desc": True,
        "row_limit": most,
        "show_cell_bars": False,
    }


def rows_of(  # noqa: PLR0913 -- what a table shows
    names: Sequence[str], time: str, order: str, most: int, forms: Mapping[str, str], rows: str | None = None
) -> Params:
    """A table of rows as they are, those with the most of `order` first."""
    return {
        "viz_type": "table",
        **_asked(time, rows),
        "query_mode": "raw",
        "all_columns": list(names),
        "order_by_cols": [f'["{order}", false]'],
        "column_config": {name: {"d3NumberFormat": form} for name, form in forms.items()},
        "table_timestamp_format": "%Y-%m-%d %H:%M",
        "row_limit": most,
        "show_cell_bars": False,
    }


def _over_time(  # noqa: PLR0913 -- as above
    time: str, grain: str | None, measures: Sequence[str], by: str, unit: str, form: str, rows: str | None
) -> Params:
    shown = TIMES[grain or HOUR]
    return {
        **_axes("Month" if grain == MONTH else "Day, local" if grain == DAY else "Time, UTC", unit),
        **_asked(time, rows),
        "x_axis": time,
        "time_grain_sqla": grain,
        "metrics": list(measures),
        "groupby": [by],
        "truncate_metric": True,
        "show_empty_columns": True,
        "y_axis_format": form,
        "x_axis_time_format": "%Y-%m" if grain == MONTH else "smart_date",
        "tooltipTimeFormat": shown,
        "rich_tooltip": True,
        "zoomable": False,
        "row_limit": MOST_ROWS,
    }


def _axes(x: str, y: str) -> Params:
    return {
        "x_axis_title": x,
        "x_axis_title_margin": 30,
        "y_axis_title": y,
        "y_axis_title_margin": 45,
        "y_axis_title_position": "Left",
        "show_legend": True,
        "legendOrientation": "top",
        "legendType": "scroll",
        "color_scheme": COLORS,
        "annotation_layers": [],
    }


def _asked(time: str, rows: str | None) -> Params:
    """Which rows: those of the dashboard's time range, and those for which SQL holds."""
    span = {"clause": "WHERE", "expressionType": "SIMPLE", "subject": time, "operator": "TEMPORAL_RANGE"}
    kept = [{"clause": "WHERE", "expressionType": "SQL", "sqlExpression": rows}] if rows else []
    return {"adhoc_filters": [{**span, "comparator": "No filter"}, *kept], "granularity_sqla": time}


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
