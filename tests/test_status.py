"""status: what ran, how it went, and what is open, in 80 columns; it alters nothing."""

import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from rich.cells import cell_len

from airq_etl import ledger_runs, lock
from airq_etl import settings as configuration
from airq_etl.ledger import FILE, Ledger
from airq_etl.pipeline.run import run_all
from airq_etl.runs import RunRecord, State, StationRecord, StepRecord
from airq_etl.status_facts import pace
from tests.frames import body, hour
from tests.server import Reply, Request, Server, serving

if TYPE_CHECKING:
    from tests.conftest import Airq, Missing, Ran

STATIONS = (7, 8)
NOW = hour(30) + timedelta(minutes=20)  # 2024-09-10 06:20
DEMO = "2026-09-09T10:20"
MINUTE = timedelta(minutes=1)
GOOD = Reply(body=body({number: {"CO": 1.0} for number in range(31)}))


class Job:
    """The hourly job in a data directory of its own, against a server whose answers a test sets."""

    def __init__(self, airq: "Airq", server: Server) -> None:
        self.airq, self.server = airq, server
        self.data = airq.directory / "data"
        self.answers: dict[int, Reply] = {}
        server.script = self._answer

    def _answer(self, request: Request) -> Reply:
        return self.answers.get(int(request.path.rpartition("/")[2]), GOOD)

    def environment(self, now: datetime) -> dict[str, str]:
        return {
            "AIRQ_API_URL": self.server.url,
            "AIRQ_STATIONS": ",".join(map(str, STATIONS)),
            "AIRQ_RETRIES": "0",
            "AIRQ_DATA_DIR": str(self.data),
            "AIRQ_NOW": now.isoformat(),
        }

    def run(self, now: datetime = NOW) -> int:
        """A whole run in this process."""
        given = {"data_dir": self.data, "api_url": self.server.url, "stations": STATIONS, "now": now, "retries": 0}
        return run_all(configuration.build(given), sanity_check=False).exit_code

    def status(
        self, *words: str, now: datetime = NOW + 5 * MINUTE, expect: int = 0, env: Mapping[str, str] | None = None
    ) -> "Ran":
        """`airq-etl status`, which keeps to 80 columns."""
        ran = self.airq("status", *words, env=self.environment(now) | dict(env or {}), expect=expect)
        if "--json" not in words:
            assert max(map(cell_len, ran.out.splitlines()), default=0) <= 80
        return ran


@pytest.fixture
def job(airq: "Airq") -> Iterator[Job]:
    with serving(lambda _: GOOD) as server:
        yield Job(airq, server)


def told(ran: "Ran", word: str) -> str:
    """The line that begins with a word."""
    (line,) = (line for line in ran.out.splitlines() if line.startswith(f"{word} "))
    return " ".join(line.removeprefix(word).split())


def record(  # noqa: PLR0913 -- what a run is
    data: Path,
    run_id: str,
    began: datetime,
    *,
    state: State = "SUCCESS",
    duration_s: float = 10.0,
    stations: list[StationRecord] | None = None,
) -> None:
    """Write a run of one step, which takes the whole of it, into a ledger."""
    data.mkdir(exist_ok=True)
    code = {"SUCCESS": 0, "PARTIAL": 3}.get(state, 5)
    run = RunRecord(run_id=run_id, command="run", state="RUNNING", started_at=began, pid=1, version="1")
    step = StepRecord(step="extract", state=state, started_at=began, duration_s=duration_s, stations=stations or [])
    ended = msgspec.structs.replace(run, state=state, ended_at=began + MINUTE, duration_s=duration_s, exit_code=code)
    with Ledger(data) as ledger, ledger.transaction() as db:
        ledger_runs.start(db, run, ["extract"])
        ledger_runs.record_step(db, run_id, step)
        ledger_runs.end(db, ended)


# What ran


