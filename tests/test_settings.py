"""Settings, and the example that documents them."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airq_etl import settings
from airq_etl.errors import UsageError
from airq_etl.settings import Settings
from airq_etl.stations import Station

EXAMPLE = Path(__file__).parents[1] / "config.example.env"
LINE = re.compile(r"^(#?)(AIRQ_[A-Z_]+)=(.*)$", re.MULTILINE)


def load(environment: dict[str, str] | None = None, **flags: Any) -> Settings:  # noqa: ANN401 -- any setting
    return settings.load({"data_dir": Path("data"), **flags}, environment or {})


def test_defaults() -> None:
    """Without any setting, the two stations of Abidjan are asked for, UTC days need 18 hours, no MongoDB."""
    given = load()
    assert given.stations == (283164601, 283181971)
    assert (given.timezone, given.min_hours, given.overlap_hours, given.mongodb_uri) == ("UTC", 18, 48, None)


def test_the_example_has_exactly_the_settings() -> None:
    """config.example.env names each setting once, in use with its default, commented out where it has none."""
    lines = LINE.findall(EXAMPLE.read_text(encoding="utf-8"))
    assert sorted(name for _, name, _ in lines) == sorted(settings.NAMES)
    shown = {name: value for mark, name, value in lines if not mark}
    given = load(shown)
    assert given == load()
    without = {f.name for f in msgspec.structs.fields(Settings) if f.default in (None, ()) or f.name == "data_dir"}
    assert {name.removeprefix("AIRQ_").lower() for name in settings.NAMES} - without == {
        name.removeprefix("AIRQ_").lower() for name in shown
    }


def test_flags_go_before_environment_before_file(tmp_path: Path) -> None:
    """A flag wins over the environment, the environment over the env file, the file over the default."""
    file = tmp_path / "some.env"
    file.write_text("AIRQ_MIN_HOURS=20\nAIRQ_RETRIES=7\nAIRQ_CONCURRENCY=3\nOTHER=x\n")
    given = settings.load({"data_dir": "d", "min_hours": 22}, {"AIRQ_MIN_HOURS": "21", "AIRQ_RETRIES": "6"}, file)
    assert (given.min_hours, given.retries, given.concurrency) == (22, 6, 3)


def test_an_env_file_in_the_working_directory_is_read() -> None:
    """./.env is read where it is, and nothing is missing where it is not."""
    assert load().retries == 4
    Path(".env").write_text("AIRQ_RETRIES=1\nAIRQ_CLIENT_SECRET=\n")
    assert load().retries == 1
    assert load().client_secret is None


def test_an_env_file_from_elsewhere_is_read() -> None:
    """A byte order mark, line ends of Windows, quotes and `export` cost no setting."""
    Path(".env").write_bytes(b"\xef\xbb\xbfAIRQ_RETRIES=1\r\nexport AIRQ_MIN_HOURS='20'\r\n")
    assert (load().retries, load().min_hours) == (1, 20)


def test_a_dollar_sign_in_a_password_stays() -> None:
    """The env file is not interpolated."""
    Path(".env").write_text("AIRQ_PASSWORD='a$b${HOME}'\n")
    assert load().password == "a$b${HOME}"  # noqa: S105 -- a made-up one


def test_the_data_directory_follows_xdg(tmp_path: Path) -> None:
    """By default the data lie where the XDG rules say."""
    assert settings.default_data_dir({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "airq-etl"
    assert settings.default_data_dir({}) == Path.home() / ".local/share/airq-etl"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AIRQ_STATION", "1", "the nearest one is AIRQ_STATIONS"),
        ("AIRQ_MONGO_URI", "x", "the nearest one is AIRQ_MONGODB_URI"),
        ("AIRQ_MIN_HOURS", "25", "AIRQ_MIN_HOURS: '25'"),
        ("AIRQ_MIN_HOURS", "many", "AIRQ_MIN_HOURS: 'many'"),
        ("AIRQ_TIMEOUT_S", "0", "AIRQ_TIMEOUT_S"),
        ("AIRQ_TIMEOUT_S", "nan", "AIRQ_TIMEOUT_S"),
        ("AIRQ_STATIONS", "../x", "AIRQ_STATIONS: '../x'"),
        ("AIRQ_STATIONS", "1 OR 1", "AIRQ_STATIONS: '1 OR 1'"),
        ("AIRQ_STATIONS", "283164601,", "AIRQ_STATIONS: ''"),
        ("AIRQ_STATIONS", "-1", "AIRQ_STATIONS: '-1'"),
        ("AIRQ_STATIONS", "²", "AIRQ_STATIONS"),
        ("AIRQ_API_URL", "airqino", "AIRQ_API_URL: 'airqino'"),
        ("AIRQ_API_URL", "ftp://host", "AIRQ_API_URL"),
        ("AIRQ_API_URL", "http://host:port", "AIRQ_API_URL"),
        ("AIRQ_TOKEN_URL", "https://", "AIRQ_TOKEN_URL"),
        ("AIRQ_TIMEZONE", "Abidjan", "AIRQ_TIMEZONE: 'Abidjan'"),
        ("AIRQ_NOW", "soon", "AIRQ_NOW: 'soon'"),
        ("AIRQ_NOW", "0001-01-01", "AIRQ_NOW: '0001-01-01'"),
        ("AIRQ_NOW", "9999-12-31T23:00-05:00", "AIRQ_NOW"),
        ("AIRQ_DATA_DIR", "~nosuchuser/x", "AIRQ_DATA_DIR: ~nosuchuser/x"),
        ("AIRQ_TIMEZONE", "right/UTC", "AIRQ_TIMEZONE"),
        ("AIRQ_TIMEZONE", "localtime", "AIRQ_TIMEZONE"),
        ("AIRQ_API_URL", "https://user:s3cret@host/", "AIRQ_API_URL"),
        ("AIRQ_STATIONS_FILE", "none.toml", "AIRQ_STATIONS_FILE: none.toml"),
        ("AIRQ_CLIENT_SECRET", "s3cret", "AIRQ_REFRESH_TOKEN"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, said: str) -> None:
    """A setting that will not do is an error of one line that names it."""
    with pytest.raises(UsageError) as caught:
        settings.load({}, {"AIRQ_DATA_DIR": "d", name: value})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_an_env_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """An env file that cannot be read, is not text, or holds an unknown name is named."""
    binary = tmp_path / "binary.env"
    binary.write_bytes(b"\xff\xfe")
    unknown = tmp_path / "unknown.env"
    unknown.write_text("AIRQ_TIMEOUT=3")
    broken = tmp_path / "broken.env"
    broken.write_text('AIRQ_RETRIES=1\nAIRQ_CLIENT_SECRET="unclosed\n')
    with pytest.raises(UsageError, match="line 2"):
        settings.load({"data_dir": "d"}, {}, broken)
    for path, said in ((tmp_path / "none.env", "No such file"), (binary, "utf-8"), (unknown, "AIRQ_TIMEOUT_S")):
        with pytest.raises(UsageError, match=str(path)) as caught:
            settings.load({"data_dir": "d"}, {}, path)
        assert said in str(caught.value)


def test_now_is_utc() -> None:
    """A pretended time without an offset is UTC; one with an offset is converted."""
    assert load({"AIRQ_NOW": "2024-09-09T10:20"}).clock() == datetime(2024, 9, 9, 10, 20, tzinfo=UTC)
    assert load({"AIRQ_NOW": "2024-09-09T10:20+02:00"}).clock() == datetime(2024, 9, 9, 8, 20, tzinfo=UTC)


STATIONS = """
[283164601]
name = "Plateau"
longitude = -4.02
timezone = "Africa/Abidjan"

