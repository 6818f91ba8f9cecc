"""The facts of a report, from the frames that it is made of."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from airq_etl import daily, guidelines
from airq_etl.report import SHOWN, days, history, now
from airq_etl.report.comparison import compared, labels
from airq_etl.report.days import Calendar
from airq_etl.report.facts import Guideline, Report, SensorFacts, StationFacts, Together
from airq_etl.report.material import Material
from airq_etl.report.series import Clock
from airq_etl.sensors import BY_COLUMN

SILENT = timedelta(days=60)
"""A station that is silent for longer has left; its days end with its last one."""
GUIDELINES = tuple(
    Guideline(
        sensor=sensor,
        unit=BY_COLUMN[sensor].unit,
        who=who,
        who_days=guidelines.WHO_DAYS,
        eu=eu,
        eu_days=guidelines.EU_DAYS,
    )
    for sensor, who, eu in (
        ("pm25", guidelines.WHO_PM25_DAY, guidelines.EU_PM25_DAY),
        ("co", guidelines.WHO_CO_DAY, guidelines.EU_CO_DAY),
    )
)
BY_SENSOR = {guideline.sensor: guideline for guideline in GUIDELINES}


def build(material: Material, version: str) -> Report:
    """The report on all stations of the material, by their ids."""
    names = labels(material.stations)
    stations = [_station(material, station_id, names[station_id]) for station_id in sorted(material.stations)]
    there = [day for station in stations for day in station.days[:1] + station.days[-1:]]
    runs = sorted(material.runs, key=lambda run: run.started_at, reverse=True)
    return Report(
        now=material.now,
        version=version,
        source=material.source,
        min_hours=material.rules.min_hours,
        first_day=min(there, default=None),
        last_day=max(there, default=None),
        guidelines=list(GUIDELINES),
        stations=stations,
        compared=[compared(stations, sensor, BY_COLUMN[sensor].unit) for sensor in SHOWN] if stations else [],
        findings=[finding for finding in material.findings if finding.station_id is None],
        findings_as_of=material.findings_as_of,
        runs=runs,
        run_days=history.run_days(material.run_days, material.now.date()),
    )


def _station(material: Material, station_id: int, label: str) -> StationFacts:
    whose = pl.col("station_id") == station_id
    zone = material.rules.zones.get(station_id, "UTC")
    laid = _calendar(material, station_id, zone)
    hours = material.recent.filter(whose)
    forecasts, revisions = (
        material.forecasts.filter(whose),
        material.revisions.filter(whose, pl.col("seen_at") <= material.now),
    )
    pm25, co = (_sensor(material, station_id, name, laid, hours, forecasts) for name in SHOWN)
    return StationFacts(
        station_id=station_id,
        name=material.stations[station_id].name,
        zone=zone,
        newest=now.newest(hours, material.newest.get(station_id), material.now),
        days=laid.rows["day"].to_list(),
        expected=laid.rows["expected"].to_list(),
        days_over=int(laid.over.sum()),
        pm25=pm25,
        co=co,
        together=_together(laid),
        findings=[finding for finding in material.findings if finding.station_id == station_id],
        revisions=history.revised(revisions),
        days_revised=revisions.select(daily.day_of(material.rules.zones)).to_series().n_unique(),
        label=label,
    )


def _calendar(material: Material, station_id: int, zone: str) -> Calendar:
    rows = material.daily.filter(pl.col("station_id") == station_id)
    since = material.rules.in_service.get(station_id)
    if since is not None:
        rows = rows.filter(pl.col("day") >= _local(since, zone))
    today = _local(material.now, zone)
    rows = rows.filter(pl.col("day") <= today)
    if rows.is_empty():
        return days.lay_out(rows, today, today - days.DAY, zone, today)
    first, last = rows["day"][0], rows["day"][-1]
    newest = material.newest.get(station_id)
    end = today if material.days is None else min(material.days.last, today)
    if newest is not None and material.now - newest < SILENT:
        last = max(last, end)
    return days.lay_out(rows, first, last, zone, today)


def _local(time: datetime, zone: str) -> date:
    return time.astimezone(ZoneInfo(zone) if zone != "UTC" else UTC).date()


def _sensor(  # noqa: PLR0913, PLR0917 -- what is known of a sensor
    material: Material, station_id: int, name: str, laid: Calendar, hours: pl.DataFrame, forecasts: pl.DataFrame
) -> SensorFacts:
    reason = material.reasons.get((station_id, name))
    its = (pl.col("station_id") == station_id) & (pl.col("sensor") == name)
    return SensorFacts(
        sensor=name,
        unit=BY_COLUMN[name].unit,
        completeness=days.completeness(laid, name),
        valid_days=days.valid(laid, name).height,
        daily=days.daily_of(laid, name),
        highest=days.highest(laid, name, of_valid=True),
        highest_of_all=days.highest(laid, name, of_valid=False),
        months=days.months(laid, name),
        years=days.years(laid, name, BY_SENSOR[name]),
        clock=_clock(material.clock.filter(its)),
        recent=now.recent(hours, name, material.now),
        outlook=now.outlook(forecasts, name, material.now, station_id, reason),
        scores=now.scored(forecasts, name, material.now),
    )


def _clock(rows: pl.DataFrame) -> Clock:
    rows = rows.sort("month", "hour")
    return Clock(
        month=rows["month"].to_list(),
        hour=rows["hour"].to_list(),
        mean=rows["mean"].round(days.PLACES).to_list(),
        hours=rows["hours"].to_list(),
    )


def _together(laid: Calendar) -> Together:
    both = days.valid(laid, "pm25").join(days.valid(laid, "co"), on="day")
    return Together(days=both.height, r=days.correlation(both["mean"], both["mean_right"]))
