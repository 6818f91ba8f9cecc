"""The benchmarks run, each at its smallest; and what airq-etl is measured against makes the same daily table."""

import json
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from airq_etl import daily, hourly
from airq_etl.sensors import SENSORS
from airq_etl.stations import Rules
from tests.bench import others
from tests.bench.command import BENCHMARKS
from tests.bench.costs import FailedError, TooLongError, bare, cost
from tests.bench.daily import WAYS, rules
from tests.bench.served import is_another
from tests.bench.suite import Outcome, shown
from tests.mongo import REPOSITORY

if TYPE_CHECKING:
    from tests.conftest import Missing

RUN_S = 600
HERE = [sys.executable, "-m", "tests.bench"]
CASES = {
    "hourly": {
        *(f"{run}, {store}" for run in ("run", "run --no-...") for store in ("embedded", "MongoDB")),
        *(
            "naive, MongoDB",
            "naive, SQLite",
            "dlt, DuckDB",
            "bare Python, one round trip",
            "polars, typer, httpx, no work",
        ),
    },
    "decode": {
        *("msgspec, typed decode alone (ours)", "msgspec, typed decode alone (others)"),
        *("ours, hourly rows", "ours, rows + flags + days"),
        *("naive, frame + days", "naive, frame + days + dicts"),
    },
    "first_year": {
        *("2: extract", "2: transform", "2: load, embedded", "2: load, MongoDB", "2: run --no-..."),
    },
    "growth": {f"{count}: {what}" for count in (2, 10, 20) for what in ("run", "short")},
    "daily": {
        "2: airq-etl transform",
        *(f"2: {name}, {what}" for name in WAYS for what in ("means", "flags too")),
    },
    "stores": {
        f"1: {store}: {what}"
        for store in ("embedded", "MongoDB", "naive, MongoDB")
        for what in ("new", "the same", "changed, 1 %", "changed, all")
    },
    "start": {
        *(f"python -c {code}" for code in ("pass", "'import polars'", "'import pandas'")),
        *(f"airq-etl {words}" for words in ("--version", "--help", "status", "status --check", "sanity-check")),
    },
    "forecast": {
        f"1: {what}"
        for what in ("--version", "the first time", "an hour later", "the next day", "three weeks later, fitted anew")
    },
    "report": {
        f"2: {what}"
        for what in ("the page", "the page of one station", "the facts (--json)", "the page, from the store")
    },
    "sanity": {"2: gather", "2: examine", "2: airq-etl sanity-check"},
}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def equipped(missing: "Missing", request: pytest.FixtureRequest) -> None:
    """What airq-etl is measured against, and a MongoDB-speaking server, can be had."""
    try:
        others.python()
    except FailedError as error:
        missing(str(error))
    if not is_another():
        request.getfixturevalue("mongo_program")


def test_every_benchmark_is_tried() -> None:
    """What is listed is run below."""
    assert CASES.keys() == BENCHMARKS.keys()