def test_where_nothing_ran_nothing_is_made(job: Job) -> None:
    """No run yet is exit code 2, one line that says what is next, and no directory."""
    ran = job.status(expect=2)
    assert (ran.out, ran.err) == ("", f"airq-etl: no run yet in {job.data}; next: airq-etl run\n")
    assert not job.data.exists()
    job.data.mkdir()
    Ledger(job.data).__exit__()
    assert "no run yet" in job.status(expect=2).err


def test_a_good_run(job: Job) -> None:
    """What ran, each step and each station, with newest hour and age, and the hours of the last 24 that are there."""
    assert job.run() == 0
    ran = job.status()
    assert told(ran, "today") == "1 of 1 runs done since 06:20 UTC (hourly at :20)"
    assert told(ran, "7 days") == "100 % of 1 run good"
    assert told(ran, "last run").startswith("OK ")
    assert told(ran, "last run").endswith(" s, exit code 0")
    assert told(ran, "last good") == "06:20, 5 min ago"
    assert told(ran, "next due") == "07:20 UTC"
    assert told(ran, "extract").startswith("OK ")
    assert "2 requests" in told(ran, "extract")
    assert "62 rows, 62 new hours" in told(ran, "transform")
    assert "62 hourly, 4 daily written" in " ".join(ran.out.split())
    stations = [line.split() for line in ran.out.splitlines() if line.split()[1:2] == ["SMART188"]]
    assert [line[1:3] + line[5:] for line in stations] == [
        ["SMART188", "OK", "2024-09-10", "06:00", "25", "min", "24/24"]
    ] * 2
    assert "not well" not in ran.out
    assert ran.err == ""


def test_a_partial_run(job: Job) -> None:
    """A station that failed comes first, with its error, and the step says what it is."""
    job.answers[8] = Reply(404)
    assert job.run() == 3
    ran = job.status()
    assert "since 06:20 UTC (hourly at :20), 1 PARTIAL" in told(ran, "today")
    assert told(ran, "7 days") == "100 % of 1 run good"
    assert told(ran, "last run").startswith("PARTIAL ")
    assert told(ran, "last run").endswith("exit code 3, failed: extract")
    assert told(ran, "extract").startswith("PARTIAL ")
    assert told(ran, "load").startswith("OK ")
    lines = ran.out.splitlines()
    failed = next(number for number, line in enumerate(lines) if line.startswith("8 "))
    assert lines[failed].split()[1:] == ["FAILED", "0.0", "s", "-", "-", "0/24"]
    assert lines[failed + 1].startswith("  the API does not know this station (status 404)")
    assert any(line.startswith("7 SMART188 ") for line in lines[failed + 2 :])


def test_a_failed_run(job: Job) -> None:
    """A run that failed has its exit code; what came of the runs before it is still to be seen."""
    assert job.run() == 0
    job.answers = dict.fromkeys(STATIONS, Reply(503))
    assert job.run(NOW + 60 * MINUTE) == 5
    ran = job.status(now=NOW + 65 * MINUTE)
    assert told(ran, "today").startswith("1 of 2 runs done")
    assert told(ran, "7 days") == "50 % of 2 runs good"
    assert told(ran, "last run").startswith("FAILED ")
    assert "exit code 5, failed: extract" in told(ran, "last run")
    assert told(ran, "last good") == "06:20, 65 min ago"
    assert ran.out.count("23/24") == 0
    assert ran.out.count("24/24") == 2


def test_a_slow_run(job: Job) -> None:
    """A run, and its step, that took over twice what is usual is SLOW; AIRQ_ALERT_SLOW=0 knows none."""
    for number in range(6):
        record(job.data, f"{number:08x}", hour(number))
    record(job.data, "abcdef01", hour(6), duration_s=20.1)
    ran = job.status(now=hour(7))
    assert told(ran, "last run") == "SLOW abcdef01 of 06:00, 20.1 s (usual 10.0 s), exit code 0"
    assert told(ran, "extract") == "SLOW 20.1 s 10.0 s"
    assert told(job.status(now=hour(7), env={"AIRQ_ALERT_SLOW": "0"}), "extract").startswith("OK ")
    record(job.data, "abcdef02", hour(7), duration_s=20.0)
    assert told(job.status(now=hour(8)), "extract").startswith("OK ")


