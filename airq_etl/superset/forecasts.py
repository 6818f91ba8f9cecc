"""The forecasts of one hour ahead, beside what came: hour by hour of late, and how far off each was."""

from textwrap import indent

from airq_etl.sensors import SENSORS
from airq_etl.superset.dataset import Dataset, Measure, columns
from airq_etl.superset.source import Source, literal

LOOKED_BACK_H = 14 * 24
"""So many hours are drawn one by one, up to the newest forecast."""
BAND = {"": "observed", "__yhat": "median", "__yhat_lower": "lo80", "__yhat_upper": "hi80"}
"""What a series' name ends in, by which Superset draws a line within a band; and the column that it is of."""


def hours(source: Source) -> Dataset:
    """A row for each hour, station, pollutant and series of the last days, also for an hour without a forecast."""
    series = "\nunion all\n".join(
        f"select station, sensor, hour, station || '{ending}' as series, {column} as value from beside"
        for ending, column in BAND.items()
    )
    sql = f"""\
with recursive
{_known(source)},
bounds as (
  select case when begun > since then begun else since end as first, last
  from (
    select min(hour) as begun, {source.hours_after("max(hour)", -LOOKED_BACK_H)} as since, max(hour) as last from known
  ) as reach
),
hours as (
  select first as hour, last from bounds where last is not null
  union all
  select {source.hours_after("hour", 1)}, last from hours where hour < last
),
beside as (
  select p.station, p.sensor, h.hour, k.observed, k.median, k.lo80, k.hi80
  from (select distinct station_id, station, sensor from known, bounds where hour >= first) p
  cross join hours h
  left join known k on k.station_id = p.station_id and k.sensor = p.sensor and k.hour = h.hour
)
{series}"""
    return Dataset(
        "forecast-hours",
        f"The last {LOOKED_BACK_H // 24} days of forecasts of one hour ahead, a row an hour (UTC) and series: what "
        "came (the station's name alone), the median, and the bounds within which four hours in five should lie.",
        sql,
        columns(
            {
                "station": ("text", "Station"),
                "sensor": ("text", "Pollutant"),
                "hour": ("time", "Hour (UTC)"),
                "series": ("text", "Series"),
                "value": ("number", "Value, in the pollutant's unit"),
            }
        ),
        (Measure("value_of_hour", "AVG(value)", "Value of the hour"),),
        source.database,
        "hour",
    )


def errors(source: Source) -> Dataset:
    """A row for each forecast of one hour ahead whose hour has come."""
    sql = f"""\
with
{_known(source)}
select station, {_pollutant()} as pollutant, hour, abs(observed - median) as error,
       abs(observed - persistence) as persistence_error,
       case when observed between lo80 and hi80 then 100.0 else 0.0 end as within80
from known where observed is not null"""
    return Dataset(
        "forecast-errors",
        "Forecasts of one hour ahead whose hour has come: how far off the median was, how far off 'it stays as it is', "
        "and whether the hour came within the bounds of 80 %.",
        sql,
        columns(
            {
                "station": ("text", "Station"),
                "pollutant": ("text", "Pollutant"),
                "hour": ("time", "Hour (UTC)"),
                "error": ("number", "Absolute error"),
                "persistence_error": ("number", "Absolute error of 'it stays as it is'"),
                "within80": ("number", "Within the bounds: 100, else 0"),
            }
        ),
        (
            Measure("hours", "COUNT(*)", "Hours", ",d"),
            Measure("mean_error", "AVG(error)", "Mean error", ",.3f"),
            Measure("persistence", "AVG(persistence_error)", "If it stayed as it is", ",.3f"),
            Measure("skill", "100.0 * (1 - AVG(error) / NULLIF(AVG(persistence_error), 0))", "Better by, %", "+,.0f"),
            Measure("coverage", "AVG(within80)", "Within 80 % bounds, %", ",.0f"),
        ),
        source.database,
        "hour",
    )


def _known(source: Source) -> str:
    """The beginning of both queries."""
    return f"""\
named as (
{indent(source.stations, "  ")}
),
known as (
  select f.station_id, coalesce(n.station, cast(f.station_id as text)) as station, f.sensor,
         {source.hour("f.hour")} as hour, f.median, f.lo80, f.hi80, f.persistence, f.observed
  from {source.forecasts} f left join named n on n.station_id = f.station_id
  where f.horizon = 1
)"""


def _pollutant() -> str:
    """What people call the sensor in SQL, with its unit."""
    cases = " ".join(f"when '{s.column}' then {literal(f'{s.key} {s.unit}')}" for s in SENSORS)
    return f"case sensor {cases} else sensor end"
