"""What alerts are judged by: a run, what was usual before it, the hours of the last day, and the thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from airq_etl.runs import RunRecord, StationRecord
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.wording import printable


class Thresholds(NamedTuple):
    """From where on something is wrong (see the settings AIRQ_ALERT_*); 0 leaves one out."""

    after: int = 1
    slow: float = 2
    records_percent: float = 80
    rejected_percent: float = 1
    minute: int = 50
    overdue_h: int = 2


class Extent(NamedTuple):
    """What a run was to bring: of the `whole` of the stations or of some, what is new or the hours `of_days`."""

    whole: bool = True
    of_days: bool = False

    @property
    def hourly(self) -> bool:
        """Whether the run was one as cron makes them, and can be measured by these."""
        return self.whole and not self.of_days


HOURLY = Extent()


class Recent(NamedTuple):
    """Of the `expected` hours of a station's last day, how many are there; its `newest` hour, None: none is known.

    `missing_since` is the first of them that is not there; of a station that fell silent, the hour after its newest.
    """

    there: int
    expected: int
    newest: datetime | None
    missing_since: datetime | None


@dataclass(frozen=True)
class Facts:
    """What there is to judge by, at the end of a run.

    `run` has its steps and their stations. `bad` has when each failed run since the last good one before it began,
    newest first, `bad_because` what failed in the newest; `failures` for each station that failed how many runs in a
    row it did, and when the first of these began. `usual_s` and `usual_rows` are the means of the last good runs, None
    where these are few. `good_before` is when the last good run before this one ended, `first_run` when the first of
    all began. `recent` has the stations of which the run was to bring new hours, `findings` what is open of the
    sanity check, each with when it opened.
    """

    run: RunRecord
    now: datetime
    bad: Sequence[datetime] = ()
    bad_because: str = ""
    failures: Mapping[int, tuple[int, datetime]] = field(default_factory=dict)
    usual_s: float | None = None
    usual_rows: float | None = None
    good_before: datetime | None = None
    first_run: datetime | None = None
    recent: Mapping[int, Recent] = field(default_factory=dict)
    findings: Sequence[tuple[Finding, datetime]] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    extent: Extent = HOURLY

    @property
    def failed(self) -> bool:
        """Whether the run brought nothing."""
        return self.run.state == "FAILED"

    def name(self, station_id: int) -> str:
        """What to call a station: by name and id, since names are not unique."""
        name = self.names.get(station_id)
        return f"station {station_id} ({printable(name)})" if name else f"station {station_id}"

    @cached_property
    def asked(self) -> frozenset[int]:
        """The stations that were asked for."""
        return frozenset(one.station_id for one in self.stations("extract"))

    @cached_property
    def worked(self) -> frozenset[int]:
        """Those of which an answer had rows, good or bad."""
        return frozenset(one.station_id for one in self.stations("transform") if rows(one))

    @cached_property
    def _unanswered(self) -> frozenset[int]:
        return frozenset(one.station_id for one in self.stations("extract") if one.state == "FAILED")

    def had_no_answer(self, station_id: int | None) -> bool:
        """Whether the source said nothing of a station."""
        return self.failed or station_id in self._unanswered

    def stations(self, step: str) -> list[StationRecord]:
        """What a step of the run did for each station."""
        return next((found.stations for found in self.run.steps if found.step == step), [])


def rows(station: StationRecord) -> int:
    """The rows of a station's answers, good and bad."""
    return station.counts.get("rows_read", 0) + station.counts.get("rows_rejected", 0)
