"""The charts of a report, drawn: what is a gap stays one, every axis has a name, no class is without a colour."""

import re
from datetime import timedelta
from functools import cache
from typing import Any

import altair as alt
import msgspec
import polars as pl
import pytest
import vl_convert

from airq_etl.report import figures, ink
from airq_etl.report.build import GUIDELINES
from airq_etl.report.charts import calendars, sheet
from airq_etl.report.facts import Report
from airq_etl.report.ink import PAGE, PICTURE
from airq_etl.report.words import Words
from airq_etl.windows import HOUR
from tests.made_up_report import report_on, run_at, without
from tests.years import BEGIN, hours_of, lively

NOW = BEGIN + timedelta(days=60, minutes=20)
VERSION = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def made_up(stations: int = 2) -> Report:
    """A report of two months in which days 10 to 12 are missing and day 20 is not valid."""
    rows = pl.concat(
        [
            without(
                hours_of(60 * 24, number, pm25=lively, co=lambda hour: lively(hour) / 10),
                lambda hour: (
                    (hour.dt.date().is_between(BEGIN.date() + timedelta(9), BEGIN.date() + timedelta(11)))
                    | ((hour.dt.date() == BEGIN.date() + timedelta(19)) & (hour.dt.hour() < 10))
                ),
            )
            for number in range(1, stations + 1)
        ]
    )
    return report_on(rows, NOW, runs=[run_at(NOW)], run_days={NOW.date(): {"SUCCESS": 3, "FAILED": 1}})


@cache
def drawn(name: str, stations: int = 2, language: str = "en") -> str:
    """A chart of the report as SVG."""
    report = made_up(stations)
    say = Words("fr" if language == "fr" else "en")
    every = [*figures.of_the_network(report, say), figures.of_runs(say)]
    every += figures.of_a_station(report.stations[0], report, say)
    (figure,) = (figure for figure in every if figure.name == name)
    spec = figures.specifications([name], report, PICTURE, say)[name]
    facts = msgspec.to_builtins(report)
    rows: dict[str, list[Any]] = {"stations": facts["stations"], "report": [facts], "1": [facts["stations"][0]]}
    rows |= {f"compared:{its['sensor']}": [its] for its in facts["compared"]}
    return vl_convert.vegalite_to_svg(
        sheet.picture(spec, rows[figure.rows], figure.title, figure.notes), vl_version=VERSION
    )


def names(stations: int = 2) -> list[str]:
    say = Words()
    report = made_up(stations)
    network = [figure.name for figure in figures.of_the_network(report, say)]
    return [*network, "runs", *(figure.name for figure in figures.of_a_station(report.stations[0], report, say))]


def lines(svg: str) -> list[str]:
    """The paths of the lines, each with a letter M for every piece of it."""
    groups = re.findall(r'<g class="mark-line role-mark[^>]*>(.*?)</g>', svg)
    return [path for group in groups for path in re.findall(r' d="([^"]*)"', group)]


@pytest.mark.parametrize("name", names())
def test_every_chart_is_drawn(name: str) -> None:
    """With marks in it, and a title."""
    svg = drawn(name)
    assert svg.count("<path ") > 10
    assert "NaN" not in svg


@pytest.mark.parametrize("sensor", ["pm25", "co"])
def test_no_line_crosses_a_gap(sensor: str) -> None:
    """The line of daily means is in three pieces: up to the days that are missing, up to the one not valid, after."""
    assert [path.count("M") for path in lines(drawn(f"{sensor}-daily"))] == [3]


def test_the_line_of_hours_breaks_where_one_is_missing() -> None:
    """A gap of an hour is a gap."""
    rows = without(hours_of(60 * 24, 1, pm25=lively), lambda hour: hour == NOW.replace(minute=0) - 20 * HOUR)
    report = report_on(rows, NOW)
    spec = figures.specifications(["pm25-ahead"], report, PICTURE, Words())["pm25-ahead"]
    facts = msgspec.to_builtins(report.stations[0])
    svg = vl_convert.vegalite_to_svg(sheet.picture(spec, [facts], "", []), vl_version=VERSION)
    assert [path.count("M") for path in lines(svg)] == [2]


