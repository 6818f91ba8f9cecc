"""The bundle for Superset: what is in it, what its queries give of a real embedded store, where it is written."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from airq_etl.superset.bundle import bundle, datasets
from airq_etl.superset.dashboard import CHARTS
from airq_etl.superset.source import Source, embedded, literal, parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conftest import Airq

NOW = "2026-04-02T06:30"
PORT, OTHER = 283160007, 283160008
NAMED = {7: "Port", 8: "Port", 9: None, 10: 'L\'École "5%" {{1}}: a'}
INSTALL = Path(__file__).parent / "superset" / "install.sh"
README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def sources() -> "Iterator[Source]":
    yield embedded("/var/lib/airq/airq.db", NAMED)
    yield parquet("/var/lib/airq", NAMED, forecasts=True)


@pytest.fixture(params=["sqlite", "parquet"])
def files(request: pytest.FixtureRequest) -> "Mapping[str, Any]":
    """What the files of a bundle hold, by path."""
    (source,) = (source for source in sources() if source.name == request.param)
    return {path: yaml.safe_load(text) for path, text in bundle(source).items()}


def under(files: "Mapping[str, Any]", folder: str) -> list[Any]:
    return [told for path, told in files.items() if path.startswith(f"{folder}/")]


def test_the_same_source_gives_the_same_bytes() -> None:
    """Nothing in a bundle is of the moment at which it was made."""
    for first, second in zip(sources(), sources(), strict=True):
        assert bundle(first) == bundle(second)


def test_every_file_is_of_the_version_that_superset_reads(files: "Mapping[str, Any]") -> None:
    """Superset refuses a file without it, and a database without `extra`."""
    assert {told["version"] for told in files.values()} == {"1.0.0"}
    assert all("extra" in told for told in under(files, "databases"))


def test_everything_refers_to_what_is_there(files: "Mapping[str, Any]") -> None:
    """Datasets name a database, charts a dataset and its columns and measures, the dashboard each chart once."""
    databases = {told["uuid"] for told in under(files, "databases")}
    known = {told["uuid"]: told for told in under(files, "datasets")}
    charts = {told["uuid"]: told for told in under(files, "charts")}
    assert {told["database_uuid"] for told in known.values()} == databases
    for chart in charts.values():
        dataset = known[chart["dataset_uuid"]]
        columns = {column["column_name"] for column in dataset["columns"]}
        measures = {measure["metric_name"] for measure in dataset["metrics"]}
        params = chart["params"]
        assert {params["granularity_sqla"], *named(params)} <= columns, chart["slice_name"]
        assert measured(params) <= measures, chart["slice_name"]
    (dashboard,) = under(files, "dashboards")
    drawn = [
        node["meta"] for node in dashboard["position"].values() if isinstance(node, dict) and node["type"] == "CHART"
    ]
    assert sorted(meta["uuid"] for meta in drawn) == sorted(charts)
    assert sorted(meta["chartId"] for meta in drawn) == list(range(1, 1 + len(charts)))


def named(params: "Mapping[str, Any]") -> set[str]:
    lists = [params.get(name, []) for name in ("groupby", "columns", "all_columns")]
    single = [params[name] for name in ("x_axis", "entity", "series") if name in params]
    return {name for told in lists for name in ([told] if isinstance(told, str) else told)} | set(single)


def measured(params: "Mapping[str, Any]") -> set[str]:
    return {*params.get("metrics", []), *(params[name] for name in ("metric", "x", "y", "size") if name in params)}


def test_nothing_of_one_source_is_taken_for_that_of_the_other() -> None:
    """Both bundles can lie in one Superset: no UUID, no name of a dataset, no slug is the same."""
    for what in ("uuid", "table_name", "slug"):
        first, second = (
            {told[what] for text in bundle(source).values() if what in (told := yaml.safe_load(text))}
            for source in sources()
        )
        assert first
        assert first & second == set()


def test_a_renamed_station_alters_no_uuid() -> None:
    """So that an import finds what it is to update."""

    def uuids(source: Source) -> list[str]:
        return re.findall(r"uuid: (\S+)", "".join(bundle(source).values()))

    before, after = (parquet("/data", {7: name}, forecasts=True) for name in ("Port", "Harbour"))
    assert uuids(before) == uuids(after)
    assert bundle(before) != bundle(after)


def test_every_axis_has_its_unit(files: "Mapping[str, Any]") -> None:
    """Each axis of values says what it is of."""
    told = [chart["params"]["y_axis_title"] for chart in under(files, "charts") if "y_axis_title" in chart["params"]]
    assert told
    assert all(re.search("µg/m³|mg/m³|Days|seconds", title) for title in told)


def test_the_filters_leave_out_the_charts_that_they_are_not_for(files: "Mapping[str, Any]") -> None:
    """Runs have no station; the newest forecasts are shown whatever the range of time."""
    (dashboard,) = under(files, "dashboards")
    kinds = [chart.key for chart, _ in CHARTS]
    excluded = {
        told["filterType"]: {kinds[number - 1] for number in told["scope"]["excluded"]}
        for told in dashboard["metadata"]["native_filter_configuration"]
    }
    assert excluded == {
        "filter_select": {"run-times", "runs"},
        "filter_time": {"pm25-forecast", "co-forecast"},
    }


def test_a_name_is_text_in_sql_and_no_template() -> None:
    """Whatever a name holds, SQL gives it back, and Superset finds nothing in it to fill in."""
    for text in ("O'Hare", 'L\'École "5%" {{1}}: a', "{% raw %}", "{", "", "a\\b"):
        with closing(sqlite3.connect(":memory:")) as db:
            assert db.execute(f"select {literal(text).replace('chr(', 'char(')}").fetchone() == (text,)
        assert not re.search(r"\{[{%#]", literal(text))


# -- what the queries give ---------------------------------------------------------------------------------


def payload(name: str, hours: "Mapping[str, range]", **values: float) -> str:
    rows = [
        {
            "timestamp": f"{day} {number:02d}:00:00",
            **{key.replace("PM25", "PM2.5"): value for key, value in values.items()},
        }
        for day, numbers in hours.items()
        for number in numbers
    ]
    return json.dumps({"header": {"station_name": name, "station_lat": 5.0, "station_lon": -4.0}, "data": rows})


@pytest.fixture
def rows(airq: "Airq", tmp_path: Path) -> "Mapping[str, list[dict[str, Any]]]":
    """What each query gives, by the key of its dataset, of an embedded store with days missing, short and whole."""
    whole, short = range(24), range(17)
    first = {"2026-01-30": whole, "2026-01-31": short, "2026-02-01": whole, "2026-04-02": range(6)}
    (tmp_path / "283160007_a.json").write_text(payload("Port", first, PM25=20.0, CO=0.5), encoding="utf-8")
    (tmp_path / "283160008_a.json").write_text(payload("Port", {"2026-04-01": whole}, PM25=30.0), encoding="utf-8")
    settings = {"AIRQ_DATA_DIR": "data", "AIRQ_STATIONS": "283160007,283160008"}
    for words in (["extract", "--from", "283160007_a.json", "283160008_a.json"], ["transform"], ["load"]):
        airq(*words, "--now", NOW, "-q", env=settings)
    store = (tmp_path / "data" / "airq.db").as_posix()
    source = embedded(store, {})
    with closing(sqlite3.connect(source.database.uri.removeprefix("sqlite:///"), uri=True)) as db:
        db.row_factory = sqlite3.Row
        return {told.key: [dict(row) for row in db.execute(told.sql)] for told in datasets(source)}


def test_a_day_without_hours_is_a_row_without_values(rows: "Mapping[str, list[dict[str, Any]]]") -> None:
    """Each station has every day from its first to the newest of all; one with too few hours has no mean."""
    days = {(row["station_id"], row["date"]): row for row in rows["days"]}
    begin = datetime(2026, 1, 30, tzinfo=UTC)
    calendar = [f"{begin + timedelta(days=number):%Y-%m-%d}" for number in range(63)]
    assert [day for station, day in days if station == PORT] == calendar
    assert [day for station, day in days if station == OTHER] == ["2026-04-01", "2026-04-02"]
    assert days[PORT, "2026-01-30"]["pm25"] == 20
    assert (days[PORT, "2026-01-31"]["pm25"], days[PORT, "2026-01-31"]["pm25_few_hours"]) == (None, 20)
    assert (days[PORT, "2026-01-31"]["pm25_above_who"], days[PORT, "2026-01-30"]["pm25_above_who"]) == (None, 1)
    missing = days[PORT, "2026-03-01"]
    assert (missing["pm25"], missing["pm25_few_hours"], missing["pm25_hours"], missing["expected"]) == (
        None,
        None,
        0,
        24,
    )
    assert days[OTHER, "2026-04-01"]["co"] is None


def test_a_day_under_way_is_not_expected_to_be_complete(rows: "Mapping[str, list[dict[str, Any]]]") -> None:
    """Its hours are counted neither among those that came nor among those expected."""
    newest = [row for row in rows["days"] if row["date"] == "2026-04-02"]
    assert [(row["expected"], row["pm25_hours_counted"]) for row in newest] == [(0, None), (0, None)]


def test_a_month_compares_with_the_month_before_alone(rows: "Mapping[str, list[dict[str, Any]]]") -> None:
    """A month after one without a valid day has no change, not that against the last that has one."""
    told = {(row["station_id"], row["month_name"]): row for row in rows["months"]}
    months = [
        (told[PORT, month]["pm25"], told[PORT, month]["pm25_days"], told[PORT, month]["pm25_change"])
        for month in _MONTHS
    ]
    assert months == [(20, 1, None), (20, 1, 0), (None, 0, None), (None, 0, None)]
    assert (told[OTHER, "2026-04"]["pm25"], told[OTHER, "2026-04"]["pm25_change"]) == (30, None)


_MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04")


def test_stations_of_one_name_are_told_apart(rows: "Mapping[str, list[dict[str, Any]]]") -> None:
    """Two of the same name are called by their ids too; else their values would be mixed."""
    assert {row["station"] for row in rows["days"]} == {f"Port ({PORT})", f"Port ({OTHER})"}


def test_both_sources_call_stations_the_same() -> None:
    """By their name, with the id where another has it, the id where there is none."""
    source = parquet("/data", NAMED, forecasts=True)
    assert set(source.labels) == {"Port (7)", "Port (8)", "9", NAMED[10]}


# -- where it is written -----------------------------------------------------------------------------------


@pytest.fixture
def loaded(airq: "Airq", tmp_path: Path) -> "Airq":
    """A command line beside a data directory with a day in it."""
    (tmp_path / "283160007_a.json").write_text(payload("Port", {"2026-04-01": range(24)}, PM25=30.0), encoding="utf-8")
    airq.environment |= {"AIRQ_DATA_DIR": "data", "AIRQ_STATIONS": "283160007"}
    for words in (["extract", "--from", "283160007_a.json"], ["transform"], ["load"]):
        airq(*words, "--now", NOW, "-q")
    return airq


def written(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_a_bundle_is_replaced_whole(loaded: "Airq", tmp_path: Path) -> None:
    """A second export gives the same bytes, takes away what an older version wrote, and leaves nothing beside it."""
    said = loaded("export", "superset", "-o", "bundle")
    assert (said.out, said.err) == ("", "")
    first, beside = written(tmp_path / "bundle"), sorted(tmp_path.iterdir())
    (tmp_path / "bundle" / "charts" / "of-an-older-version.yaml").write_text("version: 1.0.0\n", encoding="utf-8")
    loaded("export", "superset", "-o", "bundle")
    assert written(tmp_path / "bundle") == first
    assert sorted(tmp_path.iterdir()) == beside
    uri = yaml.safe_load(first["databases/store.yaml"])["sqlalchemy_uri"]
    assert uri == f"sqlite:///file:{(tmp_path / 'data' / 'airq.db').resolve()}?mode=ro&uri=true"


def test_tables_without_forecasts_are_said_to_be_so(loaded: "Airq", tmp_path: Path) -> None:
    """DuckDB would fail on a table without a file, so its query gives no row; and one line says what to do."""
    said = loaded("export", "superset", "--source", "parquet", "-o", "bundle").err
    assert "no forecasts" in said
    assert len(said.splitlines()) == 1
    sql = yaml.safe_load(written(tmp_path / "bundle")["datasets/tables/forecast-errors.yaml"])["sql"]
    assert "where false" in sql
    assert "read_parquet" not in sql


@pytest.mark.parametrize(
    ("words", "env", "named"),
    [
        ([], {}, "-o DIR"),
        (["-o", "-"], {}, "-o DIR"),
        (["-o", "283160007_a.json"], {}, "a.json is a file"),
        (["-o", "data"], {}, "data holds something else"),
        (["-o", "."], {}, "working directory"),
        (["-o", "nowhere/bundle"], {}, "nowhere; make it first"),
        (["-o", "b", "--station", "7"], {}, "no table"),
        (["-o", "b", "--start-date", "2026-01-01"], {}, "no table"),
        (["-o", "b", "--format", "csv"], {}, "no table"),
        (["-o", "b"], {"AIRQ_DATA_DIR": "empty"}, "`airq-etl run`"),
        (["-o", "b", "--source", "parquet"], {"AIRQ_DATA_DIR": "empty"}, "`airq-etl run`"),
        (["-o", "b"], {"AIRQ_MONGODB_URI": "mongodb://127.0.0.1:9/"}, "--source parquet"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    loaded: "Airq", tmp_path: Path, words: list[str], env: dict[str, str], named: str
) -> None:
    """One line names the thing and the next step, and nothing is altered."""
    before = written(tmp_path)
    said = loaded("export", "superset", *words, env=env, expect=2).err
    assert named in said
    assert len(said.splitlines()) == 1
    assert written(tmp_path) == before


def test_a_store_that_is_missing_is_named(loaded: "Airq", tmp_path: Path) -> None:
    """SQLite's file may lack where the tables are there."""
    (tmp_path / "data" / "airq.db").unlink()
    assert "airq-etl load" in loaded("export", "superset", "-o", "b", expect=2).err
    loaded("export", "superset", "-o", "b", "--source", "parquet")


def test_a_source_is_for_superset_alone(airq: "Airq") -> None:
    """No other export reads it."""
    assert "--source" in airq("export", "daily", "--source", "parquet", expect=2).err


def test_the_readme_counts_the_charts() -> None:
    """As many as there are."""
    assert f" {len(CHARTS)} charts" in README.replace("\n", " ")


def test_the_readme_installs_what_the_tests_install() -> None:
    """The command in README is that of the script by which the tests install Superset."""
    (asked,) = re.findall(r'pip" install -qq (.*)$', INSTALL.read_text(encoding="utf-8"), re.MULTILINE)
    assert f"pip install -qq {asked}\n" in README
