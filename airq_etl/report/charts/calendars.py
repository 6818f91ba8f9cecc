"""A year at a glance: a cell a day, a row a weekday, the years below each other; and the hours of the day by month."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from airq_etl.report.charts.sheet import Sheet, columns, every_month, finished, legend_of_classes, months_axis

CLASSES: Mapping[str, Sequence[float]] = {
    "pm25": [5, 10, 15, 20, 25, 35, 50, 75],
    "co": [0, 0.2, 0.4, 0.6, 0.8, 1, 2, 4],
}
"""Bounds of the colours: WHO's and the EU's values of a day are among them. CO below zero is a zero that drifted."""
HOURS = [1, 12, 18, 24]
"""Bounds of the colours of completeness: none, under half, under three quarters, valid, all (of 24)."""
CELL, ROWS = 12, 8
"""Height of a day, and of a year in days: a week, and what parts it from the next year."""
CLOCK_CLASSES = 7


def means(sheet: Sheet, years: int) -> dict[str, Any]:
    """The calendar of daily means: invalid days hollow, days without a value left out."""
    path = f"{sheet.sensor}.daily"
    base = columns(day="days", expected="expected", mean=f"{path}.mean", hours=f"{path}.hours", valid=f"{path}.valid")
    base = _laid(base).transform_calculate(
        tip=f"{sheet.date('at')} + ': ' + (isValid(datum.mean) ? {sheet.value('mean')} + ', ' : '')"
        f" + datum.hours + ' / ' + datum.expected + ' h' + (datum.valid ? '' : ', ' + {sheet.quoted('not valid')})"
    )
    cells = _cells(base).transform_filter("isValid(datum.mean)").encode(color=classes(sheet))
    return _calendar(
        sheet,
        years,
        base,
        cells.transform_filter("datum.valid").mark_rect(),
        cells.transform_filter("!datum.valid").mark_rect(filled=False, strokeWidth=1.3),
    )


def classes(sheet: Sheet) -> alt.Color:
    """The colour of a mean, by its class."""
    steps = sheet.ink.series("step", 9)
    colours = steps if sheet.sensor == "pm25" else [sheet.ink.below, *steps[:8]]
    scale = alt.Scale(type="threshold", domain=CLASSES[sheet.sensor], range=colours)
    return alt.Color("mean:Q", scale=scale, legend=legend_of_classes(sheet.quantity))


def completeness(sheet: Sheet, years: int) -> dict[str, Any]:
    """The calendar of hours: how many of each day have a value."""
    base = columns(day="days", expected="expected", hours=f"{sheet.sensor}.daily.hours")
    base = _laid(base).transform_calculate(
        share="24 * datum.hours / datum.expected",
        tip=f"{sheet.date('at')} + ': ' + datum.hours + ' / ' + datum.expected + ' h'",
    )
    colour = alt.Color(
        "share:Q",
        scale=alt.Scale(type="threshold", domain=HOURS, range=sheet.ink.series("full", 5)),
        legend=legend_of_classes(sheet.say("hours of 24")),
    )
    return _calendar(sheet, years, base, _cells(base).mark_rect().encode(color=colour))


def _laid(base: alt.Chart) -> alt.Chart:
    """Each day with its place: weeks begin on Monday, the last year lies lowest."""
    return (
        base.transform_calculate(at="toDate(datum.day)")
        .transform_calculate(year="utcyear(datum.at)", weekday="(utcday(datum.at) + 6) % 7")
        .transform_calculate(
            week="floor((utcdayofyear(datum.at) - 1 + (utcday(utc(datum.year, 0, 1)) + 6) % 7) / 7)",
        )
        .transform_joinaggregate(last="max(year)")
        .transform_calculate(top=f"(datum.last - datum.year) * {ROWS} + (6 - datum.weekday) + 1")
        .transform_calculate(right="datum.week + 0.88", bottom="datum.top - 0.88")
    )


def _cells(base: alt.Chart) -> alt.Chart:
    return base.encode(**_place(), x2="right:Q", y2="bottom:Q", tooltip="tip:N")


def _place() -> dict[str, Any]:
    across = alt.X("week:Q", scale=alt.Scale(domain=[-5, 54], nice=False, zero=False), axis=None)
    return {"x": across, "y": alt.Y("top:Q", axis=None, scale=alt.Scale(nice=False, zero=False))}


def _calendar(sheet: Sheet, years: int, base: alt.Chart, *cells: alt.Chart) -> dict[str, Any]:
    """The cells, with the year at the left, and each month named above its first Monday's week."""
    words = base.encode(**_place())
    year = words.transform_aggregate(days="count()", groupby=["year", "last"]).transform_calculate(
        week="-5", top=f"(datum.last - datum.year) * {ROWS} + 4", text="'' + datum.year"
    )
    words = words.transform_calculate(month="utcmonth(datum.at)")
    months = words.transform_aggregate(
        at="min(at)", week="mean(week)", groupby=["year", "month", "last"]
    ).transform_calculate(
        top=f"(datum.last - datum.year) * {ROWS} + 7.6",
        text="width < 420 && datum.month % 2 ? '' : utcFormat(datum.at, '%b')",
        week="datum.week - 0.5",
    )
    return finished(
        alt.layer(
            *cells,
            year.mark_text(align="left", fontWeight="bold").encode(text="text:N"),
            months.mark_text(align="left", fontSize=10, color=sheet.ink.muted).encode(text="text:N"),
        ),
        sheet.ink,
        years * ROWS * CELL,
    )


def clock(sheet: Sheet) -> dict[str, Any]:
    """The mean of each hour of the day by month."""
    path = f"{sheet.sensor}.clock"
    base = columns(**{name: f"{path}.{name}" for name in ("month", "hour", "mean", "hours")}).transform_calculate(
        tip="utcFormat(toDate(datum.month + '-01'), '%b %Y') + ', ' + datum.hour + ' h: '"
        f" + {sheet.value('mean')} + ' (' + datum.hours + ' ' + {sheet.quoted('hours')} + ')'"
    )
    colour = alt.Color(
        "mean:Q",
        scale=alt.Scale(type="quantize", range=sheet.ink.series("step", CLOCK_CLASSES), zero=False, nice=True),
        legend=alt.Legend(
            title=sheet.quantity,
            type="gradient",
            gradientLength=260,
            gradientThickness=10,
            titleLimit=400,
            format=sheet.form,
        ),
    )
    hour = alt.Y(
        "hour:O", title=sheet.say("hour of the day"), axis=alt.Axis(values=[0, 3, 6, 9, 12, 15, 18, 21], ticks=False)
    )
    cells = base.mark_rect().encode(x=months_axis(), y=hour, color=colour, tooltip="tip:N")
    return finished(alt.layer(every_month(sheet), cells), sheet.ink, 300)
