"""The command sanity-check, and the look that run takes at its end; made-up checks stand for the real ones."""

import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from airq_etl import lock
from airq_etl import settings as configuration
from airq_etl.findings_text import verdict_text
from airq_etl.junit import junit
from airq_etl.pipeline.run import run_import, run_load, run_transform
from airq_etl.sanity.checks import CHECKS
from airq_etl.sanity.finding import Finding
from airq_etl.verdict import Looked, Verdict
from tests.frames import body, hour
from tests.made_up_checks import CRASH, HANG, MADE_UP
from tests.server import Reply, in_turn, serving

if TYPE_CHECKING:
    from tests.conftest import Airq, Ran

NOW = "2024-09-10T16:20:00"
PROGRAM: list[str | Path] = [sys.executable, Path(__file__).parent / "made_up_checks.py"]
FINE, SOME, MUCH, TOO_MUCH = 1.0, 6.0, 20.0, 200.0


def answer(co: float, name: str = "SMART188", hours: int = 30) -> bytes:
    """A station's answer with this CO in its last three hours; before them all is fine."""
    rows = {number: {"CO": FINE if number < hours - 3 else co} for number in range(hours)}
    whole = json.loads(body(rows))
    whole["header"]["station_name"] = name
    return json.dumps(whole).encode()


def fill(airq: "Airq", co: float, station_id: int = 7, name: str = "SMART188") -> None:
    """Put an answer into the data directory, its tables and its store."""
    file = airq.directory / "answer.json"
    file.write_bytes(answer(co, name))
    settings = configuration.build({"data_dir": airq.directory / "share/airq-etl", "now": NOW})
    run_import(settings, [file], station_id, hour(30))
    run_transform(settings)
    run_load(settings)


def check(airq: "Airq", *words: str | Path, expect: int = 0) -> "Ran":
    return airq("sanity-check", "--now", NOW, *words, expect=expect, under=PROGRAM)


def run(
    airq: "Airq", *co: float, words: tuple[str, ...] = ("-q",), expect: int = 0, at: int = 40, **env: str
) -> "list[Ran]":
    """A run for each of these values, an hour apart, against an API that gives it."""
    with serving(in_turn(*(Reply(body=answer(value)) for value in co))) as server:
        given = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_RETRIES": "0"} | env
        return [
            airq("run", *words, "--now", hour(at + turn).isoformat(), env=given, expect=expect, under=PROGRAM)
            for turn in range(len(co))
        ]


def ledger(airq: "Airq", query: str, data: str = "share/airq-etl") -> list[Any]:
    with sqlite3.connect(airq.directory / data / "ledger.db") as db:
        return db.execute(query).fetchall()


def verdict_of(found: Finding, name: str) -> Verdict:
    return Verdict(
        run_id="1",
        now=hour(0),
        first=None,
        last=None,
        hours=0,
        days=0,
        store=None,
        stations=[Looked(7, name)],
        checks=[found.check],
        findings=[found],
        counts={"error": 1},
        fail_on="error",
        exit_code=4,
    )


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


@pytest.mark.parametrize(
    ("co", "by_default", "on_warnings"), [(FINE, 0, 0), (SOME, 0, 0), (MUCH, 0, 4), (TOO_MUCH, 4, 4)]
)
def test_exit_codes(airq: "Airq", co: float, by_default: int, on_warnings: int) -> None:
    """The exit code is 4 where a finding is as bad as --fail-on or worse, else 0; -q is silent where it is 0."""
    fill(airq, co)
    check(airq, expect=by_default)
    check(airq, "--fail-on", "warning", expect=on_warnings)
    assert check(airq, "--json", "--fail-on", "warning", expect=on_warnings).json["exit_code"] == on_warnings
    quiet = check(airq, "-q", expect=by_default)
    assert (bool(quiet.out), quiet.err) == (bool(by_default), "")


