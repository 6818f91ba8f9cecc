"""The challenger: what it learns, when it serves, where it is kept, and that nothing fails without it."""

import subprocess
import sys
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest

from airq_etl.challenge_text import challenge_text
from airq_etl.forecast.ahead import Ahead, Cabinet, Served, look_ahead, sights_of
from airq_etl.forecast.backtest import replay
from airq_etl.forecast.challenger import learn_challenger
from airq_etl.forecast.fitted import Fitted, quantiles
from airq_etl.forecast.gate import CHALLENGER, LINEAR, Evidence, covered
from airq_etl.forecast.grid import Grid
from airq_etl.forecast.scale import scaled
from airq_etl.forecast.sight import Series, Sight
from airq_etl.forecast.standing import LET_GO, OWN, Learners, last_refit
from airq_etl.forecast.trial import Challenge, Trial, Tried, try_out
from airq_etl.lake import Lake
from airq_etl.pipeline.forecasting import cabinet as cabinets
from tests.air import STATION, made_up
from tests.no_lightgbm import REFUSED

DAYS, ORIGIN = 175, 24 * 120 + 9
PM = Series(STATION, "pm25", 1)
FEW = partial(learn_challenger, trees=40)
LEARNERS: Learners = {**OWN, CHALLENGER: FEW}
REPOSITORY = Path(__file__).resolve().parent.parent


def bent(days: int = DAYS) -> Grid:
    """Air in which PM2.5 is high after hours that are neither warm nor cool: no line can follow that."""
    draws = np.random.default_rng(8).normal(size=(2, 24 * days))
    warmth = 27 + draws[0]
    mild = np.abs(np.roll(draws[0], 1)) < 0.67
    plain = made_up(days, temperature=warmth, pm25=np.exp(2 + 0.8 * mild + 0.1 * draws[1]))
    return plain._replace(values={key: plain.values[key] for key in ((STATION, "pm25"), (STATION, "temperature"))})


def straight(days: int = DAYS) -> Grid:
    """Air that a line follows as well as can be."""
    plain = made_up(days)
    return plain._replace(values={(STATION, "pm25"): plain.values[STATION, "pm25"]})


def tried(grid: Grid, origin: int = ORIGIN, cabinet: Cabinet | None = None, serving: str | None = LINEAR) -> Tried:
    known = grid.until(origin + 1)
    held = {} if serving is None else {PM: Served(serving, "")}
    day = (grid.hour(origin) + timedelta(hours=1)).date()
    kept = cabinet or Cabinet(station_id=STATION)
    return try_out(kept, day, 1, sights_of(known, STATION, 1), held, LEARNERS)


def looked(grid: Grid, origin: int, cabinet: Cabinet, serving: str) -> Ahead:
    return look_ahead(grid.until(origin + 1), cabinet, grid.hour(origin), 1, {PM: Served(serving, "")})


@pytest.fixture(scope="module")
def won() -> Tried:
    """The trial of a challenger that wins."""
    return tried(bent())


def learnt(grid: Grid, day: int = 90) -> Fitted:
    model = FEW(Sight(grid, PM), 24 * day)
    assert model is not None
    return model


def grown(cabinet: Cabinet) -> list[Fitted]:
    return [model for model in cabinet.models if model.model == CHALLENGER]


def test_trees_are_the_same_again_and_from_json() -> None:
    """Fitted twice it is the same, and whoever has its JSON makes the same forecast to the last bit."""
    grid = bent(90)
    model = learnt(grid)
    assert learnt(grid) == model
    again = msgspec.json.decode(msgspec.json.encode(model), type=Fitted)
    assert again == model
    hours, rows = Sight(grid, PM).at(model.floor), np.arange(1000, 1500)
    np.testing.assert_array_equal(quantiles(again, hours, rows), quantiles(model, hours, rows))


def test_trees_know_nothing_of_what_came_after_they_were_grown() -> None:
    """Fitted at a day it is the same whatever came later, and another one if what was before differs."""
    grid = bent(100)
    model = learnt(grid)
    for at, same in ((24 * 90, True), (24 * 90 - 1, False), (24 * 30, False)):
        changed = grid.values[STATION, "pm25"].copy()
        changed[at:] += 40
        assert (learnt(grid._replace(values={**grid.values, (STATION, "pm25"): changed})) == model) is same


