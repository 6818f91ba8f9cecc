"""export: tables out of the data directory, as CSV, Parquet or JSON lines; the alert rules for Prometheus."""

import io
import logging
from collections.abc import Collection, Iterator
from importlib import resources
from pathlib import Path
from typing import Literal

import polars as pl

from airq_etl import daily, ledger, nowcast, quality, revisions
from airq_etl.errors import UsageError
from airq_etl.lake import DAILY, FORECASTS, HOURLY, REVISIONS, Lake, with_data
from airq_etl.pipeline import output
from airq_etl.pipeline.forecasting.known import forecasts_known
from airq_etl.settings import Settings
from airq_etl.windows import Days

log = logging.getLogger(__name__)

What = Literal["daily", "hourly", "forecasts", "revisions", "moved", "rejects"]
Format = Literal["csv", "parquet", "jsonl"]
ROWS_AT_ONCE = 50_000
RULES = resources.files("airq_etl") / "deploy" / "airq_etl.rules.yml"


def rows(settings: Settings, what: What, stations: Collection[int], days: Days | None) -> pl.DataFrame:
    """The rows to export, sorted: those of `stations` (all where empty) and of local `days` (all where None).

    Of a forecast that is the day of the hour that it is for. UsageError where there is no such table.
    """
    with_data(settings.data_dir)
    frame = _rejects(settings) if what == "rejects" else _table(settings, what)
    if stations:
        for nobody in sorted(set(stations) - set(frame["station_id"])):
            log.warning("there is nothing of station %s in this table", nobody)
        frame = frame.filter(pl.col("station_id").is_in(list(stations)))
    if days is not None:
        rules = settings.rules(frame["station_id"].unique())
        time = "requested_at" if what == "rejects" else "hour"
        day = pl.col("day") if "day" in frame.columns else daily.day_of(rules.zones, time)
        frame = frame.filter(day.is_between(days.first, days.last))
    return frame


def _rejects(settings: Settings) -> pl.DataFrame:
    if not (settings.data_dir / ledger.FILE).is_file():
        raise UsageError(f"there is no ledger in {settings.data_dir}; `airq-etl run` makes one")
    with ledger.Ledger(settings.data_dir) as opened:
        return opened.rejects()


def _table(settings: Settings, what: What) -> pl.DataFrame:
    if what == "forecasts":
        return forecasts_known(settings).read(FORECASTS)
    lake = Lake(settings.data_dir)
    if what in {"daily", "revisions"}:
        return lake.read(DAILY if what == "daily" else REVISIONS)
    hours = lake.read(HOURLY)
    rules = settings.rules(hours["station_id"].unique())
    if what == "moved":
        return revisions.moved(hours, lake.read(REVISIONS), rules)
    return nowcast.add(quality.judge(hours, rules.in_service))


def format_of(target: Path | None) -> Format:
    """The format that a file's name asks for, CSV where it asks for none."""
    ending = "" if target is None else target.suffix.lower()
    return "parquet" if ending == ".parquet" else "jsonl" if ending in {".jsonl", ".ndjson"} else "csv"


def write(frame: pl.DataFrame, form: Format, target: Path | None) -> None:
    """Write a frame to a file, whole or not at all; to standard output where there is none, or it is `-`."""
    output.write(_pieces(frame, form), target)


def write_rules(target: Path | None) -> None:
    """Write the alert rules for Prometheus, as `write` does a frame."""
    output.write([RULES.read_bytes()], target)


def _pieces(frame: pl.DataFrame, form: Format) -> Iterator[bytes]:
    if form == "parquet":
        whole = io.BytesIO()
        frame.write_parquet(whole)
        yield whole.getvalue()
        return
    times = [name for name, kind in frame.schema.items() if kind == pl.Datetime]
    plain = frame.with_columns(pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    if form == "csv":
        yield plain.clear().write_csv().encode()
    for rows in plain.iter_slices(ROWS_AT_ONCE):
        text = rows.write_csv(include_header=False) if form == "csv" else rows.write_ndjson()
        yield text.encode()
