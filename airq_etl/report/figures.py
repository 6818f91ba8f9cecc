"""Which charts a report has, in which order, and what stands under each: unit, zone, rule, source, findings."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from airq_etl.report import SHOWN
from airq_etl.report.charts import ahead, calendars, days, network
from airq_etl.report.charts.sheet import NAMES, Sheet
from airq_etl.report.comparison import FEW
from airq_etl.report.facts import Report, StationFacts
from airq_etl.report.ink import Ink
from airq_etl.report.words import Words
from airq_etl.sanity.finding import Finding

OF_COMPLETENESS = {
    *("missing-hours", "incomplete-days", "missing-values", "lost-hours", "stale-station", "not-in-service"),
    *("days-without-hours", "hours-without-day", "vanished-sensor", "rejected-rows"),
}
"""Checks about hours that are not there."""
OF_REVISIONS = {"mass-revision"}


class Figure(NamedTuple):
    """A chart: its `name` (`pm25-daily`), the `rows` of the facts that it is drawn from, and what stands by it.

    One that is `alone` is of no single sensor, and has no twin beside it.
    """

    name: str
    rows: str
    title: str
    notes: Sequence[str]
    findings: Sequence[Finding] = ()
    alone: bool = False


class Kind(NamedTuple):
    """A kind of chart of a sensor of a station."""

    name: str
    title: str
    note: str


OF_A_SENSOR: tuple[Kind, ...] = (
    Kind(
        "ahead",
        "{sensor}: the last two days and the next hours",
        "{unit}, means of an hour in UTC. Light and dark band: 95 and 80 % of hours should come within. "
        "Source: AirQino; forecast: airq-etl.",
    ),
    Kind(
        "daily",
        "{sensor}: daily means",
        "{unit}, as reported; days in {zone}. Hollow: under {hours} of 24 hours, not valid. "
        "Lines: WHO 2021, EU 2024/2881 (from 2030), means of a day. Source: AirQino.",
    ),
    Kind(
        "calendar",
        "{sensor}: calendar of daily means",
        "{unit}; days in {zone}, weeks from Monday. Hollow: under {hours} of 24 hours, not valid. Source: AirQino.",
    ),
    Kind(
        "months",
        "{sensor}: monthly means, and the highest day of each month",
        "{unit}, mean of valid daily means; stroke: the highest of them. Hollow: valid days are under 75 % of the "
        "month. The lines are those of a day. Source: AirQino.",
    ),
    Kind(
        "clock",
        "{sensor}: hours of the day by month",
        "{unit}, mean of the complete hours of a month; hours in {zone}, by their start. Source: AirQino.",
    ),
    Kind(
        "completeness",
        "{sensor}: hours of each day",
        "Hours with a value; from {hours} of 24 on a day is valid (75 %: 40 CFR 50 App. N, EU 2024/2881 Annex V). "
        "Days in {zone}. Source: AirQino.",
    ),
)
BOTH = Kind(
    "together",
    "PM2.5 against CO",
    "Daily means, µg/m³ and mg/m³, of the {days} days valid for both; r = {r}. Source: AirQino.",
)


def is_doubted(station: StationFacts, sensor: str) -> bool:
    """Whether the sanity check has more to say of a sensor than what readers should know."""
    return any(its.sensor == sensor and its.severity != "info" for its in station.findings)


def _doubts(station: StationFacts, sensors: Sequence[str], say: Words) -> list[str]:
    doubted = [NAMES[sensor] for sensor in sensors if is_doubted(station, sensor)]
    return [say("The sanity check doubts {sensor} here: see its daily means.", sensor=name) for name in doubted]


def _doubted(report: Report, sensor: str, say: Words) -> list[str]:
    labels = [station.label for station in report.stations if is_doubted(station, sensor)]
    if not labels:
        return []
    names = ", ".join(labels[:FEW]) + (" …" if len(labels) > FEW else "")
    return [say("The sanity check doubts {sensor} of: {stations}.", sensor=NAMES[sensor], stations=names)]


def of_the_network(report: Report, say: Words) -> Iterator[Figure]:
    """The charts of all stations together, of what is there to compare; none of them for one station."""
    count = len(report.stations)
    told = [compared.sensor for compared in report.compared if compared.spread]
    for sensor in told if count > 1 else ():
        name, unit = NAMES[sensor], getattr(report.stations[0], sensor).unit
        doubted = _doubted(report, sensor, say)
        if count <= FEW:
            note = say(
                "{unit}, valid daily means as reported; a line breaks where a day is missing or not valid. "
                "Source: AirQino.",
                unit=unit,
            )
            title = say("{sensor}: the stations, day by day", sensor=name)
            yield Figure(f"{sensor}-stations", "stations", title, [note, *doubted])
        else:
            note = say(
                "{unit}, mean of valid daily means. Hollow: valid days are under 75 % of the month. Source: AirQino.",
                unit=unit,
            )
            title = say("{sensor}: the stations, month by month", sensor=name)
            yield Figure(f"{sensor}-matrix", "stations", title, [note, *doubted])
        note = say(
            "{unit}, valid daily means. Point: median; bar: eight of ten days; stroke: the highest day. "
            "Source: AirQino.",
            unit=unit,
        )
        title = say("{sensor}: the stations against each other", sensor=name)
        yield Figure(f"{sensor}-spread", f"compared:{sensor}", title, [note, *doubted])


def of_runs(say: Words) -> Figure:
    """How the hourly job went."""
    note = say("Runs by the day (UTC) on which they began; partial: some stations failed. Source: the ledger.")
    return Figure("runs", "report", say("Runs"), [note])


def of_a_station(station: StationFacts, report: Report, say: Words) -> Iterator[Figure]:
    """The charts of a station, each beside what the sanity check says of it."""
    for kind in OF_A_SENSOR:
        for sensor in SHOWN:
            facts = getattr(station, sensor)
            if kind.name == "clock" and not facts.clock.month:
                # Its colours go from the lowest value to the highest, and there is none.
                continue
            fill = {"sensor": NAMES[sensor], "unit": facts.unit, "zone": station.zone, "hours": report.min_hours}
            findings = [finding for finding in station.findings if place_of(finding) == (sensor, kind.name)]
            title, note = say(kind.title, **fill), say(kind.note, **fill)
            doubts = [] if kind.name in {"daily", "completeness"} else _doubts(station, [sensor], say)
            yield Figure(f"{sensor}-{kind.name}", str(station.station_id), title, [note, *doubts], findings)
        if kind.name == "daily":
            r = say.number(station.together.r, 2)
            note = say(BOTH.note, days=say.number(station.together.days), r=r)
            notes = [note, *_doubts(station, SHOWN, say)]
            yield Figure(BOTH.name, str(station.station_id), say(BOTH.title), notes, alone=True)


def place_of(finding: Finding) -> tuple[str, str] | None:
    """Sensor and kind of the chart that a finding of a station stands beside; None where no chart is about it."""
    if finding.check in OF_REVISIONS:
        return None
    if finding.check in OF_COMPLETENESS:
        return (finding.sensor if finding.sensor in SHOWN else "pm25"), "completeness"
    return (finding.sensor, "daily") if finding.sensor in SHOWN else None


PLAIN = {
    "ahead": ahead.ahead,
    "daily": days.daily,
    "months": days.months,
    "clock": calendars.clock,
    "stations": days.stations,
}
TALL = {
    "calendar": calendars.means,
    "completeness": calendars.completeness,
    "spread": network.spread,
    "matrix": network.matrix,
}
"""Those whose height goes by the number of years, or of stations."""
OF_YEARS = {"calendar", "completeness"}


def specifications(names: Iterator[str] | Sequence[str], report: Report, ink: Ink, say: Words) -> dict[str, Any]:
    """The Vega-Lite of the charts of these names, without their data."""
    sheets = {guideline.sensor: Sheet(ink, say, guideline) for guideline in report.guidelines}
    makers = dict(_makers(sheets, report, ink, say))
    return {name: makers[name]() for name in dict.fromkeys(names)}


def _makers(
    sheets: dict[str, Sheet], report: Report, ink: Ink, say: Words
) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    stations = len(report.stations)
    years = 1
    if report.first_day is not None and report.last_day is not None:
        years = report.last_day.year - report.first_day.year + 1
    yield "runs", lambda: network.runs(ink, say, report.now.date())
    yield BOTH.name, lambda: days.together(sheets["pm25"])
    for sensor, sheet in sheets.items():
        for name, make in PLAIN.items():
            yield f"{sensor}-{name}", partial(make, sheet)
        for name, tall in TALL.items():
            yield f"{sensor}-{name}", partial(tall, sheet, years if name in OF_YEARS else stations)
