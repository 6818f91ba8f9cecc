"""Forecasts as text for people, 80 columns wide: the next hours in a table a station, and in words.

Names come from the API and may hold anything: what is no printable character becomes a space.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from rich.cells import cell_len, set_cell_size

from airq_etl.forecast import LONGEST
from airq_etl.forecast.outlook import Outlook, Outlooks, Point
from airq_etl.forecast_tables import NONE, ahead, excess, percent, short, table, value, wrapped
from airq_etl.sanity.wording import at, listed, many, printable, sensor

IN_WORDS = ("pm25", "co")
"""The pollutants that are said in words, too; of the others only that there is no forecast, or a lesser one."""
HEADING = ("", "last", "hour", "forecast", "80 %", "95 %", "model", "skill")
IN_95 = HEADING.index("95 %")
"""The column that is left out where the table is too wide."""
LEGEND = (
    "Hours are UTC, by their start. The 80 % interval should hold the value four times in five, the 95 % one 19 times "
    "in 20. skill: how much smaller the error would have been than that of 'it stays as it is', tried on the last 28 "
    "days. No alert: most hours that pass a limit for the first time are not announced."
)
LEFT = ("", "hour", "model")
LONGEST_NAME = 50
NOBODY = "no station has hours to forecast from; see AIRQ_STATIONS and --now"


def forecast_text(found: Outlooks) -> str:
    """A table a station, sentences below it, and at the end what the columns are."""
    parts = [_of_station(list(of)) for _, of in groupby(found.outlooks, lambda one: one.station_id)]
    if not parts:
        return NOBODY
    return "\n\n".join([*parts, wrapped(LEGEND)])


def brief_text(outlooks: Iterable[Outlook], sensors: Sequence[str] = IN_WORDS) -> str:
    """One line a station and pollutant, of `sensors` alone: the last value, and each hour with its 80 % interval."""
    shown = [one for one in outlooks if one.sensor in sensors]
    hours = sorted({point.hour for one in shown for point in one.points})
    heading = ("station", "", "last", *([f"{hour:%H:%M} UTC" for hour in hours] or [""]))
    rows = [(str(one.station_id), _quantity(one), _last(one), *_brief_cells(one, hours)) for one in shown]
    return "\n".join(table(heading, rows, left=("station", "", *heading[3:])))


def _brief_cells(one: Outlook, hours: Sequence[datetime]) -> Iterator[str]:
    there = {point.hour: point for point in one.points}
    if not there:
        yield "no forecast"
        return
    for hour in hours:
        point = there.get(hour)
        yield NONE if point is None else f"{value(point.median, one.sensor)} ({_between(one, point.lo80, point.hi80)})"


def _of_station(outlooks: Sequence[Outlook]) -> str:
    first = outlooks[0]
    name = printable(f"{first.station_id} {first.name or ''}".rstrip())
    heading = set_cell_size(name, min(cell_len(name), LONGEST_NAME))
    rows = [row for one in outlooks for row in _rows(one)]
    lines = [f"{heading}, after {at(first.origin)} UTC", *_fitting(rows)]
    told = [said for one in outlooks for said in sentences(one)]
    return "\n".join([*lines, *([wrapped(*told, mark="-")] if told else [])])


def _fitting(rows: Sequence[Sequence[str]]) -> list[str]:
    if excess(HEADING, rows) > 0:
        heading, *narrower = [(*row[:IN_95], *row[IN_95 + 1 :]) for row in (HEADING, *rows)]
        return table(heading, narrower, left=LEFT)
    return table(HEADING, rows, left=LEFT)


def _rows(one: Outlook) -> Iterator[Sequence[str]]:
    """A row an hour, of which the first has what is of the pollutant; one row where there is no forecast."""
    beginning = (_quantity(one), _last(one))
    if not one.points:
        yield (*beginning, NONE, NONE, NONE, NONE, "no forecast", NONE)
    for point in one.points:
        yield (
            *beginning,
            f"{point.hour:%H:%M}",
            value(point.median, one.sensor),
            _between(one, point.lo80, point.hi80),
            _between(one, point.lo95, point.hi95),
            short(point.model),
            percent(point.skill),
        )
        beginning = ("", "")


def sentences(one: Outlook) -> Iterator[str]:
    """What is to be said of a pollutant: why there is no forecast or a lesser one, and of some the forecast itself."""
    subject = printable(f"{sensor(one.sensor)} at {one.name or f'station {one.station_id}'}")
    if not one.points:
        yield f"{subject}: no forecast: {printable(one.reason or 'it has no values')}"
        return
    if one.sensor in IN_WORDS:
        yield " ".join(filter(None, (_expected(subject, one), _record(one.points))))
    if one.reason:
        models = listed(list(dict.fromkeys(point.model for point in one.points)))
        yield printable(f"{subject}: forecast by {models} alone: {one.reason}")


def _expected(subject: str, one: Outlook) -> str:
    """`PM2.5 at SMART188 is expected to be 11.0 µg/m³ at 17:00 (80 %: 8.0 to 15.0); it was 9.0 at 16:00`."""
    hours = [f"{value(point.median, one.sensor)} at {point.hour:%H:%M}" for point in one.points]
    hours[0] = hours[0].replace(" at ", f" {one.unit} at ", 1)
    bounds = [_between(one, point.lo80, point.hi80) for point in one.points]
    said = f"{subject} is expected to be {listed(hours, LONGEST)} (80 %: {listed(bounds, LONGEST)})"
    if one.last_value is None or one.last_hour is None:
        return f"{said}."
    when = f"{one.last_hour:%H:%M}" if one.last_hour.date() == one.origin.date() else at(one.last_hour)
    gap = (one.origin - one.last_hour) // timedelta(hours=1)
    when += f", {many(gap, 'hour')} before the last" if gap else ""
    return f"{said}; it was {value(one.last_value, one.sensor)} at {when}."


def _record(points: Iterable[Point]) -> str:
    """How such forecasts did; nothing where they have not been scored for long enough."""
    known = [(point.skill, ahead(point.horizon)) for point in points if point.skill is not None]
    skills = [f"{abs(skill):.0f} % {'smaller' if skill >= 0 else 'larger'} at {hour}" for skill, hour in known]
    if not skills:
        return ""
    return f"Over 28 days the error would have been {listed(skills, LONGEST)} than that of 'it stays as it is'."


def _quantity(one: Outlook) -> str:
    return f"{sensor(one.sensor)} {one.unit}"


def _last(one: Outlook) -> str:
    return value(one.last_value, one.sensor)


def _between(one: Outlook, low: float, high: float) -> str:
    return f"{value(low, one.sensor)} to {value(high, one.sensor)}"
