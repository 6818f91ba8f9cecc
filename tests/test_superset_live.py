"""A real Superset imports the bundles, draws every chart of them, and goes on while runs write."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest

from airq_etl.guidelines import EU_PM25_DAY, WHO_PM25_DAY
from airq_etl.lake import DAILY, FORECASTS, Lake
from airq_etl.simulator import Simulator
from airq_etl.superset.dashboard import CHARTS
from tests.conftest import CACHE
from tests.installed import installed
from tests.superset_server import USER, Superset

if TYPE_CHECKING:
    from tests.conftest import Airq, Missing

pytestmark = pytest.mark.superset

STATIONS = (283164601, 283181971)
NAMES = ('L\'École "5%" {{1}}: a', "Plateau")
BEGUN = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)
RUNS_BEFORE = 4
ASKING, ROUNDS = 3, 3
SOURCES = {"sqlite": "airq", "parquet": "airq-parquet"}
TITLES = {chart.key: chart.title for chart, _ in CHARTS}


class Deployment(NamedTuple):
    """A data directory that hourly runs write to, and a Superset that shows it."""

    superset: Superset
    data: Path
    bundles: dict[str, Path]
    run: Callable[[], int]
    charts: dict[str, dict[str, Any]]

    def ask(self, source: str, key: str, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- parts of a query
        """The rows of a chart."""
        return self.superset.ask(self.charts[source][TITLES[key]], **more)


class Hourly:
    """Runs an hour after each other, against the simulator."""

    def __init__(self, airq: "Airq", url: str, clock: list[datetime]) -> None:
        self._airq, self._clock = airq, clock
        self._settings = {"AIRQ_API_URL": url, "AIRQ_DATA_DIR": "data", "AIRQ_STATIONS_FILE": "stations.toml"}

    def __call__(self) -> int:
        """Run the next; its exit code."""
        self._clock[0] += timedelta(hours=1)
        return self._airq("run", "-q", "--now", self._clock[0].isoformat(), env=self._settings, expect=None).code


@pytest.fixture(scope="module")
def deployment(
    airq_in: "Callable[[Path], Airq]", missing: "Missing", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Superset with both bundles, each imported once, its server, and runs that can go on."""
    environment = installed("superset", CACHE) or missing(
        "Superset could not be installed, see tests/superset/install.sh"
    )
    where = tmp_path_factory.mktemp("superset")
    tables = (f"[{station}]\nname = '''{name}'''\n" for station, name in zip(STATIONS, NAMES, strict=True))
    (where / "stations.toml").write_text("\n".join(tables), encoding="utf-8")
    airq, clock = airq_in(where), [BEGUN]
    with Simulator(STATIONS, now=lambda: clock[0]) as simulator:
        run = Hourly(airq, simulator.url, clock)
        assert [run() for _ in range(RUNS_BEFORE)] == [0] * RUNS_BEFORE
        bundles = {name: where / f"bundle-{name}" for name in SOURCES}
        settings = {"AIRQ_DATA_DIR": "data", "AIRQ_STATIONS_FILE": "stations.toml"}
        (where / "home").mkdir()
        superset = Superset(environment, where / "home")
        for name, bundle in bundles.items():
            airq("export", "superset", "--source", name, "-o", bundle, env=settings)
            superset.take(bundle)
        with superset.serving():
            charts = {name: superset.charts(slug) for name, slug in SOURCES.items()}
            yield Deployment(superset, where / "data", bundles, run, charts)


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    """Each source in turn."""
    return str(request.param)


def days(deployment: Deployment) -> pl.DataFrame:
    """The daily table, with the names of its stations, and of each mean only those that are valid."""
    valid = {name: pl.when(f"{name}_valid").then(f"{name}_mean") for name in ("pm25", "co")}
    named = pl.col("station_id").replace_strict(dict(zip(STATIONS, NAMES, strict=True)))
    return Lake(deployment.data).read(DAILY).with_columns(station=named, **valid)


def by(rows: list[dict[str, Any]], *names: str) -> dict[Any, dict[str, Any]]:
    """Rows by what identifies them, each once."""
    found = {tuple(row[name] for name in names): row for row in rows}
    assert len(found) == len(rows)
    return found


