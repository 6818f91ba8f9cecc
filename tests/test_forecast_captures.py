"""The forecast on real air: a backtest of two stations in Abidjan, whose every hour is an origin."""

import csv
import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Airq

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
FIRST, SECOND = 283164601, 283181971
DAYS = ["--start-date", "2023-09-01", "--end-date", "2023-12-06"]

# What is aimed at, of the error of persistence: at +1 h and +2 h, in per cent.
SKILL = {(FIRST, "pm25"): (15, 24), (SECOND, "pm25"): (16, 25), (SECOND, "co"): (18, 30)}


class Past(NamedTuple):
    """A backtest over the captures: its scores by series and model, the rows of its file, and its directory."""

    scores: dict[tuple[int, str, int, str], dict[str, Any]]
    rows: list[dict[str, str]]
    airq: "Airq"


@pytest.fixture(scope="module")
def past(airq_in: "Callable[[Path], Airq]", captures_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Past:
    airq = airq_in(tmp_path_factory.mktemp("past"))
    airq("extract", "--from", *sorted(captures_dir.glob("*.json.gz")), "--now", "2023-12-10T02:20")
    airq("transform")
    told = airq("forecast", "--backtest", *DAYS, "-o", "past.csv", "--json").json
    scores = {(one["station_id"], one["sensor"], one["horizon"], one["model"]): one for one in told["scores"]}
    with (airq.directory / "past.csv").open(encoding="utf-8", newline="") as file:
        return Past(scores, list(csv.DictReader(file)), airq)


@pytest.mark.parametrize(("station", "sensor"), list(SKILL))
def test_it_beats_persistence(past: Past, station: int, sensor: str) -> None:
    """The error is smaller than that of persistence by what was aimed at, one and two hours ahead."""
    for horizon, aim in zip((1, 2), SKILL[station, sensor], strict=True):
        served = past.scores[station, sensor, horizon, "served"]
        assert served["skill"] >= aim
        for rival in ("persistence", "seasonal naive", "damped persistence"):
            assert past.scores[station, sensor, horizon, rival]["mae"] > served["mae"]


def test_its_bounds_hold_what_they_promise(past: Past) -> None:
    """Of every pollutant that is forecast, the 80 % and 95 % bounds hold about these shares of the hours."""
    served = [one for one in past.scores.values() if one["model"] == "served" and one["answered"]]
    assert len(served) == 18
    for one in served:
        assert 77.5 <= one["coverage80"] <= 84, one
        assert 93.5 <= one["coverage95"] <= 97, one


def test_it_answers(past: Past) -> None:
    """Nearly all hours that came had been forecast, but those of the sensor whose zero has drifted."""
    for one in past.scores.values():
        if one["model"] == "served":
            drifted = (one["station_id"], one["sensor"]) == (FIRST, "co")
            assert (one["answered"] == 0) if drifted else (one["answered"] >= 99), one


def test_the_file_is_what_the_scores_say(past: Past) -> None:
    """A row an origin and hour, in order; its errors, worked out anew beside the observed hours, are the scores'."""
    assert list(past.rows[0]) == [
        *("origin", "target_time", "station", "pollutant", "horizon", "mean", "lo80", "hi80", "lo95", "hi95")
    ]
    hours = past.airq("export", "hourly", "--station", str(SECOND), "--format", "csv").out
    came = {row["hour"]: row["pm25"] for row in csv.DictReader(hours.splitlines()) if row["provisional"] == "false"}
    errors, persisted = [], []
    for row in past.rows:
        if (row["station"], row["pollutant"], row["horizon"]) != (str(SECOND), "PM2.5", "2"):
            continue
        origin, target = (datetime.fromisoformat(row[name]) for name in ("origin", "target_time"))
        assert target - origin == timedelta(hours=2)
        values = [came.get(f"{hour:%Y-%m-%dT%H:%M:%SZ}") for hour in (origin, target)]
        if all(values):
            errors.append(abs(float(row["mean"]) - float(values[1] or math.nan)))
            persisted.append(abs(float(values[0] or math.nan) - float(values[1] or math.nan)))
    served = past.scores[SECOND, "pm25", 2, "served"]
    assert len(errors) == pytest.approx(served["hours"], rel=0.01)
    assert sum(errors) / len(errors) == pytest.approx(served["mae"], rel=0.01)
    assert 100 * (1 - sum(errors) / sum(persisted)) == pytest.approx(served["skill"], abs=0.5)
    assert past.rows == sorted(past.rows, key=lambda row: (row["origin"], int(row["station"]), row["pollutant"]))


def test_a_sensor_that_says_nothing_has_no_forecast(past: Past) -> None:
    """CO of the first station is below zero throughout: no row of it is written, and the command says why."""
    assert not [row for row in past.rows if (row["station"], row["pollutant"]) == (str(FIRST), "CO")]
    told = past.airq("forecast", "--station", str(FIRST), "--now", "2023-12-06T16:20", "--json").json
    (co,) = (one for one in told["outlooks"] if one["sensor"] == "co")
    assert co["points"] == []
    assert co["reason"] == "its zero has drifted: 99.7 % of the hours of the last 14 days are below zero"


def test_the_readme_has_these_scores(past: Past) -> None:
    """README's table is that of this backtest, within a per cent (processors round differently)."""
    table = README.partition("| | | as the day before |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(table) == 6
    for line in table:
        name, ahead, *shown = (cell.strip() for cell in line.strip("|").split("|"))
        sensor, station = name.split(", ")
        series = int(station), {"PM2.5": "pm25", "CO": "co"}[sensor], int(ahead[1])
        rivals = [past.scores[*series, model]["skill"] for model in ("seasonal naive", "damped persistence", "served")]
        covers = [past.scores[*series, "served"][name] for name in ("coverage80", "coverage95")]
        assert [float(cell.removesuffix(" %")) for cell in shown] == pytest.approx([*rivals, *covers], abs=1.0)
