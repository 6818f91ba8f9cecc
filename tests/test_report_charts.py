"""The charts of a report, drawn: what is a gap stays one, every axis has a name, no class is without a colour."""

import re
from datetime import date, timedelta
from functools import cache, partial
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
from airq_etl.stations import Rules
from airq_etl.windows import HOUR, Days
from tests.made_up_report import report_on, run_at, without
from tests.test_report_facts import forecasts, made
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


def shown(name: str, report: Report, station: int = 0) -> str:
    """A chart of a station of another report, or of all stations, as SVG."""
    facts = msgspec.to_builtins(report)
    spec = figures.specifications([name], report, PICTURE, Words())[name]
    rows = {"matrix": facts["stations"], "stations": facts["stations"], "runs": [facts]}
    rows["spread"] = [its for its in facts["compared"] if name.startswith(its["sensor"])]
    of = rows.get(name.rpartition("-")[2], [facts["stations"][station]])
    return vl_convert.vegalite_to_svg(sheet.picture(spec, of, "", []), vl_version=VERSION)


def marks(svg: str, kind: str) -> list[list[str]]:
    """The elements of each group of marks of a kind that has any, one below the other."""
    groups = re.findall(rf'<g class="mark-{kind} role-mark[^>]*>(.*?)</g>', svg)
    return [found for found in (re.findall(r"<path [^>]*>", group) for group in groups) if found]


def is_hollow(mark: str) -> bool:
    return 'fill="none"' in mark or 'fill="transparent"' in mark or "fill=" not in mark


@pytest.mark.parametrize(("name", "stations"), [("pm25-months", 1), ("pm25-clock", 1), ("pm25-matrix", 7)])
def test_a_month_without_a_value_is_a_gap(name: str, stations: int) -> None:
    """It has its place on the axis, and nothing in it that can be seen."""
    rows = pl.concat([hours_of(150 * 24, number, pm25=lively) for number in range(1, stations + 1)])
    report = report_on(without(rows, lambda hour: hour.dt.month().is_in([2, 3])), BEGIN + timedelta(days=150))
    svg = shown(name, report)
    assert re.findall(r">(Jan|Feb|Mar|Apr|May)<", svg) == ["Jan", "Feb", "Mar", "Apr", "May"]


def test_the_line_of_each_station_breaks_at_gaps() -> None:
    """Beside another one as by itself: in three pieces."""
    assert [path.count("M") for path in lines(drawn("pm25-stations"))] == [3, 3]


def test_only_the_day_that_is_not_valid_is_a_circle() -> None:
    """The point of each other day is filled."""
    filled, hollow, _ = marks(drawn("pm25-daily"), "symbol")
    assert (len(filled), len(hollow)) == (56, 1)
    assert not any(map(is_hollow, filled))
    assert all(map(is_hollow, hollow))


def test_only_the_month_with_too_few_days_is_hollow() -> None:
    """January has 20 valid days of 31, February all of its 29."""
    rows = without(hours_of(60 * 24, 1, pm25=lively), lambda hour: (hour.dt.month() == 1) & (hour.dt.day() > 20))
    _, filled, hollow, *_ = marks(shown("pm25-months", report_on(rows, NOW)), "rect")
    assert [list(map(is_hollow, filled)), list(map(is_hollow, hollow))] == [[False], [True]]


def test_only_the_cell_with_too_few_days_is_hollow() -> None:
    """Of seven stations in two months."""
    rows = [hours_of(60 * 24, number, pm25=lively) for number in range(1, 8)]
    rows[3] = without(rows[3], lambda hour: (hour.dt.month() == 1) & (hour.dt.day() > 20))
    _, filled, hollow = marks(shown("pm25-matrix", report_on(pl.concat(rows), NOW)), "rect")
    assert (len(filled), len(hollow)) == (13, 1)
    assert not any(map(is_hollow, filled))
    assert all(map(is_hollow, hollow))