def test_features_that_are_not_known_are_no_obstacle() -> None:
    """It learns where a sensor was silent for weeks, and forecasts where one is gone."""
    grid = bent(90)
    warmth = grid.values[STATION, "temperature"].copy()
    warmth[24 * 20 : 24 * 50] = np.nan
    model = learnt(grid._replace(values={**grid.values, (STATION, "temperature"): warmth}))
    alone = grid._replace(values={(STATION, "pm25"): grid.values[STATION, "pm25"]})
    for known in (grid, alone):
        assert np.isfinite(quantiles(model, Sight(known, PM).at(model.floor), np.arange(24 * 60, 24 * 90))).all()


def test_bounds_are_by_hours_that_the_trees_had_not_seen() -> None:
    """On hours to come its own bounds, not yet corrected, hold their shares, though trees know their own hours well."""
    grid = straight()
    model = learn_challenger(Sight(grid, PM), 24 * 100, trees=400)
    assert model is not None
    rows = np.arange(24 * 100, 24 * DAYS - 1)
    found = quantiles(model, Sight(grid, PM).at(model.floor), rows)
    came = scaled("pm25", grid.values[STATION, "pm25"][rows + 1])
    assert 72 <= covered(came, found[:, 1], found[:, 3]) <= 85
    assert 86 <= covered(came, found[:, 0], found[:, 4]) <= 98


def test_it_needs_two_weeks_beside_those_held_out() -> None:
    """With less than six weeks of hours there is no challenger."""
    sight = Sight(straight(60), PM)
    assert FEW(sight, 24 * 42) is None
    assert FEW(sight, 24 * 43) is not None


def test_a_dead_sensor_has_no_challenger(won: Tried) -> None:
    """A sensor that is not forecast is not learnt from, and the trial says why."""
    grid = straight()
    values = grid.values[STATION, "pm25"].copy()
    values[24 * 60 :] = 3.0
    dead = tried(grid._replace(values={(STATION, "pm25"): values})).trials[0]
    assert (dead.over, dead.serves) == (None, False)
    assert dead.verdict == "it is dead: 3 µg/m³ in 100 % of the hours of the last 14 days"
    assert won.trials[0].fitted > dead.fitted


def test_a_challenger_that_wins_serves_from_that_day_on(won: Tried) -> None:
    """Where no line can follow the air it is promoted with its evidence, and makes the next forecast."""
    (trial,), cabinet = won.trials, won.brought.cabinet
    assert (trial.over, trial.serves, trial.verdict) == (LINEAR, True, "promoted")
    assert (trial.evidence.gain_low or 0) > 0
    (news,) = won.brought.news
    assert (news.before, news.standing.model, news.since) == (LINEAR, CHALLENGER, bent().hour(24 * 120))
    ahead = looked(bent(), ORIGIN, cabinet, CHALLENGER)
    (point,) = ahead.outlooks[0].points
    assert (point.model, ahead.cabinet, ahead.outlooks[0].reason) == (CHALLENGER, None, None)
    assert point.lo95 < point.lo80 < point.median < point.hi80 < point.hi95


def test_a_challenger_that_does_not_win_does_not_serve() -> None:
    """Where a line does as well the linear model stays, and the trial names what is lacking."""
    (trial,) = tried(straight()).trials
    assert (trial.over, trial.serves, trial.verdict) == (LINEAR, False, "no sure gain")
    assert trial.evidence.gain is not None


def test_trying_twice_is_trying_once(won: Tried) -> None:
    """A second trial on the same day fits nothing, has no news, and leaves the cabinet as it is."""
    again = tried(bent(), cabinet=won.brought.cabinet, serving=CHALLENGER)
    assert (again.trials[0].fitted, again.trials[0].verdict, again.brought.news) == (0, "serves", [])
    assert again.brought.cabinet.models == won.brought.cabinet.models


