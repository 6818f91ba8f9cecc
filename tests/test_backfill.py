"""Missing hours are found, asked for, and taken in; what the source does not have is for ever."""

import itertools
import json
import os
import pty
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from airq_etl import backfill_text, captures
from airq_etl import settings as configuration
from airq_etl.backfilling import Backfill, Gap, Outlook
from airq_etl.ledger import FILE, Ledger, remember
from airq_etl.ledger_reader import copied
from airq_etl.ledger_runs import runs
from airq_etl.pipeline.backfill import look_ahead, run_backfill
from airq_etl.pipeline.rebuild import REBUILDING
from airq_etl.pipeline.run import run_all
from airq_etl.simulator import Simulator
from airq_etl.windows import KEPT, Days
from tests.faults.replay import Readings, Source
from tests.faults.state import assert_same, complaint, state
from tests.frames import hour
from tests.server import Reply, Request, Script, Server, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
HALF = timedelta(minutes=20)
BEGIN, END = 24 * 2, 24 * 42  # of the gap: hours after BEGIN and before END, 40 days of them
FIRST, NOW = hour(BEGIN) + HALF, hour(24 * 45) + HALF
GAP = END - BEGIN - 2  # the days behind it are asked for from an hour before them
ALL: Readings = {n: {"CO": n % 24 / 10} for n in range(24 * 46)}
HOLE: Readings = {n: values for n, values in ALL.items() if not BEGIN < n < END - 1}


class World:
    """Stations of which the hours from BEGIN to END are missing, and the server that may have them."""

    def __init__(self, server: Server, data: Path, stations: tuple[int, ...] = (7,)) -> None:
        self.server, self.data, self.stations = server, data, stations

    def settings(self, now: datetime = NOW, data: Path | None = None, **more: Any) -> configuration.Settings:  # noqa: ANN401
        given = {"data_dir": data or self.data, "api_url": self.server.url, "stations": self.stations, "now": now}
        given |= {"retries": 0, "overlap_hours": 0, "sweep_days": 0}
        return configuration.build(given | more)

    def env(self, now: datetime = NOW) -> dict[str, str]:
        env = {"AIRQ_API_URL": self.server.url, "AIRQ_STATIONS": ",".join(map(str, self.stations))}
        return env | {"AIRQ_RETRIES": "0", "AIRQ_NOW": now.isoformat(), "AIRQ_DATA_DIR": str(self.data)}

    def make(self, until: datetime = FIRST, now: datetime = NOW) -> None:
        """A year up to the gap, and the days behind it."""
        answers, self.server.script = self.server.script, at(until)
        assert run_all(self.settings(until), sanity_check=False).exit_code == 0
        self.server.script = at(now)
        days = Days(hour(END).date(), now.date())
        assert run_all(self.settings(now), days, sanity_check=False).exit_code == 0
        self.server.script = answers
        self.server.requests.clear()

    def backfill(self, **more: Any) -> Backfill:  # noqa: ANN401
        self.server.requests.clear()
        return run_backfill(self.settings(**more))


def at(now: datetime, readings: Readings = ALL) -> Script:
    return Source(readings, now)


