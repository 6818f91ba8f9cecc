"""What a command gives back: counts a station, documents written, and how it ended."""

from bisect import bisect_left
from datetime import datetime
from operator import attrgetter

import msgspec

from airq_etl.forecast.outlook import Outlook


class StationResult(msgspec.Struct, kw_only=True):
    """What one run did for one station.

    Hours: `new` were not known, `settled` were provisional and took other values, `revised` were not and did
    all the same. Of the rows of all answers worked in, `rows_read` were good, `rows_rejected` were set aside,
    `rows_duplicate` stood twice; in the good ones `values_missing` counts sensors left out that others of the same
    answer have. `days_changed` counts the daily rows recomputed for that. `sensors_gone` names the columns of
    sensors that the newest answer no longer has. Bytes are those of answers, on the wire and unpacked.
    `newest_hour` is UTC; `pm25_nowcast` (µg/m³) and its US AQI are those of the newest hour that is over.
    """

    station_id: int
    name: str | None = None
    hours_new: int = 0
    hours_settled: int = 0
    hours_revised: int = 0
    rows_read: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    values_missing: int = 0
    days_changed: int = 0
    sensors_gone: list[str] = []
    requests: int = 0
    retries: int = 0
    wire_bytes: int = 0
    body_bytes: int = 0
    asking_s: float | None = None
    newest_hour: datetime | None = None
    pm25_nowcast: float | None = None
    pm25_nowcast_aqi: int | None = None
    error: str | None = None


class Problem(msgspec.Struct, frozen=True):
    """Something that failed while the rest went on: the message, and the exit code that it asks for."""

    message: str
    exit_code: int


class Result(msgspec.Struct, kw_only=True):
    """What a command did.

    `duration_s` is by the real clock, whatever `--now` says. `documents` counts what was written to the `store`, by
    collection; `forecasts` how many of them were `made` and `scored`, and `outlooks` what they say, both empty where
    there are none; `findings` what the sanity check found in the newest days, by severity, and is empty where it did
    not look.
    """

    command: str
    run_id: str
    started_at: datetime
    ended_at: datetime | None = None
    duration_s: float | None = None
    stations: list[StationResult] = []
    capture: str | None = None
    store: str | None = None
    documents: dict[str, int] = {}
    forecasts: dict[str, int] = {}
    outlooks: list[Outlook] = []
    findings: dict[str, int] = {}
    problems: list[Problem] = []
    exit_code: int = 0

    def station(self, station_id: int) -> StationResult:
        """The counts of one station, made at first mention; `stations` are in the order of their ids."""
        at = bisect_left(self.stations, station_id, key=attrgetter("station_id"))
        if at == len(self.stations) or self.stations[at].station_id != station_id:
            self.stations.insert(at, StationResult(station_id=station_id))
        return self.stations[at]
