"""Each alert is told once, once more where it gets worse, and once when it has cleared."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from airq_etl import alert_text
from airq_etl.ledger import Ledger
from airq_etl.open_alerts import alerts_since, mark_told, news, open_alerts, record, record_past
from airq_etl.watch import Alert
from tests.frames import hour

FEW = Alert(kind="few-records", severity="warning", since=hour(5), sentence="few", action="see", station_id=7)
BAD = Alert(kind="bad-run", severity="error", since=hour(6), sentence="a bad run: 503", action="see")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path) as opened:
        yield opened


class Runs:
    """Runs an hour apart, each of which finds some alerts and tells what is news."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.at = 10

    def __call__(self, *found: Alert, unseen: tuple[str, ...] = (), taken: bool = True) -> tuple[list[str], list[str]]:
        """The kinds told as opened and as cleared; told only where somebody took it."""
        self.at += 1
        now = hour(self.at)
        record(self.ledger, found, lambda alert: alert.kind in unseen, now=now, run_id=f"run{self.at}")
        told = news(self.ledger)
        if taken:
            mark_told(self.ledger, told, now)
        return [one.alert.kind for one in told.opened], [one.alert.kind for one in told.cleared]


def test_told_once_and_once_when_cleared(ledger: Ledger) -> None:
    """However long it lasts, an alert is told twice; one that comes again is a new one."""
    run = Runs(ledger)
    assert run(FEW) == (["few-records"], [])
    assert run(FEW) == ([], [])
    assert run(FEW, BAD) == (["bad-run"], [])
    assert run(BAD) == ([], ["few-records"])
    assert run() == ([], ["bad-run"])
    assert run() == ([], [])
    assert run(FEW) == (["few-records"], [])
    assert [one.opened_at for one in open_alerts(ledger)] == [hour(run.at)]
    assert len(alerts_since(ledger, hour(0))) == 3


def test_what_nobody_took_is_told_later(ledger: Ledger) -> None:
    """An alert that no service took is told after the next run; one that cleared untold is not told at all."""
    run = Runs(ledger)
    assert run(FEW, taken=False) == (["few-records"], [])
    assert run(FEW) == (["few-records"], [])
    assert run(BAD, taken=False) == (["bad-run"], ["few-records"])
    assert run(taken=False) == ([], ["few-records"])
    assert run() == ([], ["few-records"])
    assert run() == ([], [])


def test_what_could_not_be_seen_stays_open(ledger: Ledger) -> None:
    """An alert clears only by a run that could see whether it still holds."""
    run = Runs(ledger)
    run(FEW)
    assert run(unseen=("few-records",)) == ([], [])
    assert [one.alert for one in open_alerts(ledger)] == [FEW]
    assert run() == ([], ["few-records"])


def test_told_again_where_it_got_worse(ledger: Ledger) -> None:
    """A warning that becomes an error is told once more, an error that becomes a warning is not."""
    run = Runs(ledger)
    worse = msgspec.structs.replace(FEW, severity="error")
    run(FEW)
    assert run(worse) == (["few-records"], [])
    assert run(worse) == ([], [])
    assert run(FEW) == ([], [])


def test_since_when_does_not_move(ledger: Ledger) -> None:
    """What an alert says may change from run to run; since when it holds does not."""
    run = Runs(ledger)
    run(FEW)
    run(msgspec.structs.replace(FEW, since=hour(9), sentence="fewer"))
    (known,) = open_alerts(ledger)
    assert (known.alert.since, known.alert.sentence, known.opened_at) == (hour(5), "fewer", hour(11))


def test_stations_are_told_apart(ledger: Ledger) -> None:
    """The same of another station is another alert."""
    run = Runs(ledger)
    other = msgspec.structs.replace(FEW, station_id=8)
    assert run(FEW) == (["few-records"], [])
    assert run(FEW, other) == (["few-records"], [])
    assert run(other) == ([], ["few-records"])


def test_alerts_are_found_without_looking_at_all(ledger: Ledger) -> None:
    """Where ten thousand stations fall silent at once, none is searched for among all alerts."""
    every = [msgspec.structs.replace(FEW, station_id=number) for number in range(10)]
    looks: list[str] = []
    with ledger.transaction() as db:
        db.set_trace_callback(looks.append)
    Runs(ledger)(*every)
    with ledger.transaction() as db:
        db.set_trace_callback(None)
    deletions = [look for look in looks if look.startswith("delete from alerts")]
    assert len(deletions) == 20
    plans = {plan[-1].partition(" (")[0] for look in deletions for plan in ledger.rows(f"explain query plan {look}")}
    assert plans == {"SEARCH alerts USING INDEX alerts_identity"}


def test_what_cleared_before_anybody_knew(ledger: Ledger) -> None:
    """A pause that a good run ended is told once, as past; where nobody was to be told then, nobody is later."""
    record_past(ledger, FEW, now=hour(9), run_id="w", telling=False)
    record_past(ledger, BAD, now=hour(10), run_id="x", telling=True)
    told = news(ledger).cleared
    assert alert_text.title([], told) == "airq-etl: a bad run: 503"
    text = alert_text.message([], told, "there")
    assert text.startswith(
        "ERROR, over by now: a bad run: 503\nFrom 2024-09-09 06:00 to 2024-09-09 10:00 UTC. Next: see"
    )
    run = Runs(ledger)
    assert run() == ([], ["bad-run"])
    assert run() == ([], [])
    assert open_alerts(ledger) == []
    assert [one.alert for one in alerts_since(ledger, hour(0))] == [FEW, BAD]


def test_the_message(ledger: Ledger) -> None:
    """A paragraph an alert, the worst first: what, since when, what next; the title is the worst of them."""
    run = Runs(ledger)
    run(FEW, BAD, taken=False)
    opened = open_alerts(ledger)
    assert alert_text.title(opened, []) == "airq-etl: a bad run: 503 (and 1 more)"
    assert alert_text.message(opened, [], "there") == (
        "ERROR: a bad run: 503\nSince 2024-09-09 06:00 UTC. Next: see\n\n"
        "WARNING: few\nSince 2024-09-09 05:00 UTC. Next: see\n\n"
        "there"
    )
    cleared = [msgspec.structs.replace(one, told_at=hour(11), cleared_at=hour(12)) for one in opened]
    assert alert_text.title([], cleared) == "airq-etl: runs are good again"
    assert "WELL AGAIN: few\nFrom 2024-09-09 05:00 to 2024-09-09 12:00 UTC" in alert_text.message([], cleared, "there")
    assert alert_text.title([], cleared[1:]) == "airq-etl: well again: few"


def test_a_thousand_alerts_are_one_readable_message(ledger: Ledger) -> None:
    """Of very many the first ten are told, the others counted."""
    run = Runs(ledger)
    run(*(msgspec.structs.replace(FEW, station_id=number, sentence="x" * 5000) for number in range(1000)), taken=False)
    text = alert_text.message(open_alerts(ledger), [], "there")
    assert text.count("WARNING") == 10
    assert "... and 990 more: airq-etl status" in text
    assert len(text) < 10_000
    assert len(alert_text.title(open_alerts(ledger), [])) <= 100
