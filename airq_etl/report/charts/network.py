"""The stations side by side, and how the hourly job went."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import altair as alt

from airq_etl.report.charts.calendars import classes
from airq_etl.report.charts.sheet import Sheet, columns, entries, every_month, finished, months_axis
from airq_etl.report.history import RUN_DAYS
from airq_etl.report.ink import Ink
from airq_etl.report.words import TO, Words

ROW, TALL = 18, 20
"""Height of a station, and of how many on the axis is above them, where one looks first."""


def spread(sheet: Sheet, stations: int) -> dict[str, Any]:
    """A row a station: the median of its valid daily means, between which eight of ten lie, and the highest."""
    names = ("station", "days", "p10", "median", "p90", "highest")
    base = entries("spread", *names).transform_calculate(
        tip=f"datum.station + ': ' + {sheet.quoted('median')} + ' ' + {sheet.value('median')}"
        f" + ', {sheet.say('eight of ten days')} ' + format(datum.p10, '{sheet.form}') + ' {TO} '"
        f" + {sheet.value('p90')} + ', ' + {sheet.quoted('highest day')} + ' ' + {sheet.value('highest')} + ', '"
        f" + datum.days + ' ' + {sheet.quoted('valid days')}"
    )
    ink = sheet.ink
    order = alt.EncodingSortField(field="median", order="descending")
    base = base.encode(
        y=alt.Y("station:N", sort=order, title=None, axis=alt.Axis(labelLimit=130, ticks=False, domain=False)),
        tooltip="tip:N",
    )
    axis = alt.Axis(tickCount=6, format=",~f", orient=_side(stations))

    def across(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=sheet.quantity, axis=axis, scale=alt.Scale(zero=False, nice=True))

    return finished(
        alt.layer(
            base.mark_rule(color=ink.band80, strokeWidth=7).encode(x=across("p10"), x2="p90:Q"),
            base.mark_point(filled=True, size=60, color=ink.accent, opacity=1).encode(x=across("median")),
            base.mark_tick(color=ink.ink, thickness=2).encode(x=across("highest")),
        ),
        ink,
        max(stations, 2) * ROW,
    )


def matrix(sheet: Sheet, stations: int) -> dict[str, Any]:
    """A row a station, a column a month: its mean over valid days, hollow where these are too few."""
    path = f"{sheet.sensor}.months"
    names = ("month", "mean", "valid_days", "valid")
    base = columns(**{name: f"{path}.{name}" for name in names}).transform_filter("isValid(datum.mean)")
    base = base.transform_calculate(
        tip="datum.label + ', ' + utcFormat(toDate(datum.month + '-01'), '%b %Y') + ': '"
        f" + {sheet.value('mean')} + ', ' + datum.valid_days + ' ' + {sheet.quoted('valid days')}"
    )
    row = alt.Y("label:N", title=None, axis=alt.Axis(labelLimit=130, ticks=False, domain=False))
    cells = base.encode(x=months_axis(_side(stations)), y=row, color=classes(sheet), tooltip="tip:N")
    return finished(
        alt.layer(
            every_month(sheet, _side(stations)),
            cells.transform_filter("datum.valid").mark_rect(),
            cells.transform_filter("!datum.valid").mark_rect(filled=False, strokeWidth=1.3),
        ),
        sheet.ink,
        max(stations, 2) * ROW,
    )


def _at(day: date) -> int:
    """A day as Vega has its midnight (UTC): milliseconds."""
    return round(datetime.combine(day, time(tzinfo=UTC)).timestamp() * 1000)


def _side(stations: int) -> Literal["top", "bottom"]:
    return "top" if stations > TALL else "bottom"


def runs(ink: Ink, say: Words, last: date) -> dict[str, Any]:
    """How many runs a day were good, partial, failed: the last sixty days, as wide as they are for a new one too."""
    words = {"good": say("good"), "partial": say("partial"), "failed": say("failed")}
    base = columns(day="run_days.day", **{name: f"run_days.{name}" for name in words}).transform_fold(
        list(words), as_=["state", "count"]
    )
    names = "{" + ", ".join(f"{name}: '{word}'" for name, word in words.items()) + "}"
    base = base.transform_filter("datum.count > 0").transform_calculate(
        at="toDate(datum.day)",
        until="toDate(datum.day) + 72000000",
        word=f"{names}[datum.state]",
        tip=f"utcFormat(datum.at, '%Y-%m-%d') + ': ' + datum.count + ' ' + {names}[datum.state]",
    )
    colour = alt.Color(
        "word:N",
        title=None,
        scale=alt.Scale(domain=list(words.values()), range=[ink.good, ink.partial, ink.failed]),
    )
    first = last - timedelta(days=RUN_DAYS - 1)
    days = alt.Scale(type="utc", domain=[_at(first), _at(last + timedelta(days=1))])
    hourly = alt.Scale(domain=alt.DomainUnionWith(unionWith=[0, 24]))
    stacked = base.transform_stack(stack="count", groupby=["day"], as_=["low", "high"])
    bars = stacked.mark_rect().encode(
        x=alt.X("at:T", scale=days, axis=alt.Axis(grid=False, title=None, tickCount=6, format="%d %b")),
        x2="until:T",
        y=alt.Y("low:Q", title=say("runs a day"), scale=hourly, axis=alt.Axis(tickCount=4, format="d")),
        y2="high:Q",
        color=colour,
        tooltip="tip:N",
    )
    return finished(bars, ink, 140)
