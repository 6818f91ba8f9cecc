"""A day of hourly runs in which much goes wrong: who is told of what, and how often."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import cos, pi
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from airq_etl.ledger import Ledger
from airq_etl.ledger_runs import runs
from airq_etl.open_alerts import alerts_since
from airq_etl.runs import RunRecord
from airq_etl.watch import KnownAlert
from tests.faults.replay import Source
from tests.frames import hour
from tests.mail import mail_server
from tests.server import Reply, Request, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Airq

WELL, DYING = 7, 8
HISTORY_H = 72
OUTAGE = range(6, 9)
DIES_AT = 10
SLOW_AT, SLOW_S = 12, 9
KILLED_AT = 3


def readings(number: int, station_id: int) -> dict[str, float]:
    """What sensors that are well may give: a wave over the day, and something of its own at each hour."""
    wave = cos(2 * pi * (number - 20) / 24)
    own = (number * 7919 + station_id * 104_729) % 97 / 97
    return {"CO": round(0.5 + 0.2 * wave + 0.1 * own, 3), "PM2.5": round(14 + 5 * wave + 3 * own, 2)}


class BadDay:
    """The source on a bad day: down for three hours, slow at one, and one of its two stations dies."""

    def __init__(self) -> None:
        self.now = hour(0)

    def __call__(self, request: Request) -> Reply:
        """The answer as of `now`."""
        if self.now.hour in OUTAGE:
            return Reply(503, b"{}")
        if self.now.hour == SLOW_AT:
            time.sleep(SLOW_S)
        station_id = int(request.path.rpartition("/")[2])
        known = range(-HISTORY_H, DIES_AT if station_id == DYING else 24)
        return Source({number: readings(number, station_id) for number in known}, self.now)(request)


class Target(NamedTuple):
    """Settings that name those who are told, and what they were told."""

    settings: dict[str, str]
    requests: list[Request]
    subjects: "Callable[[], list[str]]"

    def hooked(self) -> list[dict[str, str]]:
        """What the webhook was told."""
        return [request.form for request in self.requests if request.path == "/hook"]

    def pings(self) -> list[str]:
        """Which pings came."""
        return [request.path for request in self.requests if request.path != "/hook"]


@contextmanager
def targets() -> Iterator[Target]:
    """A webhook, a mail server and a dead man's switch."""
    with serving(lambda _: Reply()) as server, mail_server() as mailbox:
        hook = f"form://{server.url.removeprefix('http://')}/hook"
        mail = f"mailto://127.0.0.1:{mailbox.port}?from=airq@example.org&to=ops@example.org&mode=insecure"
        settings = {"AIRQ_ALERT_URLS": f"{hook} {mail}", "AIRQ_PING_URL": f"{server.url}/uuid"}
        yield Target(settings, server.requests, mailbox.subjects)


class Day(NamedTuple):
    """What came of a bad day."""

    codes: list[int]
    hooked: list[dict[str, str]]
    subjects: list[str]
    pings: list[str]
    runs: list[RunRecord]
    alerts: list[KnownAlert]
    statuses: list[dict[str, Any]]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, airq_in: "Callable[[Path], Airq]") -> Day:
    """The bad day, run by run, at twenty past each hour."""
    airq = airq_in(tmp_path_factory.mktemp("day"))
    source, codes, statuses = BadDay(), list[int](), list[dict[str, Any]]()
    with serving(source) as server, targets() as target:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": f"{WELL},{DYING}", "AIRQ_RETRIES": "0"}
        for at in range(24):
            source.now = hour(at) + timedelta(minutes=20)
            now = {"AIRQ_NOW": source.now.isoformat()}
            codes.append(airq("run", "-q", env=env | target.settings | now, expect=None).code)
            statuses.append(airq("status", "--json", env=env | now).json)
        with Ledger(airq.directory / "share/airq-etl") as ledger:
            known, recorded = alerts_since(ledger, hour(0)), runs(ledger)
        return Day(codes, target.hooked(), target.subjects(), target.pings(), recorded[::-1], known, statuses)


