"""Daily means: over time, side by side, by month, and of one quantity against another."""

from typing import Any

import altair as alt

from airq_etl.report.charts.sheet import (
    Sheet,
    columns,
    days_axis,
    every_month,
    finished,
    guidelines,
    months_axis,
    quantity_axis,
)

AT = "toDate(datum.day)"
HEIGHT = 240


def daily(sheet: Sheet) -> dict[str, Any]:
    """The daily means of a station: a line over valid days in a row, broken at gaps; invalid ones hollow."""
    path = f"{sheet.sensor}.daily"
    base = columns(day="days", expected="expected", mean=f"{path}.mean", hours=f"{path}.hours", valid=f"{path}.valid")
    base = base.transform_calculate(
        at=AT,
        sound="datum.valid ? datum.mean : null",
        tip=f"{sheet.date('at')} + ': ' + {sheet.value('mean')} + ', ' + datum.hours + ' / ' + datum.expected + ' h'"
        f" + (datum.valid ? '' : ', ' + {sheet.quoted('not valid')})",
    ).encode(x=days_axis())
    there = "isValid(datum.mean)"
    y, ink = quantity_axis(sheet, "mean", zero=True), sheet.ink
    points = base.encode(y=y, tooltip="tip:N")
    return finished(
        alt.layer(
            base.mark_line(color=ink.accent, strokeWidth=1.4).encode(y=quantity_axis(sheet, "sound", zero=True)),
            points.transform_filter(f"{there} && datum.valid").mark_point(
                filled=True, size=12, color=ink.accent, opacity=1
            ),
            points.transform_filter(f"{there} && !datum.valid").mark_point(
                filled=False, size=34, color=ink.accent, strokeWidth=1.4
            ),
            guidelines(sheet),
            points.transform_filter(there).mark_point(filled=True, size=140, opacity=0, color=ink.accent),
        ),
        ink,
        HEIGHT,
    )


def stations(sheet: Sheet) -> dict[str, Any]:
    """The valid daily means of a few stations, a colour each."""
    path = f"{sheet.sensor}.daily"
    base = columns(day="days", mean=f"{path}.mean", valid=f"{path}.valid").transform_calculate(
        at=AT,
        sound="datum.valid ? datum.mean : null",
        tip=f"datum.label + ', ' + {sheet.date('at')} + ': ' + {sheet.value('mean')}",
    )
    colour = alt.Color(
        "label:N",
        title=None,
        scale=alt.Scale(range=sheet.ink.series("station", 6)),
        legend=alt.Legend(symbolType="stroke", orient="bottom"),
    )
    base = base.encode(x=days_axis(), y=quantity_axis(sheet, "sound", zero=True), color=colour)
    there = base.transform_filter("isValid(datum.sound)").encode(tooltip="tip:N")
    return finished(
        alt.layer(
            base.mark_line(strokeWidth=1.3),
            there.mark_point(filled=True, size=8, opacity=1),
            guidelines(sheet),
            there.mark_point(filled=True, size=120, opacity=0),
        ),
        sheet.ink,
        HEIGHT,
    )


def together(sheet: Sheet) -> dict[str, Any]:
    """PM2.5 against CO, a point a day that is valid for both."""
    base = columns(
        day="days",
        pm25="pm25.daily.mean",
        co="co.daily.mean",
        pm25_valid="pm25.daily.valid",
        co_valid="co.daily.valid",
    ).transform_filter("datum.pm25_valid && datum.co_valid && isValid(datum.pm25) && isValid(datum.co)")
    base = base.transform_calculate(
        at=AT,
        tip=f"{sheet.date('at')} + ': PM2.5 ' + format(datum.pm25, ',.1f') + ' µg/m³, CO '"
        " + format(datum.co, ',.2f') + ' mg/m³'",
    )
    points = base.mark_point(filled=True, size=26, color=sheet.ink.accent, opacity=0.65).encode(
        x=alt.X("co:Q", title=f"CO, {sheet.say('daily mean')}, mg/m³", scale=alt.Scale(zero=False, nice=True)),
        y=alt.Y("pm25:Q", title=f"PM2.5, {sheet.say('daily mean')}, µg/m³", scale=alt.Scale(nice=True)),
        tooltip="tip:N",
    )
    return finished(points, sheet.ink, 260)


def months(sheet: Sheet) -> dict[str, Any]:
    """By month the mean of valid days as a bar, hollow where they are too few, and the highest of them as a stroke."""
    path = f"{sheet.sensor}.months"
    names = ("month", "mean", "highest", "days", "valid_days", "valid")
    base = columns(**{name: f"{path}.{name}" for name in names}).transform_calculate(
        at="toDate(datum.month + '-01')",
        tip=f"utcFormat(datum.at, '%b %Y') + ': ' + {sheet.quoted('mean')} + ' ' + {sheet.value('mean')} + ', '"
        f" + {sheet.quoted('highest day')} + ' ' + {sheet.value('highest')} + ', ' + datum.valid_days + ' '"
        f" + {sheet.quoted('valid days')}",
    )
    base = base.encode(x=months_axis())
    there = base.transform_filter("isValid(datum.mean)").encode(tooltip="tip:N")
    bars, ink = there.encode(y=quantity_axis(sheet, "mean", zero=True)), sheet.ink
    return finished(
        alt.layer(
            every_month(sheet).mark_bar(opacity=0),
            bars.transform_filter("datum.valid").mark_bar(color=ink.band80),
            bars.transform_filter("!datum.valid").mark_bar(filled=False, stroke=ink.accent, strokeWidth=1.4),
            there.mark_tick(color=ink.ink, thickness=2.5, bandSize=16).encode(
                y=quantity_axis(sheet, "highest", zero=True)
            ),
            guidelines(sheet),
        ),
        ink,
        HEIGHT,
    )