def milliseconds(day: Any) -> int:  # noqa: ANN401 -- a date
    """A day as Superset gives a time: milliseconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def test_the_dashboard_is_served_with_all_its_charts(deployment: Deployment, source: str) -> None:
    """The dashboard lists every chart of the bundle, and its page is there."""
    assert set(deployment.charts[source]) == set(TITLES.values())
    page = deployment.superset.page(f"superset/dashboard/{SOURCES[source]}/")
    assert page.status_code == 200
    assert "Superset" in page.text


@pytest.mark.parametrize("key", TITLES)
def test_every_chart_has_rows(deployment: Deployment, source: str, key: str) -> None:
    """Each chart is given rows in which something stands."""
    rows = deployment.ask(source, key)
    assert rows
    assert any(value is not None for row in rows for value in row.values())


@pytest.mark.parametrize("key", [key for key in TITLES if key not in {"runs", "run-times"}])
def test_both_sources_say_the_same(deployment: Deployment, key: str) -> None:
    """The embedded store and the tables give each chart the same rows."""
    first, second = (sorted(map(_rounded, deployment.ask(name, key)), key=repr) for name in SOURCES)
    assert first == second


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 9) if isinstance(value, float) else value for name, value in row.items()}


def test_days_are_those_of_the_table_and_gaps_are_null(deployment: Deployment, source: str) -> None:
    """Each valid mean is that of the daily table; of every other day of the calendar there is a row without one."""
    table = days(deployment)
    span = table.group_by("station").agg(pl.date_ranges(pl.col("day").min(), pl.lit(table["day"].max()))).explode("day")
    expected = span.join(table, on=("station", "day"), how="left").sort("station", "day")
    assert expected["pm25"].null_count() > 0
    for key, sensor in (("pm25-days", "pm25"), ("co-days", "co")):
        rows = by(deployment.ask(source, key), "station", "day")
        assert set(rows) == {(station, milliseconds(day)) for station, day in expected.select("station", "day").rows()}
        for station, day, mean in expected.select("station", "day", sensor).rows():
            assert rows[station, milliseconds(day)][f"{sensor}_mean"] == pytest.approx(mean, abs=1e-9)


def test_days_above_a_guideline_stand_beside_the_valid_ones(deployment: Deployment, source: str) -> None:
    """Of each station and year: valid days, and those above WHO's value and the EU's."""
    table = days(deployment)
    expected = table.group_by("station", year=pl.col("day").dt.strftime("%Y")).agg(
        pl.col("pm25").count().alias("valid"),
        (pl.col("pm25") > WHO_PM25_DAY).sum().alias("who"),
        (pl.col("pm25") > EU_PM25_DAY).sum().alias("eu"),
    )
    rows = by(deployment.ask(source, "guideline-years"), "station", "year")
    got = {key: (row["pm25_valid_days"], row["pm25_over_who"], row["pm25_over_eu"]) for key, row in rows.items()}
    assert got == {(station, year): (valid, who, eu) for station, year, valid, who, eu in expected.rows()}
    assert expected["who"].sum() > 0


def test_months_are_means_of_valid_days_and_their_change(deployment: Deployment, source: str) -> None:
    """A month's mean is over its valid days; the first month of a station has no change, each other has."""
    month = pl.col("day").dt.strftime("%Y-%m")
    expected = (
        days(deployment).group_by("station", month=month).agg(pl.col("pm25").mean(), pl.col("pm25").count().alias("n"))
    )
    before = pl.col("pm25").shift(1).over("station")
    expected = expected.sort("station", "month").with_columns(change=pl.col("pm25") - before)
    rows = by(deployment.ask(source, "months"), "station", "month_name")
    assert len(rows) == expected.height
    for station, name, mean, count, change in expected.rows():
        row = rows[station, name]
        assert (row["pm25"], row["pm25_days"]) == (pytest.approx(mean), count)
        assert row["pm25_change"] == (None if change is None else pytest.approx(change, abs=1e-9))
    assert expected["change"].null_count() == len(STATIONS)


def test_forecasts_stand_beside_what_came(deployment: Deployment, source: str) -> None:
    """Of one hour ahead: what came, the median and the bounds, each a series by which Superset draws a band."""
    table = Lake(deployment.data).read(FORECASTS).filter(pl.col("horizon") == 1, pl.col("sensor") == "pm25")
    names = dict(zip(STATIONS, NAMES, strict=True))
    rows = by(deployment.ask(source, "pm25-forecast"), "series", "hour")
    assert table["observed"].count() > 0
    for told in table.iter_rows(named=True):
        when = int(told["hour"].timestamp() * 1000)
        of = names[told["station_id"]]
        got = [rows[of + ending, when]["value_of_hour"] for ending in ("", "__yhat", "__yhat_lower", "__yhat_upper")]
        assert got == [told["observed"], told["median"], told["lo80"], told["hi80"]]


def test_runs_are_listed(deployment: Deployment, source: str) -> None:
    """Every run is there, and how it went."""
    rows = deployment.ask(source, "runs")
    assert len(rows) >= RUNS_BEFORE
    assert {row["state"] for row in rows} == {"SUCCESS"}


