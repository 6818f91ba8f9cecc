"""The hourly job by dlt, as its documentation recommends: `way_dlt.py URL DIRECTORY STATION ...`.

A resource a station, incremental on the timestamp: asked for is what came since the newest hour that is known, and two
days before (`lag`, as AIRQ_OVERLAP_HOURS), without which an hour that was still running stays as it was. Merged
by station and timestamp into a DuckDB file in DIRECTORY, where the pipeline keeps its state as well. Then the daily
means are made by one query, since the others have them.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.sources.helpers import requests

OVERLAP_S = 48 * 3600
KEY = ["station", "timestamp"]
DAYS = """
create or replace table airq.days as
select station, date_trunc('day', timestamp) as day, avg(co) as co_mean, avg(pm2_5) as pm25_mean,
       count(co) as co_hours, count(pm2_5) as pm25_hours
from airq.hours group by all
"""


def hours(url: str, station: int) -> Iterator[Any]:
    """The hours of a station since two days before the newest one that is known; the whole year at first."""

    def rows(newest: Any = dlt.sources.incremental("timestamp", lag=OVERLAP_S)) -> Iterator[Any]:  # noqa: ANN401, B008 -- dlt's manner
        asked = {} if newest.last_value is None else {"start_date": f"{newest.last_value:%Y%m%d-%H%M}"}
        response = requests.get(f"{url}/v3/getStationHourlyAvg/{station}", params=asked)
        for row in response.json()["data"]:
            time = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
            yield {**row, "timestamp": time, "station": station}

    return dlt.resource(  # type: ignore[no-any-return]
        rows, name=f"hours_{station}", table_name="hours", write_disposition="merge", primary_key=KEY
    )()


def main() -> None:
    """Load, and make the daily means."""
    url, place, *stations = sys.argv[1:]
    file = Path(place) / "air.duckdb"
    pipeline = dlt.pipeline(
        pipeline_name="airq",
        pipelines_dir=str(Path(place) / "pipelines"),
        destination=dlt.destinations.duckdb(str(file)),
        dataset_name="airq",
    )
    pipeline.run([hours(url, int(station)) for station in stations])
    with duckdb.connect(str(file)) as connection:
        connection.execute(DAYS)


if __name__ == "__main__":
    main()
