"""The report as a page, and as pictures."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import altair as alt
import msgspec
import vl_convert

from airq_etl.errors import AirqError
from airq_etl.pipeline.output import write, write_whole
from airq_etl.report import figures
from airq_etl.report.charts.sheet import picture
from airq_etl.report.facts import Report
from airq_etl.report.figures import Figure
from airq_etl.report.ink import PICTURE
from airq_etl.report.page import Parts, page
from airq_etl.report.words import Language, Words

DEPLOY = resources.files("airq_etl") / "deploy"
LOCALES: Mapping[Language, Literal["en-US", "fr-FR"]] = {"en": "en-US", "fr": "fr-FR"}
VERSION = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
SHARPNESS = 2.0
"""Pixels of a picture to one of the page."""


def write_page(report: Report, say: Words, target: Path) -> int:
    """Write the page; how many bytes it has. AirqError where it cannot be."""
    name = LOCALES[say.language]
    locale = {"number": vl_convert.get_format_locale(name), "time": vl_convert.get_time_format_locale(name)}
    scripts = [
        vl_convert.javascript_bundle(snippet="window.vegaEmbed=vegaEmbed;", vl_version=VERSION),
        _read("report.js"),
    ]
    html = page(report, say, _compiled, Parts(_read("report.html"), _read("report.css"), scripts, locale))
    # A name may hold half a character, which no file can.
    content = html.encode("utf-8", "replace")
    write([content], target)
    return len(content)


def _compiled(chart: dict[str, Any]) -> dict[str, Any]:
    """A chart as Vega, so that no browser has to compile it."""
    return dict(vl_convert.vegalite_to_vega(chart, vl_version=VERSION))


def _read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def write_pictures(
    report: Report, say: Words, directory: Path, progress: Callable[[int, int], None] | None = None
) -> list[str]:
    """Write each chart as a PNG into a directory, made where it is not there; their names.

    `progress` is told how many of how many are done. AirqError where one cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AirqError(f"{directory} cannot be made: {error.strerror or error}") from error
    drawn = list(_drawn(report, say))
    charts = figures.specifications([figure.name for _, figure in drawn], report, PICTURE, say)
    facts = msgspec.to_builtins(report)
    rows = {str(its["station_id"]): [its] for its in facts["stations"]}
    rows |= {f"compared:{its['sensor']}": [its] for its in facts["compared"]}
    rows |= {"stations": facts["stations"], "report": [facts]}
    names = []
    for done, (title, figure) in enumerate(drawn, start=1):
        spec = picture(charts[figure.name], rows[figure.rows], title, [*_wrapped([*figure.notes, *_said(figure, say)])])
        names.append(f"{figure.rows if figure.rows.isdecimal() else 'all'}-{figure.name}.png")
        write_whole(directory / names[-1], [_png(spec, say)])
        if progress is not None:
            progress(done, len(drawn))
    return names


def _drawn(report: Report, say: Words) -> Iterator[tuple[str, Figure]]:
    """Each figure, with a title that names its station."""
    for figure in figures.of_the_network(report, say):
        yield figure.title, figure
    for station in report.stations:
        for figure in figures.of_a_station(station, report, say):
            yield f"{station.label}, {figure.title}", figure
    if report.runs:
        figure = figures.of_runs(say)
        yield figure.title, figure


def _said(figure: Figure, say: Words) -> Iterator[str]:
    """What the sanity check says of a chart, which goes where the picture goes."""
    for finding in figure.findings:
        yield f"{say(finding.severity)}{say.colon} {say.finding(finding.sentence)}"


def _wrapped(notes: Sequence[str]) -> Iterator[str]:
    for note in notes:
        yield from re.findall(r".{1,130}(?:\s|$)", note)


def _png(spec: dict[str, Any], say: Words) -> bytes:
    name = LOCALES[say.language]
    return vl_convert.vegalite_to_png(
        spec, vl_version=VERSION, scale=SHARPNESS, format_locale=name, time_format_locale=name
    )