def test_it_is_fitted_on_refit_days_and_only_when_asked_for(won: Tried) -> None:
    """Days without a trial use the challengers that there are; a trial fits one more where one is due."""
    grid = bent()
    due = next(day for day in range(121, 144) if last_refit(STATION, grid.hour(24 * day).date()) == date_of(grid, day))
    before = looked(grid, 24 * due, won.brought.cabinet, CHALLENGER)
    assert before.cabinet is not None
    assert {one.serves_from for one in grown(before.cabinet)} <= {one.serves_from for one in grown(won.brought.cabinet)}
    assert before.outlooks[0].points[0].model == CHALLENGER
    assert tried(grid, 24 * (due - 1), won.brought.cabinet, CHALLENGER).trials[0].fitted == 0
    assert tried(grid, 24 * due, won.brought.cabinet, CHALLENGER).trials[0].fitted == 1


def date_of(grid: Grid, day: int) -> date:
    return grid.hour(24 * day).date()


def test_a_challenger_that_nobody_fits_any_more_is_let_go(won: Tried) -> None:
    """Six weeks after its last fitting the linear model serves again, and the history says after whom."""
    grid = bent()
    newest = max(grown(won.brought.cabinet), key=lambda one: one.serves_from).serves_from
    last = (newest - grid.start).days + LET_GO - 1
    assert looked(grid, 24 * last, won.brought.cabinet, CHALLENGER).news == []
    ahead = looked(grid, 24 * (last + 1), won.brought.cabinet, CHALLENGER)
    (news,) = ahead.news
    assert (news.before, news.standing.model) == (CHALLENGER, LINEAR)
    assert news.standing.reason.startswith("after lightgbm: ")
    assert ahead.outlooks[0].points[0].model == LINEAR


def test_a_backtest_shows_the_challenger_where_it_is_asked_to() -> None:
    """As a rival, and as who served from its promotion on; by itself a backtest has none."""
    grid = bent(120)
    found = replay(grid, PM, 24 * 100, 24 * 119, LEARNERS)
    served = [one.model for one in found.standings.values()]
    promoted = served.index(CHALLENGER)
    assert served == [LINEAR] * promoted + [CHALLENGER] * (len(served) - promoted)
    assert promoted > 0
    late = slice(24 * promoted, None)
    np.testing.assert_array_equal(found.served[late], found.rivals[CHALLENGER][late])
    plain = replay(grid, PM, 24 * 100, 24 * 119)
    assert CHALLENGER not in plain.rivals
    np.testing.assert_array_equal(plain.rivals[LINEAR], found.rivals[LINEAR])


def test_a_shorter_look_leaves_the_models_of_farther_hours(won: Tried) -> None:
    """Whoever asks for one hour ahead on a new day makes nobody fit those of the second hour again."""
    farther = [msgspec.structs.replace(model, horizon=2) for model in won.brought.cabinet.models]
    both = msgspec.structs.replace(won.brought.cabinet, models=[*won.brought.cabinet.models, *farther])
    found = looked(bent(), ORIGIN + 24, both, CHALLENGER).cabinet
    assert found is not None
    assert [one for one in found.models if one.horizon == 2] == farther


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(tmp_path / "data")
    found.open()
    return found


def challengers_file(lake: Lake) -> Path:
    return lake.root / cabinets.FOLDER / f"{STATION}.lightgbm.json.gz"


def test_what_is_kept_comes_back(lake: Lake, won: Tried) -> None:
    """Read again it is the same, trees and all; kept twice the files are the same bytes."""
    cabinet = won.brought.cabinet
    cabinets.write_whole(lake, cabinet)
    first = challengers_file(lake).read_bytes()
    assert first[4:8] == bytes(4)  # the time of writing, which gzip would note
    assert cabinets.read(lake, STATION, cabinet.day, 1) == cabinet
    cabinets.write_whole(lake, cabinet)
    assert challengers_file(lake).read_bytes() == first