[7]
latitude = 43.7
"""


def test_the_stations_file_overrides_the_api() -> None:
    """What the stations file says of a station goes before what the API says; it lists stations, too."""
    Path("stations.toml").write_text(STATIONS)
    given = load({"AIRQ_STATIONS_FILE": "stations.toml", "AIRQ_TIMEZONE": "Europe/Rome"})
    assert given.stations == (283164601, 7)
    said = Station(name="SMART188", latitude=5.37, longitude=0.05)
    assert given.station(283164601, said) == Station(
        name="Plateau", latitude=5.37, longitude=-4.02, timezone="Africa/Abidjan"
    )
    assert given.station(7, said).timezone == "Europe/Rome"
    assert load({"AIRQ_STATIONS_FILE": "stations.toml", "AIRQ_STATIONS": "7"}).stations == (7,)


@pytest.mark.parametrize(
    ("written", "since"),
    [
        ("2023-02-01", datetime(2023, 1, 31, 23, tzinfo=UTC)),
        ("'2023-02-01'", datetime(2023, 1, 31, 23, tzinfo=UTC)),
        ("'20230201'", datetime(2023, 1, 31, 23, tzinfo=UTC)),
        ("2023-02-01T10:00:00", datetime(2023, 2, 1, 10, tzinfo=UTC)),
        ("2023-02-01T10:00:00+05:00", datetime(2023, 2, 1, 5, tzinfo=UTC)),
    ],
)
def test_a_station_serves_from_a_day_or_a_time_on(written: str, since: datetime) -> None:
    """A day begins at midnight in the station's zone, a time without an offset is UTC; without either, always."""
    Path("stations.toml").write_text(f"[7]\nin_service_from = {written}\n[8]\n")
    given = load({"AIRQ_STATIONS_FILE": "stations.toml", "AIRQ_TIMEZONE": "Europe/Rome"})
    assert (given.in_service(7), given.in_service(8)) == (since, None)
    rules = given.rules([7, 8])
    assert (dict(rules.in_service), rules.min_hours) == ({7: since}, 18)
    assert given.station(7, Station()).in_service_from == since


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[x]\n", "table [x]"),
        ("[7]\nnmae = 'a'\n", "nmae"),
        ("[7]\nlatitude = 'north'\n", "latitude"),
        ("[7]\nlatitude = nan\n", "latitude"),
        ("", "lists no station"),
        ("[7]\ntimezone = 'Abidjan'\n", "'Abidjan'"),
        ("7 = 5\n", "table [7]"),
        ("[7]\nin_service_from = 'soon'\n", "in_service_from: 'soon'"),
        ("[7]\nin_service_from = 10:00:00\n", "in_service_from"),
        ("[7]\nin_service_from = 2023\n", "in_service_from"),
        ("[7]\nin_service_from = 0001-01-01\ntimezone = 'Asia/Tokyo'\n", "in_service_from: '0001-01-01'"),
        ("[7\n", "stations.toml cannot be read"),
    ],
)
def test_a_wrong_stations_file_is_named(text: str, said: str) -> None:
    """An error in the stations file names the file and the table."""
    Path("stations.toml").write_text(text)
    with pytest.raises(UsageError, match=r"AIRQ_STATIONS_FILE: stations\.toml") as caught:
        load({"AIRQ_STATIONS_FILE": "stations.toml"})
    assert said in str(caught.value)


def test_secrets_are_known() -> None:
    """All secret values are known to who hides them, the password of the URI also decoded."""
    given = load(
        {
            "AIRQ_CLIENT_SECRET": "one",
            "AIRQ_REFRESH_TOKEN": "two",
            "AIRQ_PASSWORD": "three",
            "AIRQ_MONGODB_URI": "mongodb://user:fo%2Fur@host:1,host:2/db",
        }
    )
    assert set(given.secrets()) >= {"one", "two", "three", "fo%2Fur", "fo/ur", given.mongodb_uri}


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("mailtos://user:fi%40ve@example.org?to=ops@example.org", {"fi%40ve", "fi@ve"}),
        ("json://user:pa[ss@host/path", {"pa[ss"}),
        ("slack://token-a/token-b/token-c", set()),
    ],
)
def test_passwords_of_alert_urls_are_known(url: str, hidden: set[str]) -> None:
    """Whatever is in it, an alert URL is a secret as a whole, and so is the password in it, also decoded."""
    assert set(load({"AIRQ_ALERT_URLS": url}).secrets()) == {url, *hidden}