@contextmanager
def at_work(job: Job) -> Iterator["subprocess.Popen[bytes]"]:
    """A run in a process of its own that waits for an answer, while the block runs."""
    asked, go_on = threading.Event(), threading.Event()

    def waiting(_: Request) -> Reply:
        asked.set()
        go_on.wait(60)
        return GOOD

    job.server.script = waiting
    words = [sys.executable, "-m", "airq_etl", "run", "-q"]
    run = subprocess.Popen(words, env=job.airq.environment | job.environment(NOW))
    try:
        assert asked.wait(30)
        yield run
    finally:
        go_on.set()
        run.kill()
        run.wait()


def states(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / FILE)) as ledger:
        return [state for (state,) in ledger.execute("select state from runs order by rowid")]


def test_a_run_at_work(job: Job) -> None:
    """While one is at work it is shown with its step, and stands in nobody's way."""
    with at_work(job) as run:
        ran = job.status()
        assert told(ran, "at work").startswith("run ")
        assert told(ran, "at work").endswith("since 06:20 (5.0 min), at extract")
        assert "last run" not in ran.out
        assert told(ran, "extract").split()[0] == "RUNNING"
        assert told(ran, "load").split()[0] == "PENDING"
        assert job.status("--json").json["at_work"]["step"] == "extract"
        assert told(job.status("--run", "last"), "state") == "RUNNING"
        assert run.poll() is None
    assert states(job.data) == ["RUNNING"]


def test_a_run_that_was_killed_is_interrupted(job: Job) -> None:
    """The ledger has a killed run as at work: nobody holds the lock, so it is FAILED; the next one is good."""
    with at_work(job) as run:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        ran = job.status()
    assert told(ran, "last run").startswith("FAILED (interrupted) ")
    assert told(ran, "today").endswith("1 FAILED")
    assert told(ran, "extract") == "FAILED - - interrupted"
    assert told(ran, "load").split()[0] == "SKIPPED"
    assert "at work" not in ran.out
    assert told(job.status("--run", "last"), "message") == "interrupted"
    assert states(job.data) == ["RUNNING"], "status alters nothing"

    job.server.script = job._answer  # noqa: SLF001 -- it answers again
    assert job.run(NOW + 60 * MINUTE) == 0
    ran = job.status(now=NOW + 65 * MINUTE)
    assert told(ran, "last run").startswith("OK ")
    assert told(ran, "today").startswith("1 of 2 runs done")
    assert states(job.data) == ["FAILED", "SUCCESS"]


# The days, the clock


def test_today_begins_at_midnight_utc(job: Job) -> None:
    """Over midnight today begins anew, at 00:00; before, it begins with the first run ever."""
    for number in (21, 22, 23):
        record(job.data, f"{number:08x}", hour(number) + 20 * MINUTE)
    assert told(job.status(now=hour(24) - MINUTE), "today").startswith("3 of 3 runs done since 21:20 UTC")
    assert told(job.status(now=hour(24)), "today").startswith("0 of 0 runs done since 00:00 UTC")
    assert told(job.status(now=hour(24) + 20 * MINUTE), "today").startswith("0 of 1 runs done since 00:00 UTC")
    record(job.data, f"{24:08x}", hour(24) + 20 * MINUTE)
    ran = job.status(now=hour(24) + 30 * MINUTE)
    assert told(ran, "today").startswith("1 of 1 runs done since 00:00 UTC")
    assert told(ran, "7 days") == "100 % of 4 runs good"
    assert told(ran, "next due") == "01:20 UTC"


def test_a_silent_cron_is_named(job: Job) -> None:
    """A run that is due by more than an hour: cron has not called."""
    record(job.data, "0000000a", NOW)
    assert told(job.status(now=NOW + 70 * MINUTE), "next due") == "07:20 UTC, 10 min ago"
    ran = job.status(now=NOW + 121 * MINUTE)
    assert told(ran, "next due") == "cron has not called since 06:20 UTC; see its log"