def test_points_of_two_quantities_are_of_days_valid_for_both() -> None:
    """Each where CO is across and PM2.5 upwards."""
    rows = hours_of(60 * 24, 1, pm25=lambda number: float(number // 24), co=lambda number: 2.0 - number // 24 / 100)
    rows = without(rows, lambda hour: (hour.dt.date() == BEGIN.date()) & (hour.dt.hour() > 6))
    (points,) = marks(shown("together", report_on(rows, NOW)), "symbol")
    assert len(points) == 59
    places = [tuple(map(float, found)) for found in re.findall(r"translate\(([\d.]+),([\d.]+)\)", "".join(points))]
    # PM2.5 grows from day to day, and with it CO falls: up and to the left, where y goes down.
    assert places == sorted(places, reverse=True)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)


def test_a_day_of_a_clock_change_is_whole_with_all_its_hours() -> None:
    """23 of 23 are 24 of 24."""
    rows = hours_of(24 * 92, 1, pm25=lively)
    report = report_on(rows, BEGIN + timedelta(days=92, minutes=10), Rules({1: "Europe/Rome"}))
    (cells,) = marks(shown("pm25-completeness", report), "rect")
    # New Year's Day lacks the hour before the data, and the day of today goes on.
    assert sum(f'fill="{PICTURE.full4}"' in cell for cell in cells) == len(cells) - 2


def test_a_week_of_the_calendar_begins_on_monday() -> None:
    """BEGIN is one: seven days are one column, from the top down, and the eighth stands at the top of the next."""
    (cells,) = marks(shown("pm25-calendar", report_on(hours_of(8 * 24, 1, pm25=lively), BEGIN + 8 * HOUR * 24)), "rect")
    places = [tuple(map(float, found)) for found in re.findall(r'd="M([\d.]+),([\d.]+)', "".join(cells))]
    assert len({x for x, _ in places[:7]}) == 1
    assert [y for _, y in places[:7]] == sorted(y for _, y in places[:7])
    assert places[7][0] > places[0][0]
    assert places[7][1] == places[0][1]


def test_the_last_year_lies_lowest() -> None:
    """As one reads."""
    svg = shown("pm25-calendar", report_on(hours_of(24 * 400, 1, pm25=lively), BEGIN + timedelta(days=400)))
    years = {text: float(y) for y, text in re.findall(r'translate\([\d.]+,([\d.]+)\)"[^>]*>(202\d)<', svg)}
    (cells,) = marks(svg, "rect")
    tops = [float(found) for found in re.findall(r'd="M[\d.]+,([\d.]+)', "".join(cells))]
    assert years["2024"] < years["2025"]
    assert max(tops[:366]) < min(tops[366:])


def test_co_below_zero_has_a_colour_of_its_own() -> None:
    """A zero that drifted is no clean air."""
    rows = hours_of(48, 1, co=lambda number: -0.3 if number < 24 else 0.1)
    (cells,) = marks(shown("co-calendar", report_on(rows, BEGIN + timedelta(days=2))), "rect")
    assert [re.findall(r'fill="([^"]*)"', cell) for cell in cells] == [[PICTURE.below], [PICTURE.step0]]


def test_a_forecast_is_a_median_in_two_bands() -> None:
    """The wider one is that of 95 %."""
    ahead = forecasts(*(made(60 * 24 - 1, horizon, station_id=1) for horizon in (1, 2)))
    svg = shown("pm25-ahead", report_on(hours_of(60 * 24, 1, pm25=lively), NOW, forecasts=ahead))
    wide, narrow = marks(svg, "rect")
    heights = [float(re.findall(r"v(-?[\d.]+)", band[0])[0]) for band in (wide, narrow)]
    assert len(wide) == len(narrow) == 2
    # 1 to 5 against 2 to 4 µg/m³.
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.01)
    assert all(f'fill="{PICTURE.band95}"' in mark for mark in wide)


def test_the_highest_median_stands_first() -> None:
    """In the chart as in the facts."""
    rows = pl.concat([hours_of(48, number, pm25=partial(max, 10.0 * number)) for number in (1, 2, 3)])
    svg = shown("pm25-spread", report_on(rows, BEGIN + timedelta(days=2)))
    assert re.findall(r">([123])<", svg) == ["3", "2", "1"]


def test_runs_of_a_day_lie_on_each_other() -> None:
    """Three good ones are three times as high as one that failed, which begins where they end."""
    good, failed = marks(drawn("runs"), "rect")[0]
    heights = [abs(float(re.findall(r"v(-?[\d.]+)", mark)[0])) for mark in (good, failed)]
    assert heights[0] == pytest.approx(3 * heights[1], rel=0.01)


@pytest.mark.parametrize("days", [Days(date(2020, 1, 1), date(2020, 1, 2)), None])
def test_what_is_not_there_is_not_drawn(days: Days | None) -> None:
    """Stations without a day, or without a value of CO, have no chart with sizes that are no numbers."""
    rows = pl.concat([hours_of(24 * 4, number, pm25=lively) for number in (1, 2)])
    report = report_on(rows, BEGIN + timedelta(days=4), days=days)
    every = [*figures.of_the_network(report, Words()), *figures.of_a_station(report.stations[0], report, Words())]
    assert {"co-stations", "co-spread", "co-clock"}.isdisjoint(figure.name for figure in every)
    for figure in every:
        svg = shown(figure.name, report)
        assert not re.search(r"NaN|Infinity|e\+\d", svg), figure.name