def test_who_is_told_and_how_often(day: Day) -> None:
    """Of three bad runs, two hours without a good one, a slow run and a dead station each is told once, and its end."""
    told = [title.partition(": 503")[0] for title in day.subjects]
    assert [title.split(" took ")[0] for title in told] == [
        "airq-etl: a bad run: stations 7, 8: the API answers with status 503",
        "airq-etl: no good run since 2024-09-09 05:20 UTC",
        "airq-etl: runs are good again",
        "airq-etl: the run of 2024-09-09 12:20 UTC",
        "airq-etl: well again: the run of 2024-09-09 12:20 UTC",
        "airq-etl: station 8 (SMART188): 19 of the last 24 hours came; the newest is of 2024-09-09 09:00 UTC",
    ]
    assert [form["title"] for form in day.hooked] == day.subjects
    assert [form["type"] for form in day.hooked] == ["failure", "failure", "success", "warning", "success", "warning"]
    again = day.hooked[2]["message"]
    assert "WELL AGAIN: 3 bad runs in a row: stations 7, 8: the API answers with status 503" in again
    assert "WELL AGAIN: no good run since 2024-09-09 05:20 UTC" in again
    assert "From 2024-09-09 06:20 to 2024-09-09 09:20 UTC" in again


def test_alerts_are_kept_until_they_clear(day: Day) -> None:
    """The ledger has each alert from when it opened to when it cleared."""
    assert [(one.alert.kind, one.opened_at.hour, one.cleared_at and one.cleared_at.hour) for one in day.alerts] == [
        ("bad-run", 6, 9),
        ("overdue", 8, 9),
        ("slow-run", 12, 13),
        ("few-records", 15, None),
    ]


def test_the_dead_mans_switch_saw_each_run(day: Day) -> None:
    """Each run pings its start and its end."""
    ends = ["/uuid/fail" if at in OUTAGE else "/uuid" for at in range(24)]
    assert day.pings == [ping for end in ends for ping in ("/uuid/start", end)]


def test_status_after_each_run(day: Day) -> None:
    """What is wrong is there to be seen for as long as it is wrong, and no longer."""
    lasts = {"bad-run": OUTAGE, "overdue": OUTAGE[2:], "slow-run": [SLOW_AT], "few-records": range(15, 24)}
    for at, status in enumerate(day.statuses):
        kinds = [one["alert"]["kind"] for one in status["alerts"]]
        assert kinds == [kind for kind, hours in lasts.items() if at in hours]
    assert [at for at, status in enumerate(day.statuses) if status["unwell"]] == [*OUTAGE]
    assert [at for at, status in enumerate(day.statuses) if status["last"]["slow"]] == [SLOW_AT]
    for at, status in enumerate(day.statuses):
        assert status["pace"]["done"] == at + 1 - len([bad for bad in OUTAGE if bad <= at])
        well, dying = status["stations"]
        assert datetime.fromisoformat(well["newest_hour"]) == hour(min(OUTAGE) - 1 if at in OUTAGE else at)
        assert (well["state"], dying["state"]) == (("FAILED" if at in OUTAGE else "SUCCESS"),) * 2
        if at not in OUTAGE:
            assert (well["hours_of_24"], dying["hours_of_24"]) == (24, 24 - max(at - DIES_AT, 0))


def test_each_run_is_recorded_with_its_steps(day: Day) -> None:
    """The ledger has every run, its steps, how long they took and what they counted."""
    assert day.codes == [5 if at in OUTAGE else 0 for at in range(24)]
    assert [run.state for run in day.runs] == ["FAILED" if at in OUTAGE else "SUCCESS" for at in range(24)]
    assert {run.settings for run in day.runs} == {day.runs[0].settings}
    for at, run in enumerate(day.runs):
        assert [step.step for step in run.steps] == ["extract", "transform", "load", "forecast", "sanity-check"]
        assert run.steps[0].state == ("FAILED" if at in OUTAGE else "SUCCESS")
        assert run.count("requests") == 2
        # The hours that were missed come with the first good run.
        missed = 1 + (len(OUTAGE) if at == OUTAGE.stop else 0)
        dying = 0 if at >= DIES_AT else missed
        if at not in {0, *OUTAGE}:
            assert run.count("hours_new") == missed + dying
            assert run.steps[0].counts["wire_bytes"] > 1000
    assert (day.runs[SLOW_AT].duration_s or 0) > SLOW_S


