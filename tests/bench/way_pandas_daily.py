"""Daily means by pandas: `way_pandas_daily.py means|flags HOURLY RULES OUT`.

HOURLY is the folder of the hourly Parquet files, RULES a file of JSON (see `daily`), OUT the Parquet file to write.
`means` is what everyone does: mean, min, max and count of each sensor and day. With `flags` each value is judged first,
by the rules of airq_etl/quality.py; bad values are left out, and flags are counted.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

HOUR = pd.Timedelta(hours=1)
Rules = dict[str, Any]


def days_of(hours: pd.DataFrame, columns: list[str]) -> Any:  # noqa: ANN401 -- of pandas
    """The hours by station and day."""
    return hours.groupby(["station_id", hours["hour"].dt.normalize().rename("day")], sort=True)[columns]


def means(hours: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Mean, least, most and number of the values of each day."""
    found = days_of(hours, columns).agg(["mean", "min", "max", "count"])
    names = {"count": "hours"}
    found.columns = [f"{sensor}_{names.get(what, what)}" for sensor, what in found.columns]
    return found


def usual(hours: pd.DataFrame, values: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """The median of each sensor at the same hour of the day, over the days before."""
    frame = values.assign(station_id=hours["station_id"], clock=hours["hour"].dt.hour, hour=hours["hour"])
    frame = frame.sort_values(["station_id", "clock", "hour"])
    rolling = frame.groupby(["station_id", "clock"])[[*values.columns, "hour"]].rolling(
        f"{rules['usual_days']}D", on="hour", closed="left", min_periods=rules["fewest_usual"]
    )
    medians = rolling.median()[list(values.columns)]
    medians.index = frame.index  # in order of its groups, as the frame is
    return medians.reindex(hours.index)


def judged(hours: pd.DataFrame, rules: Rules) -> dict[str, pd.DataFrame]:
    """Whether each value is bad, suspect, or worth an information; by level, a column a sensor."""
    sensors = {sensor["column"]: sensor for sensor in rules["sensors"]}
    by_station = hours.groupby("station_id", sort=False)["hour"]
    before, after = by_station.diff(), -by_station.diff(-1)
    raw = hours[list(sensors)]
    serving = pd.DataFrame({name: raw[name].where(_in_range(raw[name], s)) for name, s in sensors.items()})
    away = serving - usual(hours, serving, rules)
    spread = rules["mad_to_sigma"] * usual(hours, away.abs(), rules)
    beside = (before == HOUR) & (after == HOUR)
    alone = pd.Timedelta(hours=rules["alone_h"])
    isolated = (before.isna() | (before > alone)) & (after.isna() | (after > alone))
    bad, suspect, info = pd.DataFrame(), pd.DataFrame(), pd.DataFrame()
    for name, sensor in sensors.items():
        value, there = raw[name], raw[name].notna()
        spike = _is_spike(serving[name], away[name], spread[name], sensor, rules) & beside
        negative = False if sensor["signed"] else value < -sensor["detection"]
        noise = False if sensor["signed"] else (value >= -sensor["detection"]) & (value < 0)
        odd = negative | spike | _is_flat(value, before, sensor) | _is_warming_up(hours, value, sensor, rules)
        bad[name] = there & ~_in_range(value, sensor)
        suspect[name] = there & odd & ~bad[name]
        info[name] = there & (noise | isolated) & ~bad[name] & ~suspect[name]
    return {"info": info, "suspect": suspect, "bad": bad}


def _in_range(value: pd.Series, sensor: Rules) -> pd.Series:
    return value.between(sensor["lowest"], sensor["highest"])


def _is_spike(value: pd.Series, away: pd.Series, spread: pd.Series, sensor: Rules, rules: Rules) -> pd.Series:
    far = (away.abs() > (rules["spike"] * spread).clip(lower=sensor["detection"])) & spread.notna()
    sign = (away > 0).astype("int8") - (away < 0).astype("int8")
    for step in (1, -1):
        far &= (value - value.shift(step)) * sign > away.abs() / 2
    return far


def _is_flat(value: pd.Series, before: pd.Series, sensor: Rules) -> pd.Series:
    goes_on = (before == HOUR) & (value == value.shift(1))
    spell = (~goes_on).cumsum()
    return spell.groupby(spell, sort=False).transform("size") >= sensor["flat_h"]


def _is_warming_up(hours: pd.DataFrame, value: pd.Series, sensor: Rules, rules: Rules) -> pd.Series:
    if not sensor["warm_up_h"]:
        return pd.Series(data=False, index=hours.index)
    station = hours["station_id"]
    told = hours["hour"].where(value.notna())
    before = told.groupby(station).ffill().groupby(station).shift(1)
    cold = before.isna() | (hours["hour"] - before >= pd.Timedelta(hours=rules["off_h"]))
    began = told.where(cold).groupby(station).ffill()
    return hours["hour"] - began < sensor["warm_up_h"] * HOUR


def main() -> None:
    """Read, compute, write."""
    what, folder, rules_file, out = sys.argv[1:]
    rules = json.loads(Path(rules_file).read_text(encoding="utf-8"))
    columns = [sensor["column"] for sensor in rules["sensors"]]
    hours = pd.read_parquet(folder, engine="pyarrow", columns=["station_id", "hour", *columns])
    hours["hour"] = hours["hour"].dt.tz_localize(None)
    if what == "means":
        days = means(hours, columns)
    else:
        hours = hours.sort_values(["station_id", "hour"], ignore_index=True)
        flags = judged(hours, rules)
        keys = hours[["station_id", "hour"]]
        counts = [
            days_of(keys.join(flag), columns).sum().astype("int32").add_suffix(f"_{level}")
            for level, flag in flags.items()
        ]
        good = keys.join(hours[columns].mask(flags["bad"]))
        days = means(good, columns).join(counts)
    days.reset_index().to_parquet(out, engine="pyarrow", index=False)


if __name__ == "__main__":
    main()