@pytest.mark.bench
@pytest.mark.usefixtures("equipped")
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs(name: str, tmp_path: Path) -> None:
    """At its smallest it shows a table of 80 columns, and writes down samples of all its cases."""
    words = [*HERE, name, "--small", "--out", str(tmp_path)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80, done.stdout
    told = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert CASES[name] <= told["cases"].keys()
    for case, found in told["cases"].items():
        assert found["samples"], case
        assert all(value >= 0 for sample in found["samples"] for value in sample.values()), case
    assert told["machine"]["cores"] > 0


def hours() -> pl.DataFrame:
    """Ninety days of three stations with every kind of odd value among them."""
    dice = random.Random(9)  # noqa: S311 -- made up
    rows = []
    for station in (1, 2, 3):
        for number in range(90 * 24):
            gone = dice.random() < 0.03 or number % 700 in range(60 * station) or number % 500 in range(1, 8)
            if gone and number % 500 != 4:
                continue
            row = {"station_id": station, "hour": BEGIN + timedelta(hours=number)}
            rows.append(row | {s.column: value(dice, number) for s in SENSORS if s.core})
    frame = pl.DataFrame(rows, schema_overrides={"hour": hourly.TIME}, infer_schema_length=None)
    asked = pl.lit(BEGIN + timedelta(days=100)).cast(hourly.TIME)
    return hourly.arrange(frame.with_columns(provisional=pl.lit(value=False), requested_at=asked))


def value(dice: random.Random, number: int) -> float | None:
    """Mostly one near its hour of the day; now and then none, a fault, a spike, a negative, the same for long."""
    kind = dice.random()
    if kind < 0.06:
        return [None, -999.0, 300.0, -0.1, -5.0, -40.0][int(kind * 100)]
    return 3.0 if number % 400 in range(15) else 5 + number % 24 / 4 + dice.gauss(0, 0.3)


@pytest.mark.bench
@pytest.mark.usefixtures("equipped")
@pytest.mark.parametrize("name", WAYS)
def test_the_others_make_the_same_days(name: str, tmp_path: Path) -> None:
    """Means, extremes, numbers and flags by pandas and DuckDB are ours, of values that each rule has a word for."""
    frame = hours()
    (tmp_path / "hourly").mkdir()
    for (month,), part in frame.group_by(pl.col("hour").dt.strftime("%Y-%m").alias("month")):
        part.drop("month", strict=False).write_parquet(tmp_path / "hourly" / f"{month}.parquet")
    (tmp_path / "rules.json").write_text(json.dumps(rules()), encoding="utf-8")
    ours = daily.compute(frame, Rules(dict.fromkeys((1, 2, 3), "UTC")))
    for level in daily.COUNTED:
        assert ours[f"no2_{level}"].sum() > 0, level
    out = tmp_path / "days.parquet"
    cost([*others.way(WAYS[name]), "flags", tmp_path / "hourly", tmp_path / "rules.json", out], tmp_path, bare())
    theirs = pl.read_parquet(out).with_columns(pl.col("day").cast(pl.Date)).sort("station_id", "day")
    assert theirs.select("station_id", "day").equals(ours.select("station_id", "day"))
    for column in theirs.columns[2:]:
        its = theirs[column].cast(pl.Float64).fill_nan(None)
        near = (its - ours[column].cast(pl.Float64)).abs() <= (1e-9 if column.endswith("_mean") else 0)
        assert its.is_null().equals(ours[column].is_null()), column
        assert near.all(), column
    assert len(theirs.columns) == 2 + 7 * sum(sensor.core for sensor in SENSORS)


def test_a_case_that_fails_is_named_with_the_end_of_what_it_said(tmp_path: Path) -> None:
    """One line: the command, its exit code, and its last words."""
    words = [sys.executable, "-c", "import sys; print('first\\nlast', file=sys.stderr); sys.exit(3)"]
    with pytest.raises(FailedError, match=r"^`.*` ended with exit code 3: first \| last$"):
        cost(words, tmp_path)
    assert cost(words, tmp_path, fine=(3,)).out == ""


def test_a_case_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """It is ended, and said to be late."""
    with pytest.raises(TooLongError):
        cost([sys.executable, "-c", "while True: pass"], tmp_path, at_most_s=0.2)


def test_the_peak_of_a_process_is_its_own(tmp_path: Path) -> None:
    """That of the process that measures is not in it, however large, and that of a child is."""
    ballast = bytearray(300 << 20)
    small = cost([sys.executable, "-c", "pass"], tmp_path).sample
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'b = bytearray(100 << 20)'])"
    large = cost([sys.executable, "-c", child], tmp_path).sample
    assert small["rss_mb"] < 50
    assert 100 < large["rss_mb"] < 200
    assert len(ballast) > 200 << 20


def test_medians_are_shown_within_80_columns() -> None:
    """A table has a row a case, and its notes are wrapped."""
    samples = {"one": [{"cpu_s": 1.0}, {"cpu_s": 9.0}, {"cpu_s": 2.0}], "x" * 100: [{"cpu_s": 1234.5}]}
    outcome = Outcome(samples, {"one / other": {"cpu_s": 0.5}}, (("", "", ("cpu_s",)),), ("word " * 40,))
    text = shown("name", "what it is", outcome)
    assert text.startswith("name: what it is; medians of 1 to 3")
    assert max(map(len, text.splitlines())) <= 80
    assert any(line.split() == ["one", "2.00"] for line in text.splitlines())
    assert "1,234.50" in text
    assert "0.5" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "there is no benchmark 'nothing'"),
        (["--rounds", "0"], "no number from 1"),
        (["start", "--stations", "3"], "start is not of so many stations"),
        (["start", "--out", "pyproject.toml"], "pyproject.toml: File exists"),
        (["start", "--out", ""], "name a directory"),
    ],
)
def test_what_is_not_there_is_refused(words: list[str], said: str) -> None:
    """With exit code 2 and one line behind the usage, before anything is measured."""
    done = subprocess.run([*HERE, *words], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
    assert "begun" not in done.stderr


def test_an_interrupted_one_says_so(tmp_path: Path) -> None:
    """In one line, with the exit code of Ctrl-C, and leaves nothing behind."""
    environment = bare(TMPDIR=str(tmp_path))
    words = [*HERE, "start", "--rounds", "50", "--out", str(tmp_path / "out")]
    with subprocess.Popen(words, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True) as measuring:
        assert measuring.stderr is not None
        begun = measuring.stderr.readline()
        measuring.send_signal(signal.SIGINT)
        _, said = measuring.communicate(timeout=60)
    assert begun.startswith("start: begun; 5 rounds take some")
    assert (measuring.returncode, said) == (130, "start: stopped; nothing of it is written down\n")
    assert [path.name for path in tmp_path.rglob("*")] == ["out"]


def test_without_the_packages_of_the_tests_it_says_what_to_install() -> None:
    """In one line."""
    lacking = "import sys, runpy; sys.modules['filelock'] = None; runpy.run_module('tests.bench', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", lacking], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "there is no filelock in this Python: install the extra dev (pip install -e '.[dev]')"
    ]


def test_all_are_listed() -> None:
    """Each with what it measures, in 80 columns."""
    done = subprocess.run([*HERE, "--list"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(BENCHMARKS)
    assert max(map(len, lines)) <= 80