def test_the_table_for_people(airq: "Airq") -> None:
    """The worst comes first, by its station's name, with what to do on a line of its own, and totals at the end."""
    fill(airq, MUCH)
    fill(airq, TOO_MUCH, 8, "A station with so long a name that its line has to be broken somewhere")
    ran = check(airq, expect=4)
    assert (
        ran.out
        == (
            "ERROR    A station with so long a name that its line has to be broken somewhere\n"
            "         CO: 100 mg/m³ or more in 3 hours (too-much, 2024-09-10 03:00 to\n"
            "         2024-09-10 05:00)\n"
            "         -> have a look at the error\n"
            "\n"
            "WARNING  SMART188 CO: 10 mg/m³ or more in 3 hours (much, 2024-09-10 03:00 to\n"
            "         2024-09-10 05:00)\n"
            "         -> have a look at the warning\n"
            "\n"
        )
        + ran.out.rpartition("\n\n")[2]
    )
    last = " ".join(ran.out.rpartition("\n\n")[2].split())
    assert last.startswith("1 error, 1 warning: 4 checks of 60 hours and 4 days of 2 stations, 2024-09-09 00:00 to ")
    assert "`airq-etl sanity-check --list`" in last
    assert max(map(len, ran.out.splitlines())) <= 80
    quiet = check(airq, "-q", expect=4).out
    assert "WARNING" not in quiet
    assert quiet.startswith("ERROR")


def test_all_is_well_in_one_sentence(airq: "Airq") -> None:
    """Where nothing is found one sentence says how much was looked at."""
    fill(airq, FINE)
    said = " ".join(check(airq).out.split())
    assert said.startswith("all is well: 4 checks of 30 hours and 2 days of 1 station, 2024-09-09 00:00 to 2024-09-10")


def test_no_hours_are_not_called_well(airq: "Airq") -> None:
    """Days without an hour are not called well."""
    fill(airq, FINE)
    assert "all is well" not in check(airq, "--start-date", "2024-01-01", "--end-date", "2024-01-01").out


def test_json_is_one_document(airq: "Airq") -> None:
    """With --json stdout is one document: what was looked at, by which checks, what was found."""
    fill(airq, TOO_MUCH)
    found = check(airq, "--json", expect=4).json
    assert {name: found[name] for name in ("now", "first", "last", "hours", "days", "stations", "fail_on")} == {
        "now": "2024-09-10T16:20:00Z",
        "first": "2024-09-09T00:00:00Z",
        "last": "2024-09-10T05:00:00Z",
        "hours": 30,
        "days": 2,
        "stations": [{"station_id": 7, "name": "SMART188"}],
        "fail_on": "error",
    }
    assert found["checks"] == [made_up.name for made_up in MADE_UP]
    assert found["counts"] == {"error": 1, "warning": 0, "info": 0}
    assert found["findings"] == [
        {
            "check": "too-much",
            "severity": "error",
            "station_id": 7,
            "sensor": "co",
            "first": "2024-09-10T03:00:00Z",
            "last": "2024-09-10T05:00:00Z",
            "count": 3,
            "sentence": "100 mg/m³ or more in 3 hours",
            "action": "have a look at the error",
            "place": "tables",
        }
    ]


@pytest.mark.parametrize(("bar", "failing"), [("error", ["too-much"]), ("warning", ["too-much", "much"])])
def test_junit(airq: "Airq", bar: str, failing: list[str]) -> None:
    """JUnit XML has a test case a check: a failure where its findings count, else they are its output."""
    for station_id, co in ((7, MUCH), (8, TOO_MUCH), (9, TOO_MUCH)):
        fill(airq, co, station_id)
    check(airq, "-q", "--fail-on", bar, "--junit", "found.xml", expect=4)
    suite = ET.parse(airq.directory / "found.xml").getroot()  # noqa: S314 -- ours
    assert (suite.tag, suite.attrib) == (
        "testsuite",
        {
            "name": "airq-etl sanity-check",
            "tests": "4",
            "failures": str(len(failing)),
            "errors": "0",
            "skipped": "0",
            "timestamp": "2024-09-10T16:20:00",
        },
    )
    cases = suite.findall("testcase")
    assert [case.attrib for case in cases] == [{"classname": "airq-etl", "name": made.name} for made in MADE_UP]
    assert [case.get("name") for case in cases if case.find("failure") is not None] == failing
    failure = cases[0].find("failure")
    assert failure is not None
    assert (failure.get("type"), len(cases[0])) == ("error", 1)
    assert str(failure.get("message")).endswith("2024-09-10 05:00) (and 1 more)")
    assert str(failure.text).count("-> have a look at the error") == 2
    assert bool(cases[1].findtext("system-out")) == (bar == "error")
    assert [path.name for path in airq.directory.iterdir() if "found" in path.name] == ["found.xml"]