def test_the_minute_is_that_of_most_runs() -> None:
    """A run by hand does not change when the next is due, nor how many are expected."""
    starts = [hour(9) + 47 * MINUTE, *(hour(number) + 17 * MINUTE for number in (9, 8, 7))]
    it = pace(starts, starts[-1], {"SUCCESS": 4}, {"SUCCESS": 4}, hour(10))
    assert (it.minute, it.expected, it.next_due) == (17, 3, hour(10) + 17 * MINUTE)
    at_once = pace(starts[1:], starts[-1], {}, {}, hour(9) + 17 * MINUTE)
    assert (at_once.expected, at_once.next_due) == (3, hour(10) + 17 * MINUTE)


# Stations


def of_a_thousand(bad: int) -> list[StationRecord]:
    return [
        StationRecord(station_id=number, state="FAILED" if number <= bad else "SUCCESS", duration_s=0.5)
        for number in range(1, 1001)
    ]


@pytest.mark.parametrize(
    ("bad", "last_line"), [(0, "and 980 more, all OK"), (30, "and 980 more: 10 FAILED, 970 OK; --all shows them")]
)
def test_of_a_thousand_stations_the_worst_are_shown(job: Job, bad: int, last_line: str) -> None:
    """The worst 20 come first, the others are counted; --all shows them."""
    record(job.data, "0000000a", NOW, stations=of_a_thousand(bad))
    env = {"AIRQ_STATIONS": ",".join(map(str, range(1, 1001)))}
    lines = job.status(env=env).out.splitlines()
    shown = [words[1] for line in lines if (words := line.split())[:1] and words[0].isdigit() and words[1] != "days"]
    assert shown == ["FAILED" if bad else "OK"] * 20
    assert lines[-1] == last_line
    assert job.status("--all", env=env).out.count("/24\n") == 1000
    assert job.status("--run", "last", env=env).out.splitlines()[-1].strip() == last_line


def test_a_station_that_was_never_asked(job: Job) -> None:
    """Shown are those of the newest extract, and of the settings; what an older extract did for one, or nothing."""
    record(job.data, "0000000a", NOW, stations=[StationRecord(station_id=8, state="FAILED", message="gone")])
    record(job.data, "0000000b", NOW + 60 * MINUTE, stations=[StationRecord(station_id=7, state="SUCCESS")])
    stations = job.status("--json", env={"AIRQ_STATIONS": "8,9"}).json["stations"]
    assert [(one["station_id"], one["state"], one["message"]) for one in stations] == [
        (7, "SUCCESS", ""),
        (8, "FAILED", "gone"),
        (9, None, ""),
    ]


def test_names_keep_to_their_columns(job: Job) -> None:
    """Wide characters take two columns; what would steer a terminal becomes a space, in a name and in an error."""
    name = r"城市空氣品質監測站臺北市\u001b[31m\u0007\u202e\n中正區"
    (job.airq.directory / "stations.toml").write_text(
        f'[7]\nname = "短\\u001b[31m"\n[8]\nname = "{name}"\n', encoding="utf-8"
    )
    assert job.run() == 0
    error = StationRecord(station_id=8, state="FAILED", message="\x1b[2Jrefused\r\n" + "臺" * 99)
    record(job.data, "0000000b", NOW, stations=[error])
    ran = job.status(env={"AIRQ_STATIONS_FILE": "stations.toml"})
    assert all(character.isprintable() for line in ran.out.splitlines() for character in line)
    assert [cell_len(line[: line.index("OK")]) for line in ran.out.splitlines() if "短" in line] == [22]
    assert [cell_len(line[: line.index("FA")]) for line in ran.out.splitlines() if "城市" in line] == [22]
    refused = ran.out.partition("refused")[2]
    assert refused.count("臺") == 99
    assert max(map(cell_len, ran.out.splitlines())) <= 80


# Alerts, findings, disk