def test_the_filters_choose(deployment: Deployment, source: str) -> None:
    """A station that is chosen is alone, and a range of time has its first day and not the one after its last."""
    chosen = {"filters": [{"col": "station", "op": "IN", "val": [NAMES[0]]}]}
    rows = deployment.ask(source, "pm25-days", **chosen, time_range="2026-08-01 : 2026-08-11")
    first, last = milliseconds(datetime(2026, 8, 1)), milliseconds(datetime(2026, 8, 10))  # noqa: DTZ001
    assert {row["station"] for row in rows} == {NAMES[0]}
    assert (min(row["day"] for row in rows), max(row["day"] for row in rows)) == (first, last)
    assert len(rows) == 10


def test_a_second_import_adds_nothing_and_alters(
    deployment: Deployment, airq_in: "Callable[[Path], Airq]", tmp_path: Path
) -> None:
    """Twice is once: as many things as before; and a station that was renamed is called anew after an import."""
    before, where = deployment.superset.counts(), deployment.data.parent
    for bundle in deployment.bundles.values():
        deployment.superset.take(bundle)
    assert deployment.superset.counts() == before
    shutil.copytree(deployment.data, tmp_path / "data")
    tables = (where / "stations.toml").read_text(encoding="utf-8").replace(NAMES[1], "Port")
    (tmp_path / "stations.toml").write_text(tables, encoding="utf-8")
    settings = {"AIRQ_DATA_DIR": str(deployment.data), "AIRQ_STATIONS_FILE": "stations.toml"}
    airq_in(tmp_path)("export", "superset", "--source", "parquet", "-o", "renamed", env=settings)
    deployment.superset.take(tmp_path / "renamed")
    try:
        assert deployment.superset.counts() == before
        assert {row["station"] for row in deployment.ask("parquet", "stations")} == {NAMES[0], "Port"}
    finally:
        deployment.superset.take(deployment.bundles["parquet"])


def test_runs_write_while_charts_are_asked(deployment: Deployment) -> None:
    """Neither side fails the other: each run ends well, each chart is given rows, and what is new is then seen."""
    before = {name: deployment.ask(name, "forecast-errors") for name in SOURCES}
    asked, codes = Event(), []

    def run_on() -> None:
        while not asked.is_set():
            codes.append(deployment.run())

    with ThreadPoolExecutor(1 + ASKING) as pool:
        runs = pool.submit(run_on)
        try:
            wanted = [(name, key) for name in SOURCES for key in TITLES] * ROUNDS
            rows = list(pool.map(lambda one: deployment.ask(*one), wanted))
        finally:
            asked.set()
        runs.result()
    assert all(rows)
    assert len(codes) >= ROUNDS
    assert set(codes) == {0}
    for name in SOURCES:
        after = deployment.ask(name, "forecast-errors")
        assert sum(row["hours"] for row in after) > sum(row["hours"] for row in before[name])


def test_a_browser_draws_every_chart(deployment: Deployment, source: str, program: Callable[[str], str]) -> None:
    """Chromium asks for each chart of the dashboard and is given rows, and no chart tells of an error."""
    from playwright.sync_api import Page, Response, sync_playwright

    url, asked = deployment.superset.url, {}

    def note(answer: Response) -> None:
        if "/api/v1/chart/data" in answer.url and "slice_id" in answer.url:
            told = answer.request.post_data_json or {}
            asked[told["form_data"]["slice_id"]] = answer

    def sign_in(page: Page) -> None:
        page.goto(f"{url}/login/")
        page.fill("#username", USER)
        page.fill("#password", deployment.superset.password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda now: "login" not in now)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        try:
            # As high as the dashboard: a chart is drawn when it comes into view.
            page = browser.new_page(viewport={"width": 1500, "height": 9000})
            page.on("response", note)
            sign_in(page)
            page.goto(f"{url}/superset/dashboard/{SOURCES[source]}/")
            page.wait_for_function(
                "count => document.querySelectorAll('[data-test=chart-grid-component]').length == count",
                arg=len(TITLES),
            )
            page.wait_for_load_state("networkidle")
            given = {number: answer.json()["result"] for number, answer in asked.items()}
            drawn = page.locator(".slice_container canvas, .slice_container table").count()
            assert page.get_by_text("Unexpected error").count() == 0
        finally:
            browser.close()
    assert set(given) == {chart.number for chart in deployment.charts[source].values()}
    assert all(result["rowcount"] > 0 and result["error"] is None for results in given.values() for result in results)
    assert drawn >= len(TITLES)