def test_nobody_is_told_twice_by_a_pause(airq: "Airq") -> None:
    """That nobody ran for hours is told once, by the first run after it; not what was before anybody was to be told."""
    source = BadDay()
    with serving(source) as server, targets() as target:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": str(WELL)} | target.settings
        for at in (-9, -5, 0, 1, 4, 5):
            source.now = hour(at) + timedelta(minutes=20)
            nobody = {"AIRQ_ALERT_URLS": ""} if at < 1 else {}
            airq("run", "-q", env=env | {"AIRQ_NOW": source.now.isoformat()} | nobody)
        (told,) = target.hooked()
    assert told["title"] == "airq-etl: there was no good run from 2024-09-09 01:20 to 2024-09-09 04:20 UTC"
    assert (told["type"], told["message"].partition(":")[0]) == ("warning", "WARNING, over by now")


def test_days_asked_for_say_nothing_of_the_newest(airq: "Airq") -> None:
    """A run of old days, on a host that has no others yet, alerts nobody of hours that it did not ask for."""
    source = BadDay()
    source.now = hour(1) + timedelta(minutes=20)
    with serving(source) as server, targets() as target:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": str(WELL), "AIRQ_NOW": source.now.isoformat()}
        days = ("--start-date", "2024-09-06", "--end-date", "2024-09-07")
        airq("run", "-q", "--no-sanity-check", *days, env=env | target.settings)
        assert target.hooked() == []


def test_who_does_what_an_alert_says_alerts_nobody(airq: "Airq") -> None:
    """The next step of an alert about a station may fail as the run did, and is no bad run of which all are told."""
    source = BadDay()
    source.now = hour(1) + timedelta(minutes=20)

    def one_unknown(request: Request) -> Reply:
        return Reply(404) if request.path.endswith(f"/{DYING}") else source(request)

    with serving(one_unknown) as server, targets() as target:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": f"{WELL},{DYING}", "AIRQ_NOW": source.now.isoformat()}
        env |= target.settings
        airq("run", "-q", env=env, expect=3)
        (told,) = target.hooked()
        pings = target.pings()
        _, _, action = told["message"].partition("Next: airq-etl ")
        done = airq(*action.partition(";")[0].split(), env=env, expect=5)
        assert f"station {DYING}: " in done.err
        airq("run", "-q", env=env, expect=3)
        assert (target.hooked(), target.pings()) == ([told], pings * 2)


@pytest.mark.parametrize("before", ["", "failed"])
def test_runs_that_were_killed_are_told_of_once(airq: "Airq", before: str) -> None:
    """A run that is killed can tell nobody: the next one does, unless a bad run before has told already."""
    source = BadDay()

    def killing(request: Request) -> Reply:
        if source.now.hour == KILLED_AT:
            os.kill(json.loads((airq.directory / "share/airq-etl/lock.json").read_bytes())["pid"], signal.SIGKILL)
        return Reply(503) if before and source.now.hour == KILLED_AT - 1 else source(request)

    with serving(killing) as server, targets() as target:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": str(WELL), "AIRQ_RETRIES": "0"} | target.settings
        for at in range(KILLED_AT - 2, KILLED_AT + 3):
            source.now = hour(at) + timedelta(minutes=20)
            airq("run", "-q", env=env | {"AIRQ_NOW": source.now.isoformat()}, expect=None)
        told = target.hooked()
    titles = [form["title"] for form in told]
    if before:
        failed = "airq-etl: a bad run: station 7: the API answers with status 503"
        assert titles == [failed, "airq-etl: runs are good again"]
    else:
        assert titles == ["airq-etl: a bad run: interrupted"]
        assert told[0]["type"] == "warning"
        span = "From 2024-09-09 03:20 to 2024-09-09 04:20 UTC. Next: see the system's log"
        assert f"WARNING, over by now: a bad run: interrupted\n{span}" in told[0]["message"]