def alert(data: Path, severity: str, cleared_at: str | None = None, kind: str = "stale") -> None:
    with Ledger(data) as ledger, ledger.transaction() as db:
        db.execute(
            "insert into alerts values (?, 7, '', ?, ?, ?, 'have a look at the mast', ?, 'a', null, null, ?)",
            [
                kind,
                severity,
                NOW.isoformat(),
                "SMART188 has sent nothing " + "at all " * 20,
                NOW.isoformat(),
                cleared_at,
            ],
        )


def test_open_alerts_are_told_with_what_to_do(job: Job) -> None:
    """Each with its severity, since when, and what to do, wrapped; one that is cleared is not."""
    record(job.data, "0000000a", NOW)
    alert(job.data, "info", NOW.isoformat())
    assert "SMART188" not in job.status().out
    alert(job.data, "warning")
    ran = job.status("--check")
    assert told(ran, "WARNING").startswith("since 06:20: SMART188 has sent nothing at all")
    assert "\n          -> have a look at the mast\n" in ran.out


@pytest.mark.parametrize(
    ("hours", "given", "code"), [("1.9", {}, 0), ("2.1", {}, 4), ("99", {"AIRQ_ALERT_OVERDUE_H": "0"}, 0)]
)
def test_check_fails_without_a_good_run(job: Job, hours: str, given: dict[str, str], code: int) -> None:
    """No good run for AIRQ_ALERT_OVERDUE_H is exit code 4 with --check, and is said; without it the code is 0."""
    record(job.data, "0000000a", NOW - MINUTE)
    record(job.data, "0000000b", NOW + 30 * MINUTE, state="FAILED")
    now = NOW + float(hours) * 60 * MINUTE
    ran = job.status("--check", now=now, expect=code, env=given)
    assert ("not well   no good run for" in ran.out) == bool(code)
    assert bool(job.status("--check", "-q", now=now, expect=code, env=given).out) == bool(code)
    job.status(now=now, env=given)


def test_check_fails_where_an_error_is_open(job: Job) -> None:
    """An open alert of severity error is exit code 4."""
    record(job.data, "0000000a", NOW)
    alert(job.data, "error")
    assert told(job.status("--check", expect=4), "not well") == "1 open alert is an error"
    assert job.status("--check", "--json", expect=4).json["unwell"] == ["1 open alert is an error"]


def test_check_does_not_fail_for_a_finding(job: Job) -> None:
    """A sensor that is dead is shown, and is no reason for a container to be started anew."""
    record(job.data, "0000000a", NOW)
    alert(job.data, "error", kind="finding:dead-sensor")
    ran = job.status("--check")
    assert "have a look at the mast" in ran.out
    assert "not well" not in ran.out


def test_check_counts_from_the_first_run_where_none_was_good(job: Job) -> None:
    """Where no run was ever good, the first one says since when."""
    record(job.data, "0000000a", NOW, state="FAILED")
    job.status("--check", now=NOW + 90 * MINUTE)
    job.status("--check", now=NOW + 150 * MINUTE, expect=4)


# One run in full


def test_a_run_in_full(job: Job) -> None:
    """By its id, a beginning of it that is clear, or as the last: all that is recorded of it."""
    job.answers[8] = Reply(404)
    job.run()
    full = job.status("--run", "last")
    run_id = told(full, "run")
    assert job.status("--run", run_id).out == job.status("--run", run_id[:5]).out == full.out
    assert told(full, "state") == "PARTIAL"
    assert told(full, "exit code") == "3"
    assert told(full, "began") == "2024-09-10 06:20:00 UTC"
    assert told(full, "process").startswith(f"{os.getpid()} on ")
    assert "station 8: the API does not know this station" in told(full, "message")
    assert "rows read 31, rows rejected 0, rows duplicate 0" in " ".join(full.out.split())
    asjson = job.status("--run", "last", "--json").json
    assert asjson["run_id"] == run_id
    assert [station["station_id"] for station in asjson["steps"][0]["stations"]] == [7, 8]