def test_an_invalid_day_is_hollow() -> None:
    """In the line chart and in the calendar it is drawn without being filled; the other days are."""
    hollow = re.findall(r'fill="none"|fill="transparent"', drawn("pm25-daily"))
    assert hollow
    (cells,) = re.findall(r'<g class="mark-rect role-mark layer_1_marks"[^>]*>(.*?)</g>', drawn("pm25-calendar"))
    assert len(re.findall("<path", cells)) == 1
    assert 'fill="none"' in cells or 'fill="transparent"' in cells or "fill=" not in cells


def test_days_without_a_value_have_no_cell() -> None:
    """Of sixty days, three are missing, one is hollow, and 56 are filled."""
    (cells,) = re.findall(r'<g class="mark-rect role-mark layer_0_marks"[^>]*>(.*?)</g>', drawn("pm25-calendar"))
    assert len(re.findall("<path", cells)) == 56


def test_completeness_has_a_cell_for_every_day() -> None:
    """Those without data are coloured as such; today too."""
    (cells,) = re.findall(r'<g class="mark-rect role-mark layer_0_marks"[^>]*>(.*?)</g>', drawn("pm25-completeness"))
    assert len(re.findall("<path", cells)) == 61
    assert cells.count(f'fill="{PICTURE.full0}"') == 4
    assert cells.count(f'fill="{PICTURE.full2}"') == 1


@pytest.mark.parametrize(
    "name", [name for name in names() if not re.search("calendar|completeness|runs|together", name)]
)
def test_every_axis_or_legend_says_its_unit(name: str) -> None:
    """A number without a unit is worth nothing."""
    sensor, unit = ("PM2.5", "µg/m³") if name.startswith("pm25") else ("CO", "mg/m³")
    assert f">{sensor}, {unit}<" in drawn(name)


def test_both_axes_of_two_quantities_have_their_units() -> None:
    """Each its own."""
    svg = drawn("together")
    assert ">CO, daily mean, mg/m³<" in svg
    assert ">PM2.5, daily mean, µg/m³<" in svg


@pytest.mark.parametrize("name", ["pm25-daily", "pm25-stations", "pm25-months"])
def test_guidelines_are_lines_with_their_names(name: str) -> None:
    """WHO 15 and EU 25 of PM2.5; where they agree, as for CO, it is one line."""
    assert ">WHO 15<" in drawn(name)
    assert ">EU 25<" in drawn(name)
    assert ">WHO, EU 4<" in drawn(name.replace("pm25", "co"))


def test_many_stations_are_rows_and_not_lines() -> None:
    """Seven lines cannot be told apart."""
    assert "pm25-matrix" in names(7)
    assert "pm25-stations" not in names(7)
    assert all(f">{number}<" in drawn("pm25-matrix", 7) for number in range(1, 8))


def test_a_station_by_itself_is_compared_with_nobody() -> None:
    """Its charts are all there are."""
    assert list(figures.of_the_network(made_up(1), Words())) == []


def test_charts_speak_french() -> None:
    """Months, decimals and names."""
    svg = drawn("pm25-daily", language="fr")
    assert ">OMS 15<" in svg
    assert ">WHO 15<" not in svg


def test_the_bounds_of_classes_include_the_guidelines() -> None:
    """So that a colour says on which side of them a day is; and each class has its colour."""
    for guideline in GUIDELINES:
        assert {guideline.who, guideline.eu} <= set(calendars.CLASSES[guideline.sensor])
        assert len(calendars.CLASSES[guideline.sensor]) + 1 == len(PICTURE.series("step", 9))
    assert len(calendars.HOURS) + 1 == len(PICTURE.series("full", 5))


def test_light_and_dark_have_the_same_colours() -> None:
    """By name: what the page draws with is there in both."""
    assert ink.LIGHT.keys() == ink.DARK.keys() == PAGE.colours.keys()


@pytest.mark.parametrize("colours", [ink.LIGHT, ink.DARK])
@pytest.mark.parametrize("name", ["ink", "muted", "who", "eu", "good", "partial", "failed", "accent"])
def test_what_is_written_can_be_read(colours: dict[str, str], name: str) -> None:
    """Against its ground a text has a contrast of 4.5 (WCAG 2, level AA)."""
    lighter, darker = sorted((_luminance(colours[name]), _luminance(colours["surface"])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_classes_go_from_faint_to_strong() -> None:
    """In light as in dark each class stands out more from the ground than the one below it."""
    for colours in (ink.LIGHT, ink.DARK):
        ground = _luminance(colours["surface"])
        away = [abs(_luminance(colours[f"step{number}"]) - ground) for number in range(9)]
        assert away == sorted(away)