def snapshot(where: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() if path.is_file() else b"" for path in where.rglob("*")}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One station with a gap that the source can fill."""
    with serving(at(NOW)) as server:
        made = World(server, tmp_path / "data")
        made.make()
        yield made


def test_a_gap_of_40_days(world: World, airq: "Airq") -> None:
    """A dry run names it to the hour and changes no byte; a backfill fills it; a second one asks nothing."""
    before = snapshot(world.data)
    said = airq("backfill", "--dry-run", "--json", env=world.env()).json
    assert snapshot(world.data) == before
    assert world.server.requests == []
    (gap,) = said["gaps"]
    assert (gap["first"], gap["last"]) == ("2024-09-11T01:00:00Z", "2024-10-20T22:00:00Z")
    assert (gap["hours"], gap["requests"], said["requests"]) == (GAP, 2, 2)

    done = airq("backfill", env=world.env())
    assert done.out.splitlines()[:2] == [
        "station name     missing came not given left",
        "7       SMART188     958  958         0    0",
    ]
    assert "959 hourly" in done.out  # the one before was provisional
    asked = [(request.query["start_date"], request.query["end_date"]) for request in world.server.requests]
    assert sorted(asked) == [("20240911-0000", "20241011-0200"), ("20241011-0000", "20241021-0000")]

    undisturbed = world.data.with_name("undisturbed")
    world.server.script = at(FIRST)
    run_all(world.settings(FIRST, undisturbed))
    world.server.script = at(NOW)
    run_all(world.settings(data=undisturbed))
    assert_same(state(world.data), state(undisturbed))

    world.server.requests.clear()
    again = airq("backfill", env=world.env())
    assert again.out.startswith("nothing to ask for: no hour is missing that the source may still give\n")
    assert world.server.requests == []
    assert_same(state(world.data), state(undisturbed))


def test_a_dry_run_where_nothing_is(airq: "Airq") -> None:
    """It makes no data directory, and shows the year that a first backfill would ask for."""
    said = airq("backfill", "--dry-run", "--station", "7", env={"AIRQ_NOW": "2024-09-09T10:20"}).out
    assert said.splitlines() == [
        "8,759 hours in 1 gap may still be had, with 13 requests:",
        "station name first missing    last missing     hours requests",
        "7            2023-09-10 11:00 2024-09-09 09:00 8,759       13",
    ]
    assert list(airq.directory.iterdir()) == []


def test_a_dry_run_after_a_crash_changes_nothing(world: World) -> None:
    """Also where a ledger lies beside its log, with an answer that no run has put in its place yet."""
    with closing(sqlite3.connect(world.data / FILE)) as ledger:
        ledger.execute("pragma wal_autocheckpoint = 0")
        ledger.execute("delete from captures where name like '2024/10/%'")
        ledger.commit()
        (world.data / "tmp" / f"4711{captures.UNFINISHED}").write_bytes(b"")
        before = snapshot(world.data)
        assert (world.data / f"{FILE}-wal").stat().st_size
        assert look_ahead(world.settings()).captures_waiting == 2
        assert snapshot(world.data) == before


def test_a_dry_run_while_a_run_writes(tmp_path: Path) -> None:
    """Whoever writes the ledger meanwhile, a look at it sees it whole, and does not call it damaged."""
    over = threading.Event()
    with Ledger(tmp_path) as ledger:
        place = ledger.path

    def write() -> None:
        with closing(sqlite3.connect(place, isolation_level=None)) as db:
            db.execute("pragma wal_autocheckpoint = 20")
            db.execute("pragma synchronous = off")
            for number in itertools.takewhile(lambda _: not over.is_set(), itertools.count()):
                rows = ((f"{(number * 7919 + row * 31) % 5000}" * 5, str(number) * 40) for row in range(40))
                db.execute("begin")
                db.executemany("insert or replace into captures values (?, ?)", rows)
                db.execute("commit")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(100):
            with copied(tmp_path) as copy:
                assert copy.rows("pragma integrity_check(1)") == [("ok",)]
    finally:
        over.set()
        writer.join()


def test_what_the_source_does_not_have_is_asked_for_once(world: World) -> None:
    """It is for ever then: no backfill asks again but one that is told to, and then what came is taken in."""
    world.server.script = at(NOW, HOLE)
    done = world.backfill()
    assert (done.run.exit_code, len(world.server.requests)) == (0, 2)
    (station,) = done.stations
    assert (station.missing, station.came, station.not_given, station.left) == (GAP, 0, GAP, 0)
    assert [(gap.first, gap.hours) for gap in done.after.not_given] == [(hour(BEGIN + 1), GAP)]
    assert world.backfill().stations == []
    assert world.server.requests == []
    world.server.script = at(NOW)
    done = run_backfill(world.settings(), again=True)
    assert [(station.came, station.not_given) for station in done.stations] == [(GAP, 0)]
    assert done.after.not_given == []


def test_hours_that_came_and_were_lost_are_asked_for_again(world: World) -> None:
    """What is remembered as not given is what was not in the answer: not what was, and left the tables since."""
    world.server.script = at(NOW, {n: values for n, values in ALL.items() if not 300 < n < 400})
    assert [(s.came, s.not_given) for s in world.backfill().stations] == [(GAP - 99, 99)]
    with Ledger(world.data) as ledger:
        rows = ledger.rows("select first, last from not_given")
    assert [tuple(map(datetime.fromisoformat, row)) for row in rows] == [(hour(301), hour(399))]


def test_hours_older_than_the_year(tmp_path: Path) -> None:
    """They are said to be for ever, and not asked for; the rest of their gap is."""
    late = hour(BEGIN + 1 + 24 * 20) + KEPT - HALF
    with serving(at(late)) as server:
        world = World(server, tmp_path / "data")
        world.make()
        outlook = look_ahead(world.settings(late))
    assert [(gap.first, gap.last) for gap in outlook.older] == [(hour(BEGIN + 1), hour(BEGIN + 24 * 20))]
    assert (outlook.gaps[-1].first, outlook.gaps[-1].last) == (hour(BEGIN + 1 + 24 * 20), hour(END - 2))


@pytest.mark.parametrize("moment", ["asking", "working in"])
def test_killed_in_the_middle(world: World, airq: "Airq", moment: str) -> None:
    """What came before a kill is worked in by the next backfill, which asks only for the rest."""
    first_asked, held = threading.Event(), threading.Event()

    def script(request: Request) -> Reply:
        if request.number and moment == "asking":
            first_asked.set()
            held.wait(30)
        return at(NOW)(request)

    world.server.script = script
    env = airq.environment | world.env() | {"AIRQ_CONCURRENCY": "1"}
    victim = subprocess.Popen([sys.executable, "-m", "airq_etl", "backfill"], env=env, stdout=subprocess.DEVNULL)
    if moment == "asking":
        assert first_asked.wait(30)
    else:
        while not len(list(world.data.glob("captures/2024/10/24/*"))) > 1:
            assert victim.poll() is None
            time.sleep(0.001)
    victim.kill()
    victim.wait()
    held.set()
    world.server.script = at(NOW)
    world.server.requests.clear()
    assert airq("backfill", env=world.env()).code == 0
    assert len(world.server.requests) == (1 if moment == "asking" else 0)
    assert state(world.data).hours == {(7, hour(n)) for n in range(24 * 45 + 1)}
    with Ledger(world.data) as ledger:
        assert [run.state for run in runs(ledger, "backfill")] == ["SUCCESS", "FAILED"]


@pytest.mark.parametrize(
    ("status", "fails", "code"), [(404, {8}, 3), (404, {7, 8}, 5), (403, {7, 8}, 6), (401, {7, 8}, 6)]
)
def test_stations_that_fail(tmp_path: Path, status: int, fails: set[int], code: int) -> None:
    """They are named and stay to be asked for; the others are filled."""

    def script(request: Request) -> Reply:
        failing = int(request.path.rpartition("/")[2]) in fails
        return Reply(status, b"{}") if failing else at(NOW)(request)

    with serving(at(NOW)) as server:
        world = World(server, tmp_path / "data", (7, 8))
        world.make()
        server.script = script
        done = world.backfill()
        assert done.run.exit_code == code
        assert {s.station_id: (s.came, s.left, s.error is None) for s in done.stations} == {
            station: (0, GAP, False) if station in fails else (GAP, 0, True) for station in (7, 8)
        }
        assert {gap.station_id for gap in look_ahead(world.settings()).gaps} == fails


def test_what_does_not_fit_into_the_deadline(world: World, airq: "Airq") -> None:
    """It is said how much was not answered, what came is stored, and the next backfill asks for the rest."""
    held = threading.Event()

    def script(request: Request) -> Reply:
        if request.number:
            held.wait(30)
        return at(NOW)(request)

    world.server.script = script
    bounded = world.env() | {"AIRQ_RUN_DEADLINE_S": "5", "AIRQ_CONCURRENCY": "1"}
    ran = airq("backfill", env=bounded, expect=3)
    held.set()
    assert "no answer before the run's deadline (AIRQ_RUN_DEADLINE_S)" in complaint(ran)
    assert "7       failed     958  722         0  236" in ran.out  # a window brings the two hours after it too
    assert "1 of 2 requests got no good answer; the next `airq-etl backfill` asks again" in ran.out
    world.server.script = at(NOW)
    assert [(s.missing, s.came) for s in world.backfill().stations] == [(236, 236)]
    assert len(world.server.requests) == 1


def test_a_store_that_is_down_keeps_nothing_from_being_asked(world: World) -> None:
    """The hours are in the tables, the exit code is that of the store, and the next run sends them."""
    done = world.backfill(mongodb_uri="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100")
    assert (done.run.exit_code, done.stations[0].came) == (7, GAP)
    assert world.backfill().run.documents["hourly"] == GAP + 1


def test_only_the_days_and_stations_asked_for(world: World) -> None:
    """Days narrow the gap; a station of which nothing is known is asked for its year."""
    days = Days(hour(24 * 10).date(), hour(24 * 11).date())
    done = run_backfill(world.settings(), days)
    assert [(station.missing, station.came) for station in done.stations] == [(48, 48)]
    outlook = look_ahead(world.settings(stations=(9,)))
    assert [(gap.station_id, gap.last) for gap in outlook.gaps] == [(9, NOW - HALF - timedelta(hours=1))]
    assert sum(gap.hours for gap in look_ahead(world.settings()).gaps) == GAP - 48 - 3  # hours around


def test_a_backfill_is_recorded_with_its_steps(world: World) -> None:
    """As a run of its own, with what each step did."""
    done = world.backfill()
    with Ledger(world.data) as ledger:
        (run,) = runs(ledger, "backfill")
    assert (run.run_id, run.state) == (done.run.run_id, "SUCCESS")
    assert [(step.step, step.state) for step in run.steps] == [
        ("extract", "SUCCESS"),
        ("transform", "SUCCESS"),
        ("load", "SUCCESS"),
    ]
    assert run.steps[0].counts["windows"] == run.steps[0].counts["requests"] == 2
    assert run.steps[1].counts["hours_new"] == GAP
    assert run.steps[2].counts["hourly"] == GAP + 1


def test_the_newest_hours_may_come_late(world: World, airq: "Airq") -> None:
    """What ended less than two hours ago and was not given is left, and no hour is for ever before its time."""
    later = NOW + timedelta(hours=10)
    ran = airq("backfill", env=world.env(later) | {"AIRQ_STATIONS": "7"})
    assert "2 hours left may come late" in ran.out


def test_captures_are_worked_in_first(world: World, airq: "Airq") -> None:
    """What an extract has fetched is not asked for again, and a dry run says that it waits."""
    days = ("--start-date", "2024-09-11", "--end-date", "2024-10-21")
    airq("extract", *days, env=world.env())
    assert (
        "1 capture not worked in yet: less may be missing than is said here"
        in airq("backfill", "--dry-run", env=world.env()).out
    )
    assert world.backfill().stations == []
    assert world.server.requests == []
    assert state(world.data).hours == {(7, hour(n)) for n in range(24 * 45 + 1)}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--start-date", "yesterday"), "--start-date: 'yesterday' is not a day like 2024-09-01"),
        (("--station", "x"), "--station: 'x' is no station id; an id is a whole number like 283164601"),
        (("--dry-run", "--data-dir", "file"), "the data directory file is no directory; name another (AIRQ_DATA_DIR)"),
        (("--data-dir", "file"), "the data directory file is no directory; name another (AIRQ_DATA_DIR)"),
        (("2024-09-01",), "Got unexpected extra argument(s) (2024-09-01)"),
    ],
)
def test_wrong_input(airq: "Airq", words: tuple[str, ...], said: str) -> None:
    """One line that names it, and exit code 2."""
    (airq.directory / "file").touch()
    assert complaint(airq("backfill", *words, expect=2)) == said


def test_half_built_tables_are_no_place_to_look_for_gaps(world: World, airq: "Airq") -> None:
    """Where a rebuild was interrupted, it is said what ends it."""
    with Ledger(world.data) as ledger, ledger.transaction() as db:
        remember(db, REBUILDING, "yes")
    for more in ((), ("--dry-run",)):
        assert "`airq-etl transform` ends it" in complaint(airq("backfill", *more, env=world.env(), expect=2))
    assert world.server.requests == []


@pytest.mark.parametrize("quiet", [False, True])
def test_a_progress_bar_on_a_terminal_alone(world: World, airq: "Airq", quiet: bool) -> None:  # noqa: FBT001
    """It goes to stderr; without a terminal, or with -q, nothing does."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "airq_etl", "backfill", "--json", *(["-q"] if quiet else [])]
    env = airq.environment | world.env() | {"TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(words, env=env, stdout=subprocess.PIPE, stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    shown = _all_of(ours).decode()
    assert ("requests" in shown) == (not quiet)
    assert json.loads(done.stdout)["stations"][0]["came"] == GAP
    assert airq("backfill", env=world.env()).err == ""


def _all_of(descriptor: int) -> bytes:
    """What was written to a terminal whose other end is closed, which Linux tells by an error."""
    found = b""
    try:
        while piece := os.read(descriptor, 1 << 16):
            found += piece
    except OSError:
        pass
    os.close(descriptor)
    return found


def test_rows_fit_80_columns() -> None:
    """However long an id or a name is, and whatever it holds; no more than twenty gaps are shown."""
    name = "Plateau\x1b[31m 雨量観測所 " * 5
    gap = Gap(station_id=10**17, name=name, first=FIRST, last=NOW, hours=123_456, requests=13)
    none: dict[str, Any] = {"now": NOW, "again": False, "captures_waiting": 0, "older": [], "not_given": []}
    shown = backfill_text.outlook_text(Outlook(gaps=[gap] * 22, requests=286, **none)).splitlines()
    assert len(shown) == 1 + 1 + 20 + 1
    assert shown[-1] == "and 2 more (--json has all)"
    assert {cell_len(line) for line in shown[1:-1]} == {80}
    assert "\x1b" not in "".join(shown)


def test_the_readme_shows_what_a_dry_run_prints(airq: "Airq") -> None:
    """The block in README's section is, to the letter, what is printed of made-up stations."""
    section = README.partition("## Backfill\n")[2]
    shown = section.partition("```\n")[2].partition("```")[0]
    now = ["2026-07-01T10:20"]

    def clock() -> datetime:
        return datetime.fromisoformat(now[0])

    with Simulator((283164601, 283181971), now=clock) as server:
        env = {"AIRQ_API_URL": server.url}
        airq("run", "-q", "--now", now[0], env=env)
        now[0] = "2026-09-09T10:20"
        airq("run", "-q", "--now", now[0], "--start-date", "2026-08-11", "--end-date", "2026-09-09", env=env)
        assert airq("backfill", "--dry-run", "--now", now[0], env=env).out == shown