def test_an_unknown_run_names_those_there_are(job: Job) -> None:
    """An id that is none, or the beginning of several, is exit code 2 and one line with ids that would do."""
    record(job.data, "abcd0001", NOW)
    record(job.data, "abcd0002", NOW)
    record(job.data, "ffff0003", NOW)
    unknown = "airq-etl: --run 0815: there is no such run; the latest are ffff0003, abcd0002, abcd0001\n"
    assert job.status("--run", "0815", expect=2).err == unknown
    several = "airq-etl: --run abcd: more than one run begins so; they are abcd0002, abcd0001\n"
    assert job.status("--run", "abcd", expect=2).err == several


# How it reads


def test_json_has_it_all(job: Job) -> None:
    """One document: times as ISO 8601 in UTC, durations in seconds, sizes in bytes."""
    job.run()
    told = job.status("--json").json
    assert told["now"] == "2024-09-10T06:25:00Z"
    assert told["data_dir"] == str(job.data)
    assert told["pace"]["expected"] == told["pace"]["done"] == 1
    assert told["last"]["state"] == "SUCCESS"
    assert [step["step"] for step in told["steps"]] == ["extract", "transform", "load", "forecast"]
    assert [(one["newest_hour"], one["hours_of_24"]) for one in told["stations"]] == [("2024-09-10T06:00:00Z", 24)] * 2
    assert told["disk"]["captures"] == sum(path.stat().st_size for path in (job.data / "captures").rglob("*.gz"))
    assert told["disk"]["store"] == (job.data / "airq.db").stat().st_size
    assert (told["alerts"], told["notes"], told["unwell"]) == ([], [], [])


