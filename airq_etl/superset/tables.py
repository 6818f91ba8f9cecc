"""Tables, as Superset's plugin for them takes its parameters."""

from collections.abc import Mapping, Sequence

from airq_etl.superset.kinds import Params, Time, asked

PAGE = 10
"""Rows of a list on a page."""


def totals(by: Sequence[str], measures: Sequence[str], time: Time, order: str | None = None) -> Params:
    """A table of measures for each of some texts, those with the most of `order` first."""
    return {
        "viz_type": "table",
        **asked(time),
        "query_mode": "aggregate",
        "groupby": list(by),
        "metrics": list(measures),
        "timeseries_limit_metric": order,
        "order_desc": True,
        "show_cell_bars": False,
    }


def listed(names: Mapping[str, str], time: Time, order: str, rows: str | None = None) -> Params:
    """A table of rows as they are, those with the most of `order` first; by column how its numbers are written."""
    return {
        "viz_type": "table",
        **asked(time, rows),
        "query_mode": "raw",
        "all_columns": list(names),
        "order_by_cols": [f'["{order}", false]'],
        "column_config": {name: {"d3NumberFormat": form} for name, form in names.items() if form},
        "table_timestamp_format": "%Y-%m-%d %H:%M",
        "page_length": PAGE,
        "show_cell_bars": False,
    }
