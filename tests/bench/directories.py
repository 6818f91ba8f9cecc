"""A data directory of airq-etl, and its commands as whole processes, an hour after the other."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from tests.bench.costs import AIRQ, Sample, Spent, cost, ours

SHORT = ("--no-forecast", "--no-sanity-check")
"""What `run` leaves out to do what the others do."""


class Directory:
    """One data directory, its stations 1 to `stations`, its settings; what another one has is never copied here."""

    def __init__(self, place: Path, stations: int, url: str, **settings: str) -> None:
        self.data, self.stations = place, stations
        self._beside = place.parent
        listed = ",".join(map(str, range(1, stations + 1)))
        told = {"STATIONS": listed, "API_URL": url, "DATA_DIR": str(place), "RUN_DEADLINE_S": "86400"} | settings
        self._settings = {f"AIRQ_{name}": value for name, value in told.items()}

    def __call__(
        self, command: str, *words: str, now: datetime, fine: Sequence[int] = (0,), quiet: bool = True, **more: str
    ) -> Spent:
        """A command at a time, as cron calls it (-q) or not; `more` are settings, by their names without AIRQ_."""
        environment = ours(**self._settings | {f"AIRQ_{name}": value for name, value in more.items()})
        line = [*AIRQ, command, *(["-q"] if quiet else []), "--now", f"{now:%Y-%m-%dT%H:%M:%S}", *words]
        return cost(line, self._beside, environment, fine=fine)

    def steps(self) -> Sample:
        """Seconds of each step of the newest run, as it recorded them: `extract_s`."""
        with closing(sqlite3.connect(f"file:{self.data / 'ledger.db'}?mode=ro", uri=True)) as db:
            newest = "select run_id from runs where command = 'run' order by started_at desc, rowid desc limit 1"
            rows = db.execute(f"select step, duration_s from steps where run_id = ({newest})").fetchall()  # noqa: S608
        return {f"{step.replace('-', '_')}_s": seconds for step, seconds in rows if seconds is not None}
