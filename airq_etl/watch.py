"""What an operator is told of: thresholds that a run, a station or the clock has crossed.

Each is an alert that is open until it clears. What a run could not see says nothing: where the source failed, that
no hours came is no news about the stations.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from airq_etl.runs import is_slow
from airq_etl.sanity.finding import Severity, subject
from airq_etl.sanity.wording import at, many, percent
from airq_etl.watched import Facts, Thresholds, rows
from airq_etl.windows import HOUR

FINDING = "finding:"  # and the check's name, of alerts that tell what the sanity check found
# Findings that an alert of ours says sooner, or that a source which failed explains.
SAID = frozenset({"stale-station", "rejected-rows"})
OF_THE_SOURCE = frozenset({"silent-network"})


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong `since` a time (aware UTC), and what to do next.

    It is the same as another of its `kind`, `station_id` and `subject`. `sentence` names the station, and the cause.
    """

    kind: str
    severity: Severity
    since: datetime
    sentence: str
    action: str
    station_id: int | None = None
    subject: str = ""

    @property
    def identity(self) -> tuple[str, int | None, str]:
        """What makes it the same as another."""
        return self.kind, self.station_id, self.subject


class KnownAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert with its history, times as aware UTC: it is open until `cleared_at`, and nobody knows before `told_at`.

    `told_as` is the severity that people were told of.
    """

    alert: Alert
    opened_at: datetime
    run_id: str
    told_at: datetime | None = None
    told_as: Severity | None = None
    cleared_at: datetime | None = None


def alerts(facts: Facts, limits: Thresholds) -> list[Alert]:
    """All that is wrong, as far as the run could see."""
    found = (_bad_run, _failed_stations, _slow, _late, _overdue, _few_records, _rejected, _findings)
    return [alert for one in found for alert in one(facts, limits)]


def is_unseen(alert: Alert, facts: Facts) -> bool:
    """Whether the run could not see if an alert of before still holds, so that it stays open."""
    if alert.kind.startswith(FINDING):
        return facts.failed and alert.kind.removeprefix(FINDING) in OF_THE_SOURCE
    if facts.extent.whole and facts.recent and alert.station_id not in {None, *facts.recent}:
        return False  # nobody asks for it any more
    if alert.kind in {"slow-run", "late-run"}:
        return facts.failed or not facts.extent.hourly
    return _station_is_unseen(alert, facts)


def _station_is_unseen(alert: Alert, facts: Facts) -> bool:
    if alert.kind == "few-records":
        unknown = alert.station_id not in facts.recent or facts.had_no_answer(alert.station_id)
        return unknown or _all_are_silent(facts)
    if alert.kind == "rejected-rows":
        return alert.station_id not in facts.worked
    if alert.kind == "station-failed":
        return facts.failed or alert.station_id not in facts.asked
    return False


def _bad_run(facts: Facts, limits: Thresholds) -> Iterator[Alert]:
    if facts.failed and len(facts.bad) >= limits.after:
        yield _bad(facts, facts.run.message, "error", "airq-etl doctor, which says what is not as it should be")


def _bad(facts: Facts, because: str, severity: Severity, action: str) -> Alert:
    bad = "a bad run" if len(facts.bad) == 1 else f"{len(facts.bad):,} bad runs in a row"
    return Alert(kind="bad-run", severity=severity, since=facts.bad[-1], sentence=f"{bad}: {because}", action=action)


def _failed_stations(facts: Facts, limits: Thresholds) -> Iterator[Alert]:
    if facts.failed:
        return  # which says it all
    for station in facts.stations("extract"):
        count, since = facts.failures.get(station.station_id, (0, facts.run.started_at))
        if count >= limits.after:
            failed = "failed" if count == 1 else f"failed in {count:,} runs in a row"
            yield Alert(
                kind="station-failed",
                severity="warning",
                since=since,
                station_id=station.station_id,
                sentence=f"{facts.name(station.station_id)} {failed}: {station.message}",
                # Not `run`: where the station fails again, that is a bad run, of which everybody would be told.
                action=f"airq-etl extract -v --station {station.station_id}; the others are stored",
            )


def _slow(facts: Facts, limits: Thresholds) -> Iterator[Alert]:
    run, usual = facts.run, facts.usual_s
    if facts.failed or not facts.extent.hourly:
        return
    if run.duration_s is None or usual is None or not is_slow(run.duration_s, usual, limits.slow):
        return
    if facts.usual_rows and run.count("rows_read") > facts.usual_rows * limits.slow:
        return  # it had as much more to do: a whole year, or what was missed
    longest = max(run.steps, key=lambda step: step.duration_s or 0)
    yield Alert(
        kind="slow-run",
        severity="warning",
        since=run.started_at,
        sentence=f"the run of {at(run.started_at)} UTC took {run.duration_s:.0f} s, {run.duration_s / usual:.1f} times "
        f"the usual {usual:.1f} s, {longest.duration_s or 0:.0f} s of it for {longest.step}",
        action=f"airq-etl status --run {run.run_id}, which shows where the time went",
    )


def _late(facts: Facts, limits: Thresholds) -> Iterator[Alert]:
    began, ended = facts.run.started_at, facts.run.ended_at
    due = began.replace(minute=limits.minute, second=0, microsecond=0)
    if limits.minute and not facts.failed and facts.extent.hourly and ended is not None and began < due <= ended:
        yield Alert(
            kind="late-run",
            severity="warning",
            since=due,
            sentence=f"the run of {at(began)} UTC ended at {ended:%H:%M}, after minute {limits.minute}",
            action="begin earlier in the hour, or see what takes so long: airq-etl status --run last",
        )


def _overdue(facts: Facts, limits: Thresholds) -> Iterator[Alert]:
    since = facts.good_before or facts.first_run
    if facts.failed and limits.overdue_h and since is not None and facts.now - since > limits.overdue_h * HOUR:
        never = facts.good_before is None
        yield Alert(
            kind="overdue",
            severity="error",
            since=since,
            sentence=f"there was no good run yet, and the first began at {at(since)} UTC"
            if never
            else f"no good run since {at(since)} UTC",
            action="airq-etl doctor, which says what is wrong; the next good run fetches what was missed",
        )


def past(facts: Facts, limits: Thresholds) -> Alert | None:
    """What a good run is the first that could tell: that runs before it died, or that none was good for too long."""
    if facts.failed:
        return None
    if len(facts.bad) >= limits.after:
        action = "see the system's log: was it killed, was memory short, did the machine go down?"
        return _bad(facts, facts.bad_because, "warning", action)
    before, began = facts.good_before, facts.run.started_at
    if before is None or not limits.overdue_h or began - before <= limits.overdue_h * HOUR:
        return None
    return Alert(
        kind="overdue",
        severity="warning",
        since=before,
        sentence=f"there was no good run from {at(before)} to {at(began)} UTC",
        action="see whether cron calls it every hour: airq-etl doctor",
    )


def _few_records(facts: Facts, limits: Thresholds) -> Iterator[Alert]:
    if facts.failed or _all_are_silent(facts):
        return
    for station_id, recent in facts.recent.items():
        if facts.had_no_answer(station_id) or not recent.expected:
            continue
        if recent.there / recent.expected * 100 >= limits.records_percent:
            continue
        newest = "none is known" if recent.newest is None else f"the newest is of {at(recent.newest)} UTC"
        came = f"{recent.there} of the last {many(recent.expected, 'hour')} came"
        yield Alert(
            kind="few-records",
            severity="warning",
            since=recent.missing_since or facts.now,
            station_id=station_id,
            sentence=f"{facts.name(station_id)}: {came}; {newest}",
            action="see the station: its power, its network, its SIM card",
        )


def _rejected(facts: Facts, limits: Thresholds) -> Iterator[Alert]:
    if not limits.rejected_percent:
        return
    for station in facts.stations("transform"):
        rejected, all_rows = station.counts.get("rows_rejected", 0), rows(station)
        if all_rows and rejected / all_rows * 100 > limits.rejected_percent:
            yield Alert(
                kind="rejected-rows",
                severity="warning",
                since=facts.run.started_at,
                station_id=station.station_id,
                sentence=f"{facts.name(station.station_id)}: {rejected:,} of {many(all_rows, 'row')} "
                f"({percent(rejected / all_rows)}) were set aside",
                action="airq-etl export rejects, which gives each with its reason",
            )


def _findings(facts: Facts, _: Thresholds) -> Iterator[Alert]:
    said = SAID | (OF_THE_SOURCE if facts.failed else frozenset())
    for finding, opened_at in facts.findings:
        if finding.severity == "error" and finding.check not in said:
            name = None if finding.station_id is None else facts.name(finding.station_id)
            first = finding.first
            yield Alert(
                kind=f"{FINDING}{finding.check}",
                severity="error",
                since=first if isinstance(first, datetime) else opened_at,
                station_id=finding.station_id,
                subject=" ".join(filter(None, (finding.sensor, finding.place))),
                sentence=f"{subject(finding, name)}{finding.sentence}",
                action=finding.action,
            )


def _all_are_silent(facts: Facts) -> bool:
    """Whether a finding says that the source or the network is silent, so that no station is to blame."""
    return any(one.check in OF_THE_SOURCE and one.severity == "error" for one, _ in facts.findings)