def test_it_leaves_everything_as_it_was(job: Job) -> None:
    """No file is made, none is altered."""
    job.run()

    def there() -> dict[str, tuple[int, bytes]]:
        files = (path for path in job.data.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = there()
    job.status()
    job.status("--run", "last")
    assert there() == before


def test_a_damaged_ledger_is_one_line(job: Job) -> None:
    """It is named with what to do, and is exit code 7."""
    job.run()
    (job.data / FILE).write_bytes(b"no ledger " * 1000)
    ran = job.status(expect=7)
    assert ran.err.startswith(f"airq-etl: {job.data / FILE} is damaged (")
    assert ran.err.count("\n") == 1


def test_a_ledger_of_another_version_is_one_line(job: Job) -> None:
    """It is not brought to another layout by who only looks."""
    record(job.data, "0000000a", NOW)
    for layout, said in ((3, "of an older airq-etl"), (99, "by a newer airq-etl")):
        with closing(sqlite3.connect(job.data / FILE)) as db:
            db.execute(f"pragma user_version = {layout}")
        ran = job.status(expect=7)
        assert said in ran.err
        assert ran.err.count("\n") == 1


def test_a_damaged_table_is_a_note(job: Job) -> None:
    """What else there is to say is said; of hours nothing is known."""
    job.run()
    next((job.data / "hourly").glob("*.parquet")).write_bytes(b"no table")
    ran = job.status()
    assert told(ran, "note").startswith("the hourly table cannot be read")
    assert [one["hours_of_24"] for one in job.status("--json").json["stations"]] == [None, None]


def test_who_may_only_read(job: Job, missing: "Missing") -> None:
    """It needs no right to write; and says so in a line where there is none to read."""
    if os.geteuid() != 0 or not Path("/usr/bin/setpriv").exists():
        missing("root and setpriv are needed to give rights up")
    job.run()
    plain = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    job.data.chmod(0o500)
    (job.data / FILE).chmod(0o400)
    env = job.environment(NOW)
    assert "last run" in job.airq("status", env=env, under=plain).out
    assert not list(job.data.glob(f"{FILE}-*"))
    (job.data / FILE).chmod(0o000)
    ran = job.airq("status", env=env, under=plain, expect=7)
    assert "ask as the user who runs airq-etl" in ran.err
    assert ran.err.count("\n") == 1


# Again and again


class Terminal:
    """A pseudo-terminal of 80 columns on which a program draws."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.shown = b""
        more = {"TERM": "xterm", "COLUMNS": "80", "LINES": "40"}
        self.process = subprocess.Popen(
            words, env=environment | more, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def wait_for(self, text: bytes) -> None:
        """Return when this was drawn after all that was waited for before."""
        while text not in self.shown:
            assert select.select([self._ours], [], [], 30)[0], f"{text!r} was not drawn: {self.shown[-500:]!r}"
            self.shown += os.read(self._ours, 1 << 16)
        self.shown = self.shown.partition(text)[2]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*given: Any) -> Terminal:  # noqa: ANN401 -- what Terminal takes
        opened.append(Terminal(*given))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_watch_draws_until_it_is_stopped(job: Job, terminal: Callable[..., Terminal]) -> None:
    """It is drawn again with what is new, in colour, and ends well with Ctrl-C."""
    record(job.data, "0000000a", NOW)
    words = [sys.executable, "-m", "airq_etl", "status", "--watch", "--every", "0.2"]
    watching = terminal(words, job.airq.environment | job.environment(NOW + 5 * MINUTE))
    watching.wait_for(b"\x1b[32mOK\x1b[0m 0000000a")
    watching.wait_for(b"airq-etl on")
    record(job.data, "0000000b", NOW + MINUTE)
    watching.wait_for(b"0000000b")
    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(20) == 0


def test_no_colour_where_none_is_wanted(job: Job, terminal: Callable[..., Terminal]) -> None:
    """On a terminal states are coloured, unless NO_COLOR is set; in a pipe they never are."""
    record(job.data, "0000000a", NOW)
    assert "\x1b" not in job.status().out
    environment = job.airq.environment | job.environment(NOW)
    words = [sys.executable, "-m", "airq_etl", "status"]
    terminal(words, environment).wait_for(b"last run   \x1b[32mOK\x1b[0m")
    terminal(words, environment | {"NO_COLOR": "1"}).wait_for(b"last run   OK 0000000a")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--watch",), "--watch needs a terminal"),
        (("--watch", "--json"), "goes without --json"),
        (("--run", "last", "--check"), "--run shows one run"),
        (("--every", "3"), "--every belongs to --watch"),
    ],
)
def test_what_does_not_go_together_is_refused(job: Job, words: tuple[str, ...], said: str) -> None:
    """Options that make no sense are exit code 2 and one line."""
    record(job.data, "0000000a", NOW)
    ran = job.status(*words, expect=2)
    assert said in ran.err
    assert ran.err.count("\n") == 1


# The lock


def test_a_look_at_the_lock_tells_who_holds_it(tmp_path: Path) -> None:
    """It is held while somebody holds it, and not before or afterwards; no file is made by looking."""
    assert not lock.is_held(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with lock.hold(tmp_path, "run", NOW):
        assert lock.is_held(tmp_path)
    assert not lock.is_held(tmp_path)


def test_a_look_at_the_lock_stops_no_run(tmp_path: Path) -> None:
    """However often somebody looks, a run that starts gets the lock."""
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            lock.is_held(tmp_path)

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(200):
            with lock.hold(tmp_path, "run", NOW):
                pass
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()


# The README


def test_the_screen_in_the_readme_is_the_one_of_the_demo(airq: "Airq") -> None:
    """But for the machine's name, the id of the run, and what differs by speed and disk."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition(f"--now {DEMO}`:\n\n```\n")[2].partition("```\n")[0]
    del airq.environment["XDG_DATA_HOME"]
    airq("run", "--demo")
    told = airq("status", "--data-dir", airq.directory / ".local/share/airq-etl-demo", "--now", DEMO).out
    assert _whatever_the_machine(told) == _whatever_the_machine(shown)


def _whatever_the_machine(screen: str) -> list[str]:
    told = re.sub(r"^airq-etl on \S+,", "airq-etl on a machine,", screen)
    told = re.sub(r"OK \w{8} of", "OK a run of", told)
    told = re.sub(r"[\d.]+ (s|[kMGT]?B)\b", "so much", told)
    return [" ".join(line.split()) for line in told.splitlines()]