def test_a_name_may_hold_anything() -> None:
    """A name from the API neither breaks XML nor speaks to the terminal, and is no markup; nor is a sentence."""
    evil = '<b a="1">&[red]:bell:\x1b[31m\x00\ufffe\u202e\ud800]]>'
    shown = '<b a="1">&[red]:bell: [31m    ]]>'
    found = Finding(check="keys", severity="error", station_id=7, count=1, sentence=f"key {evil}", action=evil)
    verdict = verdict_of(found, evil)
    (failure,) = ET.fromstring(junit(verdict))[0]  # noqa: S314 -- ours
    assert failure.get("message") == f"{shown}: key {shown} (keys)"
    assert failure.text == f"error: {shown}: key {shown} (keys)\n-> {shown}"
    assert " ".join(verdict_text(verdict).split()).startswith(" ".join(f"ERROR {shown}: key {shown} (keys) ->".split()))
    assert verdict_text(verdict, coloured=True).count("\x1b") == 2


def test_the_readme_shows_it() -> None:
    """The finding that the README shows is printed like that, and its daily cron line is in crontab.example."""
    top = Path(__file__).parents[1]
    readme = (top / "README.md").read_text(encoding="utf-8")
    found = Finding(
        check="dead-sensor",
        severity="error",
        station_id=7,
        sensor="co",
        first=datetime(2023, 9, 10, 11, tzinfo=UTC),
        last=datetime(2024, 9, 9, 10, tzinfo=UTC),
        count=8000,
        sentence="0.0 mg/m³ in 99.5 % of hours, one run of 2,737 h: the daily mean says nothing",
        action="have the sensor replaced, and do not publish its means",
    )
    shown = verdict_text(verdict_of(found, "SMART188")).partition("\n\n")[0]
    assert f"```\n{shown}\n```" in readme
    (line,) = (line for line in readme.splitlines() if line.startswith("47 "))
    assert f"\n#{line}\n" in (top / "crontab.example").read_text(encoding="utf-8")


def test_the_list_of_checks(airq: "Airq") -> None:
    """--list says what each check is, in 80 columns or as JSON, without data and while another has the lock."""
    with lock.hold(airq.directory, "run", datetime.now(UTC)):
        text, listed = (airq("sanity-check", "--list", *more, "--data-dir", ".") for more in ((), ("--json",)))
    assert [(one["name"], one["source"]) for one in listed.json] == [(check.name, check.source) for check in CHECKS]
    assert max(map(len, text.out.splitlines())) <= 80
    made_up = check(airq, "--list", "--data-dir", "none").out
    assert (
        "check       too-much\n  looks for CO from 100 to 1000\n  threshold 100 mg/m³\n  source    made up" in made_up
    )
    assert not (airq.directory / "none").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--station", "99"], "--station 99: nothing is known of it; there are 7"),
        (["--station", "x"], "--station: 'x'"),
        (["--start-date", "2024-02-30"], "--start-date: '2024-02-30'"),
        (["--fail-on", "info"], "info"),
        (["--junit", "none/found.xml"], "--junit none/found.xml: there is no directory none"),
        (["--list", "--station", "7"], "--list"),
        (["--data-dir", "none"], "there is no data in none yet; `airq-etl run` fetches some"),
        (["--data-dir", "."], "there is no data in . yet"),
    ],
)
def test_wrong_use_is_one_line(airq: "Airq", words: list[str], said: str) -> None:
    """Wrong use, or no data yet, is exit code 2 and one line that names the thing; nothing is made."""
    fill(airq, TOO_MUCH)
    ran = check(airq, *words, expect=2)
    assert said in one_line(ran.err)
    assert ran.out == ""
    assert not (airq.directory / "none").exists()
    assert not (airq.directory / "ledger.db").exists()


