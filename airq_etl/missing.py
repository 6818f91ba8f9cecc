"""Missing hours: those that the source may still give, those that it did not give, those that it no longer keeps."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from airq_etl.daily import UTC_ZONE
from airq_etl.hourly import EARLIEST
from airq_etl.sanity.evidence import Evidence
from airq_etl.sanity.expiry import LATE
from airq_etl.sanity.gaps import gaps, served, spans
from airq_etl.stations import midnight
from airq_etl.windows import HOUR, KEPT, Hours, hour_of, whole_hour

_ALWAYS = Hours(EARLIEST, datetime(9999, 1, 1, tzinfo=UTC))


class Answered(NamedTuple):
    """Hours that a good answer spanned, whether it held them or not, and when it was asked for."""

    hours: Hours
    asked_at: datetime

    def settled(self) -> Hours:
        """Those that it would have held, had the source had them: some come late (`LATE`)."""
        return self.hours._replace(last=min(self.hours.last, hour_of(self.asked_at - LATE - HOUR)))


class Missing(NamedTuple):
    """The missing hours of a station, each once and in order."""

    askable: list[Hours]
    older: list[Hours]
    not_given: list[Hours]


class _Gap(NamedTuple):
    """Missing hours; when an answer is known to have spanned them; whether the station had served before."""

    hours: Hours
    asked: datetime | None = None
    served: bool = True


def missing(
    evidence: Evidence,
    answered: Mapping[int, Sequence[Answered]],
    swept: Collection[int] = (),
    *,
    wanted: Mapping[int, Sequence[Hours]] = MappingProxyType({}),
    again: bool = False,
) -> dict[int, Missing]:
    """What is missing of each configured station, in the days of the evidence, up to the last hour that has ended.

    `answered` are the hours that backfills have had answers for; those that they set out to ask for and had none for
    are `wanted`, and askable whatever seems to have spanned them. Before its first hour nothing is missing of a station
    that is `swept`: the whole year was asked of it. With `again` what the source did not give is askable.
    """
    found = _gaps(evidence, swept)
    return {
        station_id: _sorted_out(
            found[station_id],
            _limits(evidence, station_id),
            whole_hour(evidence.now - KEPT),
            answered.get(station_id, ()),
            [_ALWAYS] if again else wanted.get(station_id, ()),
        )
        for station_id in sorted(evidence.configured)
    }


def _gaps(evidence: Evidence, swept: Collection[int]) -> dict[int, list[_Gap]]:
    """The gaps of each station: between its hours, before them, and since; of one without hours all the time."""
    hours, ever = served(evidence), Hours(whole_hour(evidence.now - KEPT), hour_of(evidence.now))
    found: dict[int, list[_Gap]] = defaultdict(list)
    known = {row["station_id"]: Hours(row["oldest"], row["newest"]) for row in spans(hours).iter_rows(named=True)}
    for station_id in evidence.configured - known.keys():
        found[station_id].append(_Gap(ever, served=False))
    for station_id in known.keys() - set(swept):
        found[station_id].append(_Gap(ever._replace(last=known[station_id].first - HOUR), served=False))
    for station_id, first, last, asked in gaps(hours).select("station_id", "first", "last", "asked").iter_rows():
        found[station_id].append(_Gap(Hours(first, last), asked))
    for station_id, (_, newest) in known.items():
        # When the newest hours were asked for does not say how far that answer went: it may have been for some days.
        found[station_id].append(_Gap(ever._replace(first=newest + HOUR)))
    return found


def _sorted_out(
    found: Iterable[_Gap], limits: Hours, horizon: datetime, answered: Sequence[Answered], wanted: Sequence[Hours]
) -> Missing:
    sorted_out = Missing([], [], [])
    for gap in found:
        hours = gap.hours.within(limits)
        kept = hours._replace(first=max(hours.first, horizon))
        known = [*answered, *([] if gap.asked is None else [Answered(gap.hours, gap.asked)])]
        askable = kept.without([rest for one in known for rest in one.settled().without(wanted)])
        sorted_out.askable.extend(askable)
        sorted_out.older.extend(hours.without([Hours(horizon, hours.last)]))
        if gap.served:
            sorted_out.not_given.extend(kept.without(askable))
    return sorted_out


def _limits(evidence: Evidence, station_id: int) -> Hours:
    """From when to when hours of a station may be missing: in service, over, and in the days asked for."""
    first = whole_hour(evidence.rules.in_service.get(station_id, EARLIEST))
    last = hour_of(evidence.now) - HOUR
    if evidence.days is None:
        return Hours(first, last)
    zone = evidence.rules.zones.get(station_id, UTC_ZONE)
    begins, ends = (midnight(day, zone) for day in (evidence.days.first, evidence.days.last + timedelta(days=1)))
    return Hours(max(first, whole_hour(begins)), min(last, whole_hour(ends) - HOUR))
