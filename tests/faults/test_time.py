"""What time does to a source and to a machine: history that changes, windows that slide, clocks that are wrong."""

import statistics
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from polars.testing import assert_frame_equal

from airq_etl.stations import midnight
from tests.faults.replay import Readings, Replay, Source, number, stations_of
from tests.faults.state import State, assert_same, complaint, lines
from tests.frames import body, hour
from tests.server import Reply, Request, serving

if TYPE_CHECKING:
    from tests.conftest import Airq, Missing

MINUTES = timedelta(minutes=20)
DAY = timedelta(days=1)
YEAR_H = 365 * 24


def readings(count: int) -> Readings:
    """So many hours, whose means differ from day to day."""
    return {n: {"CO": (n % 24 + n // 24) / 8, "RH": 50.0 + n % 9} for n in range(count)}


def means(replay: Replay, data: str = "data") -> dict[date, float]:
    """The daily means of CO."""
    return dict(replay.state(data).tables["daily"].select("day", "co_mean").iter_rows())


def mean(given: Readings, first: int) -> object:
    """The mean of the day that begins with an hour."""
    return pytest.approx(statistics.mean(given[n]["CO"] for n in range(first, first + 24) if n in given), abs=1e-12)


def alike(found: State, expected: State) -> None:
    """Equal but for when the answers were asked for."""
    asked = ("requested_at", "updated_at", "seen_at")
    for name, documents in expected.store.items():
        told = {"_id", "seen_at"} if name == "revisions" else set()
        without = [[{k: d[k] for k in d.keys() - told} for d in these] for these in (found.store[name], documents)]
        assert without[0] == without[1]
    for name, table in expected.tables.items():
        assert_frame_equal(found.tables[name].drop(asked, strict=False), table.drop(asked, strict=False))


def test_35_a_partial_hour_takes_its_final_value(airq: "Airq") -> None:
    """The running hour is provisional; its final value replaces it without a revision, and its day follows."""
    replay, source = Replay(airq), Source(readings(11), hour(10) + MINUTES)
    final = source.readings[10]
    source.readings[10] = {"CO": -40.0}
    replay.run(source, source.now)
    assert replay.export("hourly")[10]["provisional"] is True
    before = means(replay)
    source.now += timedelta(hours=1)
    source.readings[10] = final
    counted = stations_of(replay.run(source, source.now))[7]
    assert (counted["hours_settled"], counted["hours_revised"], counted["days_changed"]) == (1, 0, 1)
    assert replay.export("revisions") == []
    assert means(replay) == {date(2024, 9, 9): mean(source.readings, 0)} != before
    replay.well(source, source.now, data="undisturbed")
    assert_same(replay.state(), replay.state("undisturbed"))


def test_35_a_late_hour_is_put_in_its_place(airq: "Airq") -> None:
    """An hour that is published late is new, and the day that it belongs to is computed anew from all its hours."""
    replay, source = Replay(airq), Source(readings(40), hour(40))
    late = source.readings.pop(5)
    replay.run(source, source.now)
    assert replay.export("daily")[0]["co_hours"] == 23
    source.now += timedelta(hours=1)
    source.readings[5] = late
    counted = stations_of(replay.run(source, source.now))[7]
    assert (counted["hours_new"], counted["hours_revised"], counted["days_changed"]) == (1, 0, 1)
    assert replay.export("daily")[0]["co_hours"] == 24
    assert means(replay)[date(2024, 9, 9)] == mean(source.readings, 0)


def test_35_history_rewritten_inside_the_overlap(airq: "Airq") -> None:
    """A value that the source changes afterwards is upserted, its day computed anew, and the old value recorded."""
    replay, source = Replay(airq), Source(readings(40), hour(40))
    replay.run(source, source.now)
    old = source.readings[3]["CO"]
    source.now += timedelta(hours=1)
    source.readings[3] |= {"CO": 9.0}
    counted = stations_of(replay.run(source, source.now))[7]
    assert "start_date" in replay.requests[0].query
    assert (counted["hours_revised"], counted["days_changed"], counted["rows_rejected"]) == (1, 1, 0)
    (revision,) = replay.export("revisions")
    assert (revision["hour"], revision["sensor"]) == ("2024-09-09T03:00:00Z", "co")
    assert (revision["old"], revision["new"]) == (old, 9.0)
    assert [document["new"] for document in replay.state().store["revisions"]] == [9.0]
    assert means(replay)[date(2024, 9, 9)] == mean(source.readings, 0)


def test_35_history_rewritten_outside_the_overlap(airq: "Airq") -> None:
    """What is rewritten further back than the overlap is found by the sweep of the whole year, and recorded."""
    replay, source = Replay(airq), Source(readings(24 * 20), hour(24 * 10))
    replay.run(source, source.now)
    source.readings = source.readings | {n: source.readings[n] | {"CO": 0.0} for n in range(5)}
    rewritten = sum(values["CO"] != 0.0 for values in readings(5).values())
    for days, found in ((1, 0), (2, 0), (3, rewritten)):
        source.now = hour(24 * 10) + days * DAY
        ran = replay.run(source, source.now, env={"AIRQ_SWEEP_DAYS": "3"})
        assert lines(ran) == []
        assert stations_of(ran)[7]["hours_revised"] == found
        assert ("start_date" in replay.requests[0].query) is (found == 0)
        assert (means(replay)[date(2024, 9, 9)] == mean(source.readings, 0)) is (found > 0)
    assert len(replay.export("revisions")) == rewritten
    assert len(replay.state().store["revisions"]) == rewritten


def test_36_a_window_that_slid_takes_nothing_away(airq: "Airq") -> None:
    """The oldest day of an answer is cut by the window; the day that is stored keeps all its hours."""
    replay, source = Replay(airq), Source(readings(YEAR_H + 48), hour(48))
    replay.run(source, source.now)
    before = replay.state()
    source.now = hour(YEAR_H + 12)
    ran = replay.run(source, source.now)
    assert replay.requests[0].query == {}
    # The mean of the newest answer alone has half the hours of the oldest day.
    cut = statistics.mean(source.readings[n]["CO"] for n in range(12, 24))
    assert cut != mean(source.readings, 0)
    assert lines(ran) == []
    after = replay.state()
    first = date(2024, 9, 9)
    assert means(replay)[first] == mean(source.readings, 0)
    assert after.tables["daily"].filter(day=first)["co_hours"].to_list() == [24]
    assert before.hours <= after.hours
    assert len(after.hours) == YEAR_H + 13
    assert stations_of(ran)[7]["hours_revised"] == 0


@pytest.mark.parametrize("sweep", [0, 7])
def test_37_after_thirty_days_the_gap_is_asked_for(airq: "Airq", sweep: int) -> None:
    """After 30 days without a run the window reaches back over the gap, and nothing is lost or said."""
    replay, source = Replay(airq), Source(readings(24 * 40), hour(48) + MINUTES)
    env = {"AIRQ_SWEEP_DAYS": str(sweep)}
    replay.run(source, source.now, env=env)
    source.now += 30 * DAY
    ran = replay.run(source, source.now, env=env)
    asked = {} if sweep else {"start_date": "20240909-0000", "end_date": "20241011-0100"}
    assert replay.requests[0].query == asked
    assert lines(ran) == []
    assert len(replay.state().hours) == 24 * 32 + 1
    assert {day["co_hours"] for day in replay.export("daily")[:-1]} == {24}


def test_37_after_four_hundred_days_the_loss_is_told(airq: "Airq") -> None:
    """After 400 days the whole year that the API keeps is asked for, and the hours before it are told as lost."""
    replay, source = Replay(airq), Source(readings(24 * 403), hour(47) + MINUTES)
    replay.run(source, source.now)
    source.now += 400 * DAY
    ran = replay.run(source, source.now)
    assert replay.requests[0].query == {}
    expected = {n for n in source.readings if hour(47) < hour(n) < source.now - 365 * DAY}
    (said,) = lines(ran)
    assert said.startswith(f"airq-etl: warning: station 7: {len(expected)} hours are older than the year the API keeps")
    assert {hour(n) for n in range(number(source.now) + 1)} - {time for _, time in replay.state().hours} == {
        hour(n) for n in expected
    }


@pytest.mark.parametrize("wrong", [timedelta(hours=-1), timedelta(days=-3), timedelta(days=365)])
def test_38_a_wrong_clock_leaves_no_trace(airq: "Airq", wrong: timedelta) -> None:
    """A run that thinks it is another time, an hour back or a year ahead, changes nothing that the next cannot mend."""
    replay, source = Replay(airq), Source(readings(60), hour(40) + MINUTES)
    partial, final = {"CO": -40.0}, source.readings[41]
    replay.well(source, source.now)
    replay.well(source, source.now, data="undisturbed")
    source.now += timedelta(hours=1)
    source.readings[41] = partial
    ran = replay.run(source, source.now + wrong)
    assert stations_of(ran)[7]["error"] is None
    source.now += timedelta(hours=1)
    source.readings[41] = final
    for data in ("data", "undisturbed"):
        replay.well(source, source.now, data=data)
    assert_same(replay.state(), replay.state("undisturbed"))
    # What the source rewrites from then on is found as ever.
    source.now += timedelta(hours=1)
    source.readings[30] |= {"CO": 9.0}
    assert replay.well(source, source.now).stations[0].hours_revised == 1


@pytest.mark.parametrize("wrong", ["-1h", "+1y"])
def test_38_a_machine_whose_clock_is_wrong(airq: "Airq", missing: "Missing", wrong: str) -> None:
    """Where the machine's clock is off by an hour, or a year, the source's is believed, and nothing is lost."""
    import shutil

    program = shutil.which("faketime")
    if program is None:
        missing("no faketime on this machine")
    replay = Replay(airq)
    last = number(datetime.now(UTC)) - 72
    given = {n: {"CO": n % 7 / 8} for n in range(last - 100, last)}
    replay.run(_by_the_clock(given), None)
    given[last] = {"CO": 5.0}
    with serving(_by_the_clock(given)) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_SWEEP_DAYS": "0"}
        words = ["run", "-q", "--data-dir", str(replay.path())]
        done = subprocess.run(
            [program, "--exclude-monotonic", "-f", wrong, sys.executable, "-m", "airq_etl", *words],
            cwd=airq.directory,
            env=airq.environment | env,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "this machine's clock and the API's are" in done.stderr
    given[last - 10] = {"CO": 9.0}
    ran = replay.run(_by_the_clock(given), None)
    assert stations_of(ran)[7]["hours_revised"] == 1
    for given_then in ({n: {"CO": n % 7 / 8} for n in range(last - 100, last)}, given):
        replay.run(_by_the_clock(given_then), None, data="undisturbed")
    alike(replay.state(), replay.state("undisturbed"))


def _by_the_clock(given: Readings) -> "Answering":
    return Answering(body(given))


class Answering:
    """Always the same, with the machine's own time as Date."""

    def __init__(self, whole: bytes) -> None:
        self.whole = whole

    def __call__(self, _: Request) -> Reply:
        return Reply(body=self.whole, headers={"Date": format_datetime(datetime.now(UTC), usegmt=True)})


@pytest.mark.parametrize(("day", "hours", "needed"), [(date(2024, 3, 31), 23, 18), (date(2024, 10, 27), 25, 19)])
def test_38_days_of_23_and_25_hours(airq: "Airq", day: date, hours: int, needed: int) -> None:
    """Where a station's clock changes its day has 23 or 25 hours, none is lost or doubled, and 75 % are needed."""
    start = number(midnight(day, "Europe/Rome"))
    given: Readings = {n: {"CO": (n - start) / 8, "RH": 1.0} for n in range(start - 24, start + hours + 24)}
    for n in range(start, start + hours - needed + 1):
        del given[n]["RH"]
    replay = Replay(airq)
    for at in (hour(start + 30), hour(start + 30), hour(start + 60)):
        ran = replay.run(Source(given, at), at, env={"AIRQ_TIMEZONE": "Europe/Rome"})
        assert lines(ran) == []
    before, found, after = replay.export("daily")
    assert [d["day"] for d in (before, found, after)] == [str(day - DAY), str(day), str(day + DAY)]
    assert [d["co_hours"] for d in (before, found, after)] == [24, hours, 24]
    assert found["co_mean"] == pytest.approx(statistics.mean(n / 8 for n in range(hours)), abs=1e-12)
    # One hour short of three quarters.
    assert (found["humidity_hours"], found["humidity_valid"], found["co_valid"]) == (needed - 1, False, True)
    assert found["final"] is True


def test_38_cron_that_fired_twice(airq: "Airq") -> None:
    """Two runs at the same minute, one after the other or side by side, leave what one would have left."""
    replay, source = Replay(airq), Source(readings(60), hour(40) + MINUTES)
    replay.run(source, source.now)
    before = replay.state()
    again = replay.run(source, source.now)
    assert again.json["documents"] == {}
    assert_same(replay.state(), before)
    source.now += timedelta(hours=1)
    with serving(source) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": source.now.isoformat()}
        words = [sys.executable, "-m", "airq_etl", "run", "-q", "--data-dir", str(replay.path())]
        both = [
            subprocess.Popen(words, cwd=airq.directory, env=airq.environment | env, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        said = [process.communicate(timeout=60)[1] for process in both]
    assert sorted(process.returncode for process in both) in ([0, 0], [0, 75]), said
    assert b"Traceback" not in b"".join(said)
    for at in (hour(40) + MINUTES, source.now):
        source.now = at
        replay.well(source, at, data="undisturbed")
    assert_same(replay.state(), replay.state("undisturbed"))


def test_38_cron_that_did_not_fire(airq: "Airq") -> None:
    """Hours without a run are made up for by the next one."""
    replay, source = Replay(airq), Source(readings(60), hour(40) + MINUTES)
    for n in (40, 41, 42, 43, 44, 45):
        source.now = hour(n) + MINUTES
        replay.well(source, source.now, data="undisturbed")
        if n in {40, 45}:
            assert lines(replay.run(source, source.now)) == []
    alike(replay.state(), replay.state("undisturbed"))


@pytest.mark.parametrize(
    "zone",
    ["Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns", "Nowhere/Nothing", ":", "EST5EDT4,M3.2.0", "\t"],
)
def test_38_the_zone_of_the_machine_is_no_matter(airq: "Airq", zone: str) -> None:
    """Whatever TZ says, days are those of the station."""
    replay, source = Replay(airq), Source(readings(60), hour(50) + MINUTES)
    ran = replay.run(source, source.now, env={"TZ": zone})
    assert lines(ran) == []
    replay.well(source, source.now, data="undisturbed")
    assert_same(replay.state(), replay.state("undisturbed"))


def test_39_one_of_a_thousand_stations_fails(airq: "Airq") -> None:
    """One bad station costs one line and exit code 3; the other 999 are stored."""
    replay = Replay(airq)
    good = body({n: {"CO": 1.0} for n in range(2)})

    def script(request: Request) -> Reply:
        return Reply(404) if request.path.endswith("/500") else Reply(body=good)

    everybody = ",".join(str(n) for n in range(1, 1001))
    ran = replay.run(script, hour(3), expect=3, env={"AIRQ_STATIONS": everybody})
    assert complaint(ran).startswith("station 500: the API does not know this station")
    assert len(lines(ran)) == 1
    found = replay.state()
    assert {station for station, _ in found.hours} == set(range(1, 1001)) - {500}
    assert (len(found.hours), len(found.store["hourly"]), len(found.store["daily"])) == (1998, 1998, 999)
    counted = stations_of(ran)
    assert len(counted) == 1000
    assert [station for station, its in counted.items() if its["error"]] == [500]
    assert len(list(Path(replay.path()).glob("captures/*/*/*/*"))) == 1
    assert list((replay.path() / "tmp").iterdir()) == []