def test_output_that_nobody_reads(airq: "Airq") -> None:
    """A full disk is exit code 1 and one line, a closed pipe none; the JUnit file is there all the same."""
    fill(airq, TOO_MUCH)
    words = [*PROGRAM, sys.executable, "-m", "airq_etl", "sanity-check", "--junit", "found.xml"]
    options: dict[str, Any] = {"cwd": airq.directory, "env": airq.environment, "stderr": subprocess.PIPE}
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(words, stdout=writer, check=False, **options)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert (airq.directory / "found.xml").is_file()
    if Path("/dev/full").exists():
        with Path("/dev/full").open("wb") as full:
            ran = subprocess.run(words, stdout=full, check=False, **options)
        assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 1)
        assert "/dev/full cannot be written" in one_line(check(airq, "--junit", "/dev/full", expect=1).err)


@pytest.mark.parametrize("variable", ["", "NO_COLOR"])
def test_colour_is_for_terminals(airq: "Airq", variable: str) -> None:
    """The severity, and nothing else, is coloured on a terminal, unless NO_COLOR is set."""
    fill(airq, TOO_MUCH)
    words = [*PROGRAM, sys.executable, "-m", "airq_etl", "sanity-check"]
    reader, terminal = os.openpty()
    env = airq.environment | {"TERM": "xterm"} | ({variable: "1"} if variable else {})
    subprocess.run(words, stdout=terminal, cwd=airq.directory, env=env, check=False)
    said = os.read(reader, 10_000).decode()
    os.close(terminal)
    os.close(reader)
    assert ("\x1b[1;31mERROR    \x1b[0mSMART188" in said, said.count("\x1b")) == ((False, 0) if variable else (True, 2))


@pytest.mark.parametrize("damaged", ["hourly/2024-09.parquet", "airq.db"])
def test_what_cannot_be_read(airq: "Airq", damaged: str) -> None:
    """A table or a store that cannot be read is exit code 7, and is named."""
    fill(airq, TOO_MUCH)
    for path in (airq.directory / "share/airq-etl").glob(f"{damaged}*"):
        path.write_bytes(b"no such thing" * 1000)
    ran = check(airq, expect=7)
    assert damaged in one_line(ran.err)
    assert ran.out == ""


def test_another_at_work(airq: "Airq") -> None:
    """While a run is at work nothing is looked at: exit code 75."""
    fill(airq, TOO_MUCH)
    with lock.hold(airq.directory / "share/airq-etl", "run", datetime.now(UTC)):
        check(airq, expect=75)


def test_a_narrower_look(airq: "Airq") -> None:
    """--station and days narrow the look, which is then not recorded."""
    fill(airq, MUCH)
    fill(airq, TOO_MUCH, 8)
    assert [f["check"] for f in check(airq, "--station", "7", "--json").json["findings"]] == ["much"]
    first_day = check(airq, "--start-date", "2024-09-09", "--end-date", "2024-09-09", "--json").json
    assert (first_day["findings"], first_day["hours"]) == ([], 48)
    assert ledger(airq, "select count(*) from sqlite_master where name = 'findings'") == [(0,)]
    check(airq, "-q", expect=4)
    rows = ledger(airq, "select check_name, station_id, sensor, severity, cleared_at from findings order by 2")
    assert rows == [("much", 7, "co", "warning", None), ("too-much", 8, "co", "error", None)]


def test_it_is_a_job_like_others(airq: "Airq") -> None:
    """It is recorded as a run with a step that has its counts, and it changes neither tables nor store."""
    fill(airq, TOO_MUCH)
    where = airq.directory / "share/airq-etl"
    kept = [*where.glob("hourly/*"), *where.glob("daily/*"), where / "airq.db"]
    before = {path: path.read_bytes() for path in kept}
    check(airq, "-q", expect=4)
    assert {path: path.read_bytes() for path in kept} == before
    query = "select command, runs.state, step, counts from runs join steps using (run_id) order by runs.rowid desc"
    assert ledger(airq, query)[0] == ("sanity-check", "SUCCESS", "sanity-check", '{"error":1,"warning":0,"info":0}')


def test_run_tells_of_an_error_once(airq: "Airq") -> None:
    """A run ends well whatever is found; it warns of an error when it is new, and once more when it is new again."""
    told = [ran.err for ran in run(airq, TOO_MUCH, TOO_MUCH, FINE, FINE, TOO_MUCH)]
    line = "airq-etl: warning: SMART188 CO: 100 mg/m³ or more in 3 hours; have a look at the error\n"
    assert told == [line, "", "", "", line]


