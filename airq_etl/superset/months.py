"""The months of the stations: means over valid days, their number, and the change against the month before."""

from collections.abc import Mapping

from airq_etl.superset.dataset import Dataset, Kind, Measure, columns
from airq_etl.superset.days import calendar
from airq_etl.superset.source import Source


def dataset(source: Source) -> Dataset:
    """A row a station and month."""
    sql = f"""\
{calendar(source)},
months as (
  select station, station_id, substr(day, 1, 7) as month, count(*) as days,
         avg(pm25) as pm25, count(pm25) as pm25_days, max(pm25_max) as pm25_max,
         avg(co) as co, count(co) as co_days, max(co_max) as co_max
  from days group by station, station_id, substr(day, 1, 7)
),
-- No month of the calendar is left out: the row before is the month before, null where it has no valid day.
compared as (
  select *, lag(pm25) over (partition by station_id order by month) as pm25_before,
         lag(co) over (partition by station_id order by month) as co_before
  from months
)
select station, station_id, {source.midnight("month || '-01'")} as month, month as month_name, days,
       pm25, pm25_days, pm25_max, pm25 - pm25_before as pm25_change,
       case when pm25_before > 0 then 100.0 * (pm25 - pm25_before) / pm25_before end as pm25_change_percent,
       co, co_days, co_max, co - co_before as co_change
from compared"""
    return Dataset(
        "months",
        "A row a station and calendar month: means over the valid days of the month, with the number of these, and the "
        "change against the month before, null where either has no valid day.",
        sql,
        columns(COLUMNS),
        MEASURES,
        source.database,
        "month",
    )


COLUMNS: Mapping[str, tuple[Kind, str]] = {
    "station": ("text", "Station"),
    "station_id": ("number", "Station id"),
    "month": ("time", "Month"),
    "month_name": ("text", "Month"),
    "days": ("number", "Days"),
    "pm25": ("number", "PM2.5 µg/m³"),
    "pm25_days": ("number", "PM2.5 valid days"),
    "pm25_max": ("number", "PM2.5 highest hour"),
    "pm25_change": ("number", "± µg/m³"),
    "pm25_change_percent": ("number", "± %"),
    "co": ("number", "CO mg/m³"),
    "co_days": ("number", "CO valid days"),
    "co_max": ("number", "CO highest hour"),
    "co_change": ("number", "± mg/m³"),
}
# A row is of one station and month: where a chart asks for it each of these is that row's.
MEASURES = (
    Measure("pm25_mean", "AVG(pm25)", "PM2.5 µg/m³", ",.1f"),
    Measure("pm25_days", "SUM(pm25_days)", "Valid days of PM2.5", ",d"),
    Measure("pm25_change", "AVG(pm25_change)", "PM2.5 change, µg/m³", "+,.1f"),
    Measure("pm25_change_percent", "AVG(pm25_change_percent)", "PM2.5 change, %", "+,.0f"),
    Measure("pm25_max", "MAX(pm25_max)", "PM2.5 µg/m³, highest hour", ",.1f"),
    Measure("co_mean", "AVG(co)", "CO mg/m³", ",.2f"),
    Measure("co_days", "SUM(co_days)", "Valid days of CO", ",d"),
    Measure("co_change", "AVG(co_change)", "CO change, mg/m³", "+,.2f"),
    Measure("co_max", "MAX(co_max)", "CO mg/m³, highest hour", ",.2f"),
    Measure("days", "SUM(days)", "Days so far", ",d"),
)
