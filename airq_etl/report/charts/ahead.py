"""The last two days hour by hour, and the next hours with the bounds between which they should come."""

from typing import Any

import altair as alt

from airq_etl.report.charts.sheet import Sheet, columns, entries, finished, quantity_axis
from airq_etl.report.words import TO

HOUR_MS = 3_600_000


def ahead(sheet: Sheet) -> dict[str, Any]:
    """The hours as steps, each as wide as the hour it is the mean of; forecasts as the median within two bands."""
    ink, path = sheet.ink, sheet.sensor
    past = columns(hour=f"{path}.recent.hour", value=f"{path}.recent.value").transform_calculate(
        at="toDate(datum.hour)",
        until=f"toDate(datum.hour) + {HOUR_MS}",
        tip=f"{_hour()} + ': ' + {sheet.value('value')}",
    )
    future = (
        entries(f"{path}.outlook && datum.{path}.outlook.points", "hour", "median", "lo80", "hi80", "lo95", "hi95")
        .transform_calculate(at="toDate(datum.hour)", until=f"toDate(datum.hour) + {HOUR_MS}")
        .transform_calculate(
            tip=f"{_hour()} + ': ' + {sheet.quoted('forecast')} + ' ' + {sheet.value('median')} + ', 80 % '"
            f" + {_between(sheet, 'lo80', 'hi80')} + ', 95 % ' + {_between(sheet, 'lo95', 'hi95')}",
        )
    )
    axis = alt.Axis(
        grid=False,
        title=sheet.say("time, UTC"),
        format="%d %b %H:%M",
        tickCount={"expr": "max(2, round(width / 110))"},
    )
    across = alt.X("at:T", scale=alt.Scale(type="utc"), axis=axis)
    there = past.transform_filter("isValid(datum.value)").encode(x=across, x2="until:T", tooltip="tip:N")
    to_come = future.encode(x=across, x2="until:T", tooltip="tip:N")
    return finished(
        alt.layer(
            to_come.mark_rect(color=ink.band95).encode(y=quantity_axis(sheet, "lo95"), y2="hi95:Q"),
            to_come.mark_rect(color=ink.band80).encode(y=quantity_axis(sheet, "lo80"), y2="hi80:Q"),
            past.mark_line(color=ink.accent, interpolate="step-after", strokeWidth=1).encode(
                x=across, y=quantity_axis(sheet, "value")
            ),
            there.mark_rule(color=ink.accent, strokeWidth=2).encode(y=quantity_axis(sheet, "value")),
            to_come.mark_rule(color=ink.ink, strokeWidth=2.5).encode(y=quantity_axis(sheet, "median")),
        ),
        ink,
        220,
    )


def _hour() -> str:
    return "utcFormat(datum.at, '%Y-%m-%d %H:%M') + ' UTC'"


def _between(sheet: Sheet, low: str, high: str) -> str:
    return f"format(datum.{low}, '{sheet.form}') + ' {TO} ' + format(datum.{high}, '{sheet.form}')"
