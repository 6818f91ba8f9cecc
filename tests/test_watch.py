"""When an alert opens, stays open, and clears."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from airq_etl.runs import RunRecord, State, StationRecord, StepRecord
from airq_etl.sanity.finding import Finding
from airq_etl.watch import Alert, alerts, is_unseen, past
from airq_etl.watched import Extent, Facts, Recent, Thresholds
from tests.frames import hour

BEGAN = hour(10) + timedelta(minutes=17)
LIMITS = Thresholds()


def run(state: State = "SUCCESS", *, took_s: float = 5, began: datetime = BEGAN, **stations: Any) -> RunRecord:  # noqa: ANN401 -- records
    """A run of `took_s` seconds; `asked` and `worked` are what it did for stations."""
    steps = [
        StepRecord(step="extract", state="SUCCESS", duration_s=took_s * 0.8, stations=stations.get("asked", [])),
        StepRecord(step="transform", state="SUCCESS", duration_s=took_s * 0.2, stations=stations.get("worked", [])),
    ]
    steps[1].counts["rows_read"] = sum(one.counts.get("rows_read", 0) for one in steps[1].stations)
    return RunRecord(
        run_id="4f53cda1",
        command="run",
        state=state,
        started_at=began,
        ended_at=began + timedelta(seconds=took_s),
        duration_s=took_s,
        exit_code=0,
        message="" if state == "SUCCESS" else "the API answers with status 503",
        pid=1,
        version="0",
        steps=steps,
    )


def facts(of: RunRecord | None = None, **known: Any) -> Facts:  # noqa: ANN401 -- fields
    return Facts(run=of or run(), now=BEGAN, **{"recent": {7: Recent(24, 24, hour(9), None)}} | known)


def kinds(found: Facts, limits: Thresholds = LIMITS) -> list[str]:
    return [alert.kind for alert in alerts(found, limits)]


def one(found: Facts, kind: str, limits: Thresholds = LIMITS) -> Alert:
    (alert,) = [alert for alert in alerts(found, limits) if alert.kind == kind]
    return alert


def rows(read: int, rejected: int = 0, station_id: int = 7) -> StationRecord:
    counts = {"rows_read": read, "rows_rejected": rejected}
    return StationRecord(station_id=station_id, state="SUCCESS", counts=counts)


def test_a_good_run_alerts_nobody() -> None:
    """Where all is as usual there is no alert."""
    usual = {"usual_s": 5.0, "usual_rows": 98.0, "good_before": BEGAN - timedelta(hours=1)}
    assert kinds(facts(run(worked=[rows(98)]), **usual)) == []


@pytest.mark.parametrize(("bad", "after", "opens"), [(1, 1, True), (1, 2, False), (2, 2, True), (5, 2, True)])
def test_bad_runs_in_a_row(bad: int, after: int, *, opens: bool) -> None:
    """A bad run is told from the so-manieth in a row on; it is bad since the first of them."""
    times = [BEGAN - timedelta(hours=number) for number in range(bad)]
    found = facts(run("FAILED"), bad=times)
    assert kinds(found, LIMITS._replace(after=after)) == (["bad-run"] if opens else [])
    if opens:
        alert = one(found, "bad-run", LIMITS._replace(after=after))
        assert alert.since == times[-1]
        assert "503" in alert.sentence


def test_a_station_that_fails_is_named() -> None:
    """Where others were stored, each station that failed is an alert of its own, with its reason."""
    asked = [
        StationRecord(station_id=7, state="SUCCESS"),
        StationRecord(station_id=8, state="FAILED", message="the API does not know this station"),
    ]
    failures = {8: (3, BEGAN - timedelta(hours=2))}
    alert = one(facts(run("PARTIAL", asked=asked), failures=failures, names={8: "Plateau"}), "station-failed")
    assert alert.sentence == "station 8 (Plateau) failed in 3 runs in a row: the API does not know this station"
    assert (alert.station_id, alert.since, alert.severity) == (8, BEGAN - timedelta(hours=2), "warning")
    assert kinds(facts(run("PARTIAL", asked=asked), failures=failures), LIMITS._replace(after=4)) == []
    # Where none was stored, that the run failed says it all.
    assert kinds(facts(run("FAILED", asked=asked), failures=failures, bad=[BEGAN])) == ["bad-run"]


@pytest.mark.parametrize(
    ("took_s", "usual_s", "opens"),
    [(21, 10, True), (20, 10, False), (9, 4.4, False), (9.5, 4.4, True), (60, None, False)],
)
def test_a_slow_run(took_s: float, usual_s: float | None, *, opens: bool) -> None:
    """Slow is over twice what is usual, and five seconds more; where nothing is usual yet, nothing is slow."""
    assert kinds(facts(run(took_s=took_s), usual_s=usual_s)) == (["slow-run"] if opens else [])


def test_a_run_that_had_more_to_do_is_not_slow() -> None:
    """The run that asks for the whole year takes longer, as it should."""
    year = run(took_s=60, worked=[rows(8760)])
    assert kinds(facts(year, usual_s=5.0, usual_rows=49.0)) == []
    assert kinds(facts(year, usual_s=5.0, usual_rows=8000.0)) == ["slow-run"]
    assert "12.0 times the usual 5.0 s, 48 s of it for extract" in one(facts(year, usual_s=5.0), "slow-run").sentence


@pytest.mark.parametrize(
    ("began", "took_min", "opens"),
    [(17, 32, False), (17, 33, True), (17, 70, True), (51, 5, False), (50, 5, False), (49, 1, True)],
)
def test_a_run_that_ends_late(began: int, took_min: int, *, opens: bool) -> None:
    """Late is who began before minute 50 and had not ended by it; who begins later is late by intention."""
    late = run(took_s=took_min * 60, began=hour(10) + timedelta(minutes=began))
    assert kinds(facts(late)) == (["late-run"] if opens else [])
    assert kinds(facts(late), LIMITS._replace(minute=0)) == []


@pytest.mark.parametrize("by_hand", [Extent(whole=False), Extent(of_days=True)])
def test_a_run_by_hand_is_not_measured_by_those_of_cron(by_hand: Extent) -> None:
    """A run of a station, or of given days, is neither slow nor late, and says nothing of the others."""
    long = run(took_s=3600)
    measured = facts(long, usual_s=5.0)
    assert kinds(measured) == ["slow-run", "late-run"]
    assert kinds(facts(long, usual_s=5.0, extent=by_hand)) == []
    for alert in alerts(measured, LIMITS):
        assert is_unseen(alert, facts(extent=by_hand))
        assert not is_unseen(alert, facts())


def test_no_good_run_for_hours() -> None:
    """After two hours without a good run the failing is told once more, as an alert of its own."""
    before = {"bad": [BEGAN]}
    assert kinds(facts(run("FAILED"), good_before=BEGAN - timedelta(hours=2), **before)) == ["bad-run"]
    late = facts(run("FAILED"), good_before=BEGAN - timedelta(hours=2, seconds=1), **before)
    assert kinds(late) == ["bad-run", "overdue"]
    assert kinds(late, LIMITS._replace(overdue_h=0)) == ["bad-run"]
    never = facts(run("FAILED"), first_run=BEGAN - timedelta(hours=3), **before)
    assert "there was no good run yet" in one(never, "overdue").sentence


def test_nobody_ran_for_hours() -> None:
    """That cron was silent is told by the first run after it, which is good: nobody else could."""
    assert past(facts(good_before=BEGAN - timedelta(hours=1)), LIMITS) is None
    silent: dict[str, Any] = {"good_before": BEGAN - timedelta(hours=26)}
    told = past(facts(**silent), LIMITS)
    assert told is not None
    assert (told.kind, told.severity) == ("overdue", "warning")
    assert told.sentence == "there was no good run from 2024-09-08 08:17 to 2024-09-09 10:17 UTC"
    assert past(facts(**silent), LIMITS._replace(overdue_h=0)) is None
    assert past(facts(run("FAILED"), **silent), LIMITS) is None


def test_runs_that_died() -> None:
    """A run that is killed can tell nobody; the good one after it does."""
    died = facts(bad=[hour(9), hour(8)], bad_because="interrupted", good_before=BEGAN - timedelta(hours=3))
    assert kinds(died) == []
    told = past(died, LIMITS)
    assert told is not None
    assert (told.kind, told.sentence, told.since) == ("bad-run", "2 bad runs in a row: interrupted", hour(8))
    assert past(died, LIMITS._replace(after=2)) == told
    # Fewer than are to be told, but too long without a good one.
    later = past(died, LIMITS._replace(after=3))
    assert later is not None
    assert later.kind == "overdue"
    assert past(facts(bad=[hour(9)], good_before=BEGAN - timedelta(hours=2)), LIMITS._replace(after=2)) is None


@pytest.mark.parametrize(
    ("there", "expected", "opens"), [(24, 24, False), (20, 24, False), (19, 24, True), (0, 0, False)]
)
def test_few_records(there: int, expected: int, *, opens: bool) -> None:
    """Of what the clock says should have come in a day, 80 % are enough."""
    recent = {7: Recent(there, expected, hour(4), hour(5))}
    found = facts(recent=recent)
    assert kinds(found) == (["few-records"] if opens else [])
    if opens:
        alert = one(found, "few-records")
        assert alert.sentence == "station 7: 19 of the last 24 hours came; the newest is of 2024-09-09 04:00 UTC"
        assert alert.since == hour(5)
    assert kinds(found, LIMITS._replace(records_percent=0)) == []


def test_no_station_is_to_blame_where_all_are_silent() -> None:
    """Where the sanity check finds the source or the network silent, few records are told of no station."""
    few = {7: Recent(3, 24, hour(4), hour(5))}
    silent = Finding(check="silent-network", severity="error", count=3, sentence="none of 2 stations", action="see")
    found = facts(recent=few, findings=[(silent, BEGAN)])
    assert kinds(found) == ["finding:silent-network"]
    assert is_unseen(one(facts(recent=few), "few-records"), found)


def test_few_records_are_no_news_where_the_source_failed() -> None:
    """What could not be asked says nothing of a station: the alert neither opens nor clears."""
    few = {7: Recent(3, 24, hour(4), hour(5))}
    opened = one(facts(recent=few), "few-records")
    failed = facts(run("FAILED"), recent=few)
    assert "few-records" not in kinds(failed)
    assert is_unseen(opened, failed)
    refused = run("PARTIAL", asked=[StationRecord(station_id=7, state="FAILED")])
    assert "few-records" not in kinds(facts(refused, recent=few))
    assert is_unseen(opened, facts(refused, recent=few))
    assert not is_unseen(opened, facts())
    # A run of other stations has not looked; one of all that are left need not.
    other = {8: Recent(24, 24, hour(9), None)}
    assert is_unseen(opened, facts(recent=other, extent=Extent(whole=False)))
    assert not is_unseen(opened, facts(recent=other, extent=Extent()))
    assert is_unseen(opened, facts(recent={}))


@pytest.mark.parametrize(("rejected", "opens"), [(1, False), (2, True)])
def test_rejected_rows(rejected: int, *, opens: bool) -> None:
    """More than one in a hundred rows of a station set aside is an alert that names it."""
    found = facts(run(worked=[rows(100 - rejected, rejected), rows(1000, 0, 8)]))
    assert kinds(found) == (["rejected-rows"] if opens else [])
    if opens:
        assert one(found, "rejected-rows").sentence == "station 7: 2 of 100 rows (2 %) were set aside"
        assert is_unseen(one(found, "rejected-rows"), facts(run(worked=[rows(0)])))
        assert not is_unseen(one(found, "rejected-rows"), facts(run(worked=[rows(49)])))


def test_findings_that_are_errors() -> None:
    """An error of the sanity check is an alert, unless another alert says it, or a source that failed explains it."""
    dead = Finding(
        check="dead-sensor",
        severity="error",
        station_id=7,
        sensor="co",
        first=hour(-500),
        count=500,
        sentence="0.0 mg/m³ in 100 % of hours",
        action="have the sensor replaced",
    )
    silent = Finding(check="silent-network", severity="error", count=3, sentence="none of 2 stations", action="see")
    warned = Finding(check="missing-hours", severity="warning", station_id=7, count=3, sentence="few", action="see")
    stale = Finding(check="stale-station", severity="error", station_id=7, count=3, sentence="old", action="see")
    known = [(finding, BEGAN) for finding in (dead, silent, warned, stale)]
    good = facts(findings=known, names={7: "Plateau"})
    assert kinds(good) == ["finding:dead-sensor", "finding:silent-network"]
    alert = one(good, "finding:dead-sensor")
    assert alert.sentence == "station 7 (Plateau) CO: 0.0 mg/m³ in 100 % of hours"
    assert alert.since == hour(-500)
    failed = facts(run("FAILED"), findings=known)
    assert kinds(failed) == ["finding:dead-sensor"]
    assert is_unseen(one(good, "finding:silent-network"), failed)
    assert not is_unseen(alert, failed)


def test_names_that_would_garble_a_message() -> None:
    """A name of the API's may hold anything, and is made printable."""
    recent = {7: Recent(0, 24, None, hour(-14))}
    alert = one(facts(recent=recent, names={7: "a\x1b[31m\nb"}), "few-records")
    assert alert.sentence == "station 7 (a [31m b): 0 of the last 24 hours came; none is known"
