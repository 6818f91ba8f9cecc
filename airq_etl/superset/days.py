"""The days of the stations: a row for each of the calendar, also where a station gave nothing: there a line breaks."""

from collections.abc import Mapping
from textwrap import indent

from airq_etl.guidelines import EU_PM25_DAY, WHO_CO_DAY, WHO_PM25_DAY
from airq_etl.superset.dataset import Dataset, Kind, Measure, columns
from airq_etl.superset.source import Source


def calendar(source: Source) -> str:
    """The beginning of a query: `stations`, `reported` (the daily table), and `calendar`, every day of every station.

    A station's days go from its first to the last that any station has: one that is silent goes on to be missing.
    """
    return f"""\
with recursive
named as (
{indent(source.stations, "  ")}
),
reported as (
  select station_id, {source.day("day")} as day, expected, final,
         pm25_mean, pm25_max, pm25_hours, pm25_valid, pm25_above_who, pm25_above_eu, pm25_aqi,
         co_mean, co_max, co_hours, co_valid, co_above_who
  from {source.daily}
),
bounds as (
  select station_id, min(day) as first, (select max(day) from reported) as last from reported group by station_id
),
calendar as (
  select station_id, first as day, last from bounds
  union all
  select station_id, {source.next_day("day")}, last from calendar where day < last
),
days as (
  select c.station_id, coalesce(n.station, cast(c.station_id as text)) as station, c.day,
         -- A day under way is not yet expected to have its hours.
         case when c.day = c.last and not coalesce(r.final, false) then 0 else coalesce(r.expected, 24) end as expected,
         case when r.pm25_valid then r.pm25_mean end as pm25,
         case when r.co_valid then r.co_mean end as co,
         case when not r.pm25_valid then r.pm25_mean end as pm25_few_hours,
         case when not r.co_valid then r.co_mean end as co_few_hours,
         r.pm25_max, r.co_max, r.pm25_aqi, r.pm25_above_who, r.pm25_above_eu, r.co_above_who,
         coalesce(r.pm25_hours, 0) as pm25_hours, coalesce(r.co_hours, 0) as co_hours
  from calendar c
  left join reported r on r.station_id = c.station_id and r.day = c.day
  left join named n on n.station_id = c.station_id
)"""


def dataset(source: Source) -> Dataset:
    """A row a station and day."""
    sql = f"""\
{calendar(source)}
select station, station_id, {source.midnight("day")} as day, day as date, substr(day, 1, 7) as month,
       substr(day, 1, 4) as year, station || ' ' || substr(day, 1, 4) as station_year,
       substr(day, 9, 2) as day_of_month, pm25, co, pm25_few_hours, co_few_hours,
       pm25_max, co_max, pm25_aqi, pm25_hours, co_hours, expected,
       case when expected > 0 then pm25_hours end as pm25_hours_counted,
       case when expected > 0 then co_hours end as co_hours_counted,
       case when pm25_above_who then 1 when not pm25_above_who then 0 end as pm25_above_who,
       case when pm25_above_eu then 1 when not pm25_above_eu then 0 end as pm25_above_eu,
       case when co_above_who then 1 when not co_above_who then 0 end as co_above_who
from days"""
    return Dataset(
        "days",
        "A row a station and calendar day, local to the station. pm25 (µg/m³) and co (mg/m³) are the means of valid "
        "days, null on others; those of days with too few hours stand in *_few_hours.",
        sql,
        columns(COLUMNS),
        MEASURES,
        source.database,
        "day",
    )


COLUMNS: Mapping[str, tuple[Kind, str]] = {
    "station": ("text", "Station"),
    "station_id": ("number", "Station id"),
    "day": ("time", "Day"),
    "date": ("text", "Day"),
    "month": ("text", "Month"),
    "year": ("text", "Year"),
    "station_year": ("text", "Station and year"),
    "day_of_month": ("text", "Day of the month"),
    "pm25": ("number", "PM2.5 µg/m³, mean of a valid day"),
    "co": ("number", "CO mg/m³, mean of a valid day"),
    "pm25_few_hours": ("number", "PM2.5 µg/m³, mean of too few hours"),
    "co_few_hours": ("number", "CO mg/m³, mean of too few hours"),
    "pm25_max": ("number", "PM2.5 µg/m³, highest hour"),
    "co_max": ("number", "CO mg/m³, highest hour"),
    "pm25_aqi": ("number", "US AQI of PM2.5"),
    "pm25_hours": ("number", "Hours of PM2.5"),
    "co_hours": ("number", "Hours of CO"),
    "expected": ("number", "Hours expected, 0 while the newest day is under way"),
    "pm25_hours_counted": ("number", "Hours of PM2.5 of days that have ended"),
    "co_hours_counted": ("number", "Hours of CO of days that have ended"),
    "pm25_above_who": ("number", "Valid day above WHO's PM2.5 value: 1, else 0"),
    "pm25_above_eu": ("number", "Valid day above the EU's PM2.5 value: 1, else 0"),
    "co_above_who": ("number", "Valid day above the CO value of WHO and the EU: 1, else 0"),
}
MEASURES = (
    Measure("pm25_mean", "AVG(pm25)", "PM2.5 µg/m³, mean", ",.1f"),
    Measure("co_mean", "AVG(co)", "CO mg/m³, mean", ",.2f"),
    Measure("pm25_day_max", "MAX(pm25)", "PM2.5 µg/m³, highest day", ",.1f"),
    Measure("co_day_max", "MAX(co)", "CO mg/m³, highest day", ",.2f"),
    Measure("pm25_hour_max", "MAX(pm25_max)", "PM2.5 µg/m³, highest hour", ",.1f"),
    Measure("co_hour_max", "MAX(co_max)", "CO mg/m³, highest hour", ",.2f"),
    Measure("aqi_max", "MAX(pm25_aqi)", "US AQI of PM2.5", ",d"),
    Measure("one", "MIN(1)", "One", ",d"),
    Measure("first_day", "MIN(CASE WHEN pm25_hours + co_hours > 0 THEN date END)", "First day"),
    Measure("last_day", "MAX(CASE WHEN pm25_hours + co_hours > 0 THEN date END)", "Last day"),
    Measure("calendar_days", "COUNT(*)", "Days", ",d"),
    Measure("days_with_data", "COUNT(CASE WHEN pm25_hours + co_hours > 0 THEN 1 END)", "With data", ",d"),
    Measure("pm25_valid_days", "COUNT(pm25)", "Valid days of PM2.5", ",d"),
    Measure("co_valid_days", "COUNT(co)", "Valid days of CO", ",d"),
    Measure("pm25_over_who", "SUM(pm25_above_who)", f"Above {WHO_PM25_DAY:g} µg/m³ (WHO)", ",d"),
    Measure("pm25_over_eu", "SUM(pm25_above_eu)", f"Above {EU_PM25_DAY:g} µg/m³ (EU)", ",d"),
    Measure("co_over", "SUM(co_above_who)", f"CO above {WHO_CO_DAY:g} mg/m³ (WHO, EU)", ",d"),
    Measure(
        "pm25_complete",
        "100.0 * SUM(pm25_hours_counted) / NULLIF(SUM(expected), 0)",
        "Hours of PM2.5, % of those expected",
        ",.1f",
    ),
    Measure(
        "co_complete",
        "100.0 * SUM(co_hours_counted) / NULLIF(SUM(expected), 0)",
        "Hours of CO, % of those expected",
        ",.1f",
    ),
)
