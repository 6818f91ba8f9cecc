"""Daily means by DuckDB: `way_duckdb_daily.py means|flags HOURLY RULES OUT`, called as way_pandas_daily.py is.

One query. Means stream through it; what judges a value looks at the hours around it, by windows, step after step.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

Sensor = dict[str, Any]
READ = "hours as (select station_id, hour::timestamp as hour, {raw} from read_parquet('{files}'))"
MEANS = """
with {read}
select station_id, hour::date as day, {means} from hours group by all order by all
"""
FLAGS = """
with {read},
serving as (select *, {serving}, date_part('hour', hour) as clock from hours),
near as (
    select *, {near}, hour - lag(hour) over station as before, lead(hour) over station - hour as after
    from serving window station as (partition by station_id order by hour)),
usual as (select *, {usual} from near window days as ({days})),
away as (select *, {away} from usual),
spread as (select *, {spread} from away window days as ({days})),
spells as (
    select *, {spells}, {told}
    from spread
    window every as (order by station_id, hour rows unbounded preceding),
        past as (partition by station_id order by hour rows between unbounded preceding and 1 preceding)),
lengths as (
    select *, {lengths}, {began}
    from spells window far as (partition by station_id order by hour rows unbounded preceding)),
odd as (select *, {odd}, {worth} from lengths),
judged as (select station_id, hour, {raw}, {levels} from odd)
select station_id, hour::date as day, {means} from judged group by all order by all
"""
DAYS = (
    "partition by station_id, clock order by hour"
    " range between interval {usual_days} days preceding and interval 1 microsecond preceding"
)
OF_GOOD = """
{what}({s}) filter (where {s}_flag <> 'bad') as {s}_{name}"""
COUNTED = """
(count(*) filter (where {s}_flag = '{level}'))::integer as {s}_{level}"""
NAMES = {"avg": "mean", "min": "min", "max": "max", "count": "hours"}


def flags_query(files: str, rules: dict[str, Any]) -> str:
    """The query of means and flags."""
    sensors = rules["sensors"]
    every = _of(sensors, rules)
    warming = _of([sensor for sensor in sensors if sensor["warm_up_h"]], rules)
    median = "case when count({0}) over days >= {fewest_usual} then {1}median({0}) over days end as {2}"
    return FLAGS.format(
        read=READ.format(raw=every("{s}"), files=files),
        raw=every("{s}"),
        days=DAYS.format(**rules),
        serving=every("case when {s} between {lowest} and {highest} then {s} end as {s}_v"),
        near=every(
            "lag({s}) over station as {s}_last, lag({s}_v) over station as {s}_l, lead({s}_v) over station as {s}_r"
        ),
        usual=every(median.replace("{0}", "{s}_v").replace("{1}", "").replace("{2}", "{s}_usual")),
        away=every("{s}_v - {s}_usual as {s}_away"),
        spread=every(
            median.replace("{0}", "abs({s}_away)").replace("{1}", "{mad_to_sigma} * ").replace("{2}", "{s}_spread")
        ),
        spells=every(
            "sum(case when before = interval 1 hour and {s} = {s}_last then 0 else 1 end) over every as {s}_spell"
        ),
        told=warming("last_value(case when {s} is not null then hour end ignore nulls) over past as {s}_told"),
        lengths=every("count(*) over (partition by {s}_spell) as {s}_length"),
        began=warming(
            "last_value(case when {s} is not null and ({s}_told is null or hour - {s}_told >= interval {off_h} hours)"
            " then hour end ignore nulls) over far as {s}_began"
        ),
        odd=", ".join(_odd(sensor, rules) for sensor in sensors),
        worth=", ".join(_worth(sensor, rules) for sensor in sensors),
        levels=every(
            "case when {s} is null then null when {s}_v is null then 'bad' when {s}_odd then 'suspect'"
            " when {s}_worth then 'info' else 'ok' end as {s}_flag"
        ),
        means=every(
            ", ".join(OF_GOOD.replace("{what}", what).replace("{name}", name) for what, name in NAMES.items())
            + "".join("," + COUNTED.replace("{level}", level) for level in ("info", "suspect", "bad"))
        ),
    )


def means_query(files: str, rules: dict[str, Any]) -> str:
    """The query of means."""
    every = _of(rules["sensors"], rules)
    means = every(", ".join(f"{what}({{s}}) as {{s}}_{name}" for what, name in NAMES.items()))
    return MEANS.format(read=READ.format(raw=every("{s}"), files=files), means=means)


def _of(sensors: Sequence[Sensor], rules: dict[str, Any]) -> Callable[[str], str]:
    """Call with a text for the same of each sensor, by commas; `{s}` is its column."""
    return lambda text: ", ".join(text.format(s=sensor["column"], **sensor, **rules) for sensor in sensors)


def _odd(sensor: Sensor, rules: dict[str, Any]) -> str:
    """Whether a value is negative, flat, a spike, or of a sensor that warms up."""
    negative = "false" if sensor["signed"] else "{s} < -{detection}"
    warming = "hour - {s}_began < interval {warm_up_h} hours" if sensor["warm_up_h"] else "false"
    spike = (
        "(before = interval 1 hour and after = interval 1 hour and {s}_spread is not null"
        " and abs({s}_away) > greatest({spike} * {s}_spread, {detection})"
        " and ({s}_v - {s}_l) * sign({s}_away) > abs({s}_away) / 2"
        " and ({s}_v - {s}_r) * sign({s}_away) > abs({s}_away) / 2)"
    )
    text = f"({negative} or {{s}}_length >= {{flat_h}} or {spike} or {warming}) as {{s}}_odd"
    return text.format(s=sensor["column"], **sensor, **rules)


def _worth(sensor: Sensor, rules: dict[str, Any]) -> str:
    """Whether a value is noise below zero, or has no hour near it."""
    noise = "false" if sensor["signed"] else "({s} >= -{detection} and {s} < 0)"
    alone = " and ".join(f"({near} is null or {near} > interval {{alone_h}} hours)" for near in ("before", "after"))
    return f"({noise} or ({alone})) as {{s}}_worth".format(s=sensor["column"], **sensor, **rules)


def main() -> None:
    """Read, compute, write."""
    what, folder, rules_file, out = sys.argv[1:]
    rules = json.loads(Path(rules_file).read_text(encoding="utf-8"))
    query = (means_query if what == "means" else flags_query)(f"{folder}/*.parquet", rules)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"copy ({query}) to '{out}' (format parquet)")


if __name__ == "__main__":
    main()
