"""The dashboard: where each chart stands, under which heading, and the filters of station and time."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from airq_etl.superset import air, job
from airq_etl.superset.chart import Chart

Node = dict[str, Any]
UuidOf = Callable[[str], str]

COLUMNS = 12
TITLE = "Air quality"
ABOUT = """\
Hourly readings of AirQino stations, as airq-etl keeps them: low-cost sensors, **indicative, not regulatory**.
A day is local to its station, an hour is UTC and named by its start. A daily mean is valid with 75 % of its hours \
(18 of 24); means here are of valid days alone, where a chart does not say otherwise. Nothing is clipped or filled in: \
CO may read below zero where a sensor's zero has drifted, and a line breaks where there is no value."""


class Section(NamedTuple):
    """Charts under a heading, row by row; each row's charts share its width, and have its `height` (of 8 pixels)."""

    heading: str
    rows: Sequence[tuple[int, Sequence[Chart]]]


SECTIONS = (
    Section("Stations", [(22, air.STATIONS)]),
    Section("Over time", [(52, air.OVER_TIME[:1]), (52, air.OVER_TIME[1:])]),
    Section("Stations compared", [(52, air.COMPARED)]),
    Section("Months", [(48, air.MONTHS[:2]), (48, air.MONTHS[2:4]), (56, air.MONTHS[4:])]),
    Section("Highest values", [(50, air.HIGHEST[:2]), (56, air.HIGHEST[2:])]),
    Section("Guidelines", [(56, air.GUIDELINES[:2]), (48, air.GUIDELINES[2:])]),
    Section("Completeness", [(40, job.COMPLETENESS)]),
    Section("Forecasts", [(52, job.FORECASTS[:1]), (52, job.FORECASTS[1:2]), (36, job.FORECASTS[2:])]),
    Section("Runs", [(48, job.RUNS)]),
)
CHARTS = tuple(chart for section in SECTIONS for _, charts in section.rows for chart in charts)


def dashboard(uuid_of: UuidOf, title: str, slug: str, filtered_by: str) -> Node:
    """The dashboard; `filtered_by` is the UUID of the dataset whose stations can be chosen from."""
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
    return [number for number, chart in enumerate(CHARTS, 1) if not heeds(chart)]


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
    yield from _row("about", [_text()])
    for place, section in enumerate(SECTIONS):
        yield _heading(f"HEADER-{place}", section.heading)
        for row, (height, charts) in enumerate(section.rows):
            width, numbers = COLUMNS // len(charts), range(number + 1, number + 1 + len(charts))
            number += len(charts)
            drawn = [_drawn(uuid_of, *chart, width, height) for chart in zip(numbers, charts, strict=True)]
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


def _heading(own: str, text: str) -> Node:
    meta = {"text": text, "headerSize": "MEDIUM_HEADER", "background": "BACKGROUND_TRANSPARENT"}
    return {"id": own, "type": "HEADER", "children": [], "parents": ["ROOT_ID", "GRID_ID"], "meta": meta}


def _text() -> Node:
    return {"id": "MARKDOWN-about", "type": "MARKDOWN", "children": [], "meta": {"code": ABOUT, "width": 12, "height": 14}}


def _drawn(uuid_of: UuidOf, number: int, chart: Chart, width: int, height: int) -> Node:
    meta = {"chartId": number, "uuid": uuid_of(f"chart/{chart.key}"), "sliceName": chart.title}
    return {
        "id": f"CHART-{chart.key}",
        "type": "CHART",
        "children": [],
        "meta": {**meta, "width": width, "height": height},
    }
