"""The dashboard: where each chart stands, under which heading, and the filters of station and time."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airq_etl.superset import air, job
from airq_etl.superset.chart import Chart

Node = dict[str, Any]
UuidOf = Callable[[str], str]

COLUMNS = 12
COLUMNS_OF_TEXT = 150
"""So many letters stand in a line of text on a screen that is rather narrow."""
TITLE = "Air quality"
ABOUT = (
    "Hourly readings of AirQino stations, as airq-etl keeps them: low-cost sensors, **indicative, not regulatory**. "
    "A day is local to its station, an hour is UTC and named by its start. A daily mean is valid with 75 % of its "
    "hours (18 of 24, if the settings say nothing else); means here are of valid days alone, where a chart does not "
    "say otherwise. Nothing is clipped or filled in: CO may read below zero where a sensor's zero has drifted, and a "
    "line breaks where there is no value."
)


SECTIONS = (*air.SECTIONS, *job.SECTIONS)
CHARTS = tuple((chart, section) for section in SECTIONS for _, charts in section.rows for chart in charts)
"""Each chart, with the section that it stands in."""


def dashboard(uuid_of: UuidOf, title: str, slug: str, filtered_by: str, colors: Mapping[str, str]) -> Node:
    """The dashboard; `filtered_by` is the UUID of the dataset whose stations can be chosen, `colors` are of series."""
    return {
        "dashboard_title": title,
        "description": "CO and PM2.5 of the stations: over time, compared, against guidelines; forecasts and runs.",
        "css": "",
        "slug": slug,
        "uuid": uuid_of(f"dashboard/{slug}"),
        "position": dict(_nodes(uuid_of, title)),
        "metadata": {
            "color_scheme": "supersetColors",
            "refresh_frequency": 0,
            "cross_filters_enabled": True,
            "label_colors": colors,
            "filter_bar_orientation": "HORIZONTAL",
            "native_filter_configuration": [
                _filter(uuid_of, "Station", "filter_select", _out_of(_heeds_station), **_stations(filtered_by)),
                _filter(uuid_of, "Time", "filter_time", _out_of(_heeds_time), targets=[{}], controlValues={}),
            ],
        },
        "published": True,
        "version": "1.0.0",
    }


def _heeds_station(chart: Chart) -> bool:
    return chart.station


def _heeds_time(chart: Chart) -> bool:
    return chart.any_time


def _out_of(heeds: Callable[[Chart], bool]) -> list[int]:
    """The charts, by their number, that a filter is not for."""
    return [number for number, (chart, _) in enumerate(CHARTS, 1) if not heeds(chart)]


def _stations(dataset: str) -> Node:
    return {
        "targets": [{"column": {"name": "station"}, "datasetUuid": dataset}],
        "controlValues": {
            "enableEmptyFilter": False,
            "defaultToFirstItem": False,
            "multiSelect": True,
            "searchAllOptions": True,
            "inverseSelection": False,
            "sortAscending": True,
        },
    }


def _filter(uuid_of: UuidOf, name: str, kind: str, excluded: list[int], **more: Any) -> Node:  # noqa: ANN401
    return {
        "id": f"NATIVE_FILTER-{uuid_of(f'filter/{name}')}",
        "name": name,
        "filterType": kind,
        "type": "NATIVE_FILTER",
        "description": "",
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": excluded},
        **more,
    }


def _nodes(uuid_of: UuidOf, title: str) -> Iterator[tuple[str, Any]]:
    """The tree of what stands where, as Superset keeps it: each node by its id, with the ids under it."""
    grid = list(_grid(uuid_of))
    below = [node["id"] for node in grid if node["parents"] == ["ROOT_ID", "GRID_ID"]]
    yield "DASHBOARD_VERSION_KEY", "v2"
    yield "ROOT_ID", {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]}
    yield "GRID_ID", {"id": "GRID_ID", "type": "GRID", "children": below, "parents": ["ROOT_ID"]}
    yield "HEADER_ID", {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": title}}
    yield from ((node["id"], node) for node in grid)


def _grid(uuid_of: UuidOf) -> Iterator[Node]:
    number = 0
    yield from _row("about", [_text("about", ABOUT)])
    for place, section in enumerate(SECTIONS):
        yield from _row(f"{place}", [_text(f"{place}", f"### {section.heading}\n{section.said}")])
        for row, (height, charts) in enumerate(section.rows):
            size = {"width": COLUMNS // len(charts), "height": height}
            numbers = range(number + 1, number + 1 + len(charts))
            number += len(charts)
            drawn = [_drawn(uuid_of, chart, own, size) for own, chart in zip(numbers, charts, strict=True)]
            yield from _row(f"{place}-{row}", drawn)


def _row(name: str, children: list[Node]) -> Iterator[Node]:
    own = f"ROW-{name}"
    yield {
        "id": own,
        "type": "ROW",
        "children": [child["id"] for child in children],
        "parents": ["ROOT_ID", "GRID_ID"],
        "meta": {"background": "BACKGROUND_TRANSPARENT"},
    }
    yield from ({**child, "parents": ["ROOT_ID", "GRID_ID", own]} for child in children)


def _text(name: str, code: str) -> Node:
    lines = sum(-(-len(line) // COLUMNS_OF_TEXT) for line in code.splitlines())
    meta = {"code": code, "width": COLUMNS, "height": 5 + 3 * lines}
    return {"id": f"MARKDOWN-{name}", "type": "MARKDOWN", "children": [], "meta": meta}


def _drawn(uuid_of: UuidOf, chart: Chart, number: int, size: Node) -> Node:
    meta = {"chartId": number, "uuid": uuid_of(f"chart/{chart.key}"), "sliceName": chart.title, **size}
    return {"id": f"CHART-{chart.key}", "type": "CHART", "children": [], "meta": meta}