def test_run_does_not_tell_of_less(airq: "Airq") -> None:
    """Of warnings a run tells nobody by itself."""
    assert [(ran.out, ran.err) for ran in run(airq, MUCH)] == [("", "")]
    assert ledger(airq, "select check_name, newest_days from findings") == [("much", 1)]


def test_run_counts_what_it_finds(airq: "Airq") -> None:
    """The result of a run has the counts, and its text a line."""
    (ran,) = run(airq, MUCH, words=("--json",))
    assert (ran.json["findings"], ran.json["exit_code"]) == ({"error": 0, "warning": 1, "info": 0}, 0)
    (ran,) = run(airq, MUCH, words=(), at=41)
    assert ran.out.splitlines()[-1] == "sanity-check of the last days: 1 warning; `airq-etl sanity-check` shows all"
    (ran,) = run(airq, FINE, words=(), at=42)
    assert "sanity-check" not in ran.out


def test_run_without(airq: "Airq") -> None:
    """--no-sanity-check leaves it out, even out of the ledger."""
    (ran,) = run(airq, TOO_MUCH, words=("--json", "--no-sanity-check"))
    assert (ran.json["findings"], ran.err) == ({}, "")
    assert ledger(airq, "select count(*) from steps where step = 'sanity-check'") == [(0,)]


def test_a_broken_check_breaks_no_run(airq: "Airq") -> None:
    """A bug in a check is one warning of a run that ends well, and its step has failed; the command ends with 1."""
    (ran,) = run(airq, CRASH)
    assert "warning: sanity-check: this is a bug, and the run goes on: ZeroDivisionError" in one_line(ran.err)
    ((state, message),) = ledger(airq, "select state, message from steps where step = 'sanity-check'")
    assert (state, "ZeroDivisionError" in message) == ("FAILED", True)
    assert ledger(airq, "select state, exit_code from runs") == [("SUCCESS", 0)]
    assert "this is a bug" in one_line(check(airq, expect=1).err)


def test_a_store_that_failed_is_left_out(airq: "Airq") -> None:
    """Where the load failed the exit code speaks of that alone; the tables are looked at all the same."""
    where = airq.directory / "share/airq-etl"
    where.mkdir(parents=True)
    (where / "airq.db").write_bytes(b"no such thing" * 1000)
    (ran,) = run(airq, TOO_MUCH, expect=7)
    failed, found = ran.err.splitlines()
    assert "airq.db is damaged" in failed
    assert "warning: SMART188 CO: 100 mg/m³" in found


def test_a_run_of_one_station(airq: "Airq") -> None:
    """A run of some stations looks at these alone, and clears nothing of others."""
    fill(airq, TOO_MUCH, 8)
    run(airq, MUCH)
    assert ledger(airq, "select station_id from findings order by 1") == [(7,), (8,)]
    run(airq, FINE, words=("-q", "--station", "7"), at=41)
    assert ledger(airq, "select station_id, cleared_at is null from findings order by 1") == [(7, 0), (8, 1)]


def test_many_errors_are_few_lines(airq: "Airq") -> None:
    """A run names five errors and counts the others."""
    for station_id in range(10, 17):
        fill(airq, TOO_MUCH, station_id)
    lines = run(airq, FINE)[0].err.splitlines()
    assert len(lines) == 6
    assert lines[-1] == "airq-etl: warning: and 2 more errors in what is stored; see airq-etl sanity-check"


def test_a_run_without_time(airq: "Airq") -> None:
    """A run that is about to reach its deadline leaves the look to the next one."""
    (ran,) = run(airq, TOO_MUCH, words=("--json", "-v"), AIRQ_RUN_DEADLINE_S="4")
    assert (ran.json["findings"], ran.json["exit_code"]) == ({}, 0)
    assert "left to the next run" in ran.err


def test_a_look_that_takes_too_long(airq: "Airq") -> None:
    """A check that is still at work at the run's deadline is cut short with a warning, and the run ends well."""
    (ran,) = run(airq, HANG, AIRQ_RUN_DEADLINE_S="6")
    assert "not done before the run's deadline" in one_line(ran.err)
    assert ledger(airq, "select state, exit_code from runs") == [("SUCCESS", 0)]