def test_trees_are_read_only_where_they_are_needed(lake: Lake, won: Tried, caplog: pytest.LogCaptureFixture) -> None:
    """In the hours of a day on which another model serves their file is not touched; a new day looks into it."""
    cabinet = tried(straight()).brought.cabinet
    cabinets.write_whole(lake, cabinet)
    challengers_file(lake).write_bytes(b"no trees")
    assert grown(cabinets.read(lake, STATION, cabinet.day, 1)) == []
    assert caplog.messages == []
    assert grown(cabinets.read(lake, STATION, cabinet.day + timedelta(days=1), 1)) == []
    assert "`airq-etl forecast --challenge` makes it again" in caplog.text
    cabinets.write_whole(lake, won.brought.cabinet)
    assert grown(cabinets.read(lake, STATION, won.brought.cabinet.day, 1))


def test_the_day_begins_anew_where_the_trees_that_serve_are_lost(lake: Lake, won: Tried) -> None:
    """Without the file of the challenger that serves, the linear model serves from that hour on."""
    cabinets.write_whole(lake, won.brought.cabinet)
    challengers_file(lake).unlink()
    kept = cabinets.read(lake, STATION, won.brought.cabinet.day, 1)
    ahead = looked(bent(), ORIGIN, kept, CHALLENGER)
    assert ahead.outlooks[0].points[0].model == LINEAR
    assert [one.standing.model for one in ahead.news] == [LINEAR]


WITHOUT_LIGHTGBM = (
    REFUSED
    + """
import logging
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
from pathlib import Path
from airq_etl.lake import Lake
from airq_etl.pipeline.forecasting import cabinet as cabinets
from tests.test_forecast_challenger import CHALLENGER, ORIGIN, STATION, bent, looked

lake = Lake(Path(sys.argv[1]))
day = bent().hour(ORIGIN).date()
for _ in range(2):
    kept = cabinets.read(lake, STATION, day, 1)
ahead = looked(bent(), ORIGIN, kept, CHALLENGER)
cabinets.write(lake, ahead.cabinet)
print(ahead.outlooks[0].points[0].model)
"""
)


def test_without_the_library_the_linear_model_serves(lake: Lake, won: Tried) -> None:
    """LightGBM taken away, there is one warning, a forecast, and the file of the trees stays as it was."""
    cabinets.write_whole(lake, won.brought.cabinet)
    trees = challengers_file(lake).read_bytes()
    words = [sys.executable, "-c", WITHOUT_LIGHTGBM, str(lake.root)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    warning, model = done.stdout.splitlines()
    assert warning.startswith("WARNING LightGBM cannot be loaded")
    assert "pip install 'airq-etl[lightgbm]'" in warning
    assert model == LINEAR
    assert challengers_file(lake).read_bytes() == trees


def test_trials_are_told_in_eighty_columns(won: Tried) -> None:
    """A line a series with its numbers and its verdict, and what was not judged once, with its reason."""
    dead = "it is dead: 0 mg/m³ in 100 % of the hours of the last 14 days"
    pm10 = PM._replace(sensor="pm10")
    off = Evidence(hours=600, gain=-12.3, gain_low=-20.1, pinball=11.2, coverage80=70.0, coverage95=88.8)
    trials = [
        msgspec.structs.replace(won.trials[0], evidence=msgspec.structs.replace(off, gain=12.3, gain_low=9.8)),
        Trial(**pm10._asdict(), over="damped persistence", verdict="may serve tomorrow", evidence=off),
        *(Trial(station_id=STATION, sensor="co", horizon=ahead, verdict=dead) for ahead in (1, 2)),
    ]
    done = Challenge(run_id="1", made_at=won.brought.news[0].since, trials=trials, names={STATION: "Made up " * 20})
    lines = challenge_text(done).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1:6] == [
        "         over      gain at least pinball  80 %  95 %",
        "PM2.5 +1 linear    12.3      9.8    11.2  70.0  88.8  promoted",
        "PM10  +1 damped   -12.3    -20.1    11.2  70.0  88.8  no: may serve tomorrow",
        "CO +1, +2 not judged: it is dead: 0 mg/m³ in 100 % of the hours of the last 14",
        "    days",
    ]
    assert f"{won.trials[0].fitted} models fitted" in lines[6]
    assert challenge_text(msgspec.structs.replace(done, trials=[])).startswith("no challenger to try")
