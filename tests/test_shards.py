"""Shares of the stations: each in exactly one, and the pods of the manifest together do what one run does."""

import gzip
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pymongo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airq_etl.lake import HOURLY, Lake
from airq_etl.shards import MOST, Shard, shard_of
from airq_etl.simulator import Simulator
from tests.pods import LONGEST_S, Manifest, ended, read_manifest, start

if TYPE_CHECKING:
    from tests.conftest import Airq, MongoServer

COUNTS = (1, 2, 3, 4, 8, 100, 1024)
# By the program in the paper (arXiv:1406.2294), of the first 64 bits that `b2sum -l 64` gives of the id.
KNOWN = {
    283164601: (0, 1, 2, 2, 4, 32, 814),
    283181971: (0, 0, 0, 0, 6, 96, 739),
    283181972: (0, 0, 2, 2, 2, 82, 625),
    1: (0, 0, 0, 3, 3, 41, 507),
    999999999999999999: (0, 0, 0, 0, 0, 16, 891),
}
SHARDS = 4
STATIONS = tuple(283164601 + 137 * number for number in range(24))
NOW = datetime(2026, 9, 1, 10, 20, tzinfo=UTC)
HISTORY = timedelta(days=2)  # over the end of a month
TABLES = ("stations", "hourly", "daily", "revisions", "forecasts")
KILLED = 1
POLL_S = 0.01

ids = st.integers(min_value=0, max_value=10**18 - 1)
Documents = dict[str, list[dict[str, Any]]]


@pytest.mark.parametrize("station_id", KNOWN)
def test_a_station_stays_where_it_is(station_id: int) -> None:
    """On every machine and in every version: a station that moved would leave its captures behind."""
    assert tuple(shard_of(station_id, count) for count in COUNTS) == KNOWN[station_id]


@given(ids, st.integers(min_value=1, max_value=MOST))
def test_a_station_is_of_exactly_one_shard(station_id: int, of: int) -> None:
    """Whatever its id, and however many there are."""
    assert [n for n in range(of) if Shard(n, of).has(station_id)] == [shard_of(station_id, of)]


@given(ids, st.integers(min_value=1, max_value=MOST - 1))
def test_one_more_shard_takes_stations_and_moves_no_other(station_id: int, of: int) -> None:
    """A station stays, or goes to the new one."""
    assert shard_of(station_id, of + 1) in {shard_of(station_id, of), of}


@pytest.mark.parametrize("step", [1, 2, 64, 137])
def test_the_shares_are_alike(step: int) -> None:
    """Ids are no random numbers: the shares of 4,000 are within a fifth of each other all the same."""
    shares = [shard_of(283164601 + step * number, 8) for number in range(4000)]
    assert all(400 < shares.count(one) < 600 for one in range(8))


@pytest.mark.parametrize("text", ["4/4", "-1/4", "1", "1/0", "0/1025", "a/b", "1/4/2", "1.0/4", "٣/٤", "1 / 4"])
def test_what_is_no_share_is_refused(airq: "Airq", text: str) -> None:
    """One line that names the option, or the setting, and how it is written."""
    for words, env, where in (
        (("status", "--shard", text), {}, "--shard"),
        (("status",), {"AIRQ_SHARD": text}, "AIRQ_SHARD"),
    ):
        said = airq(*words, env=env, expect=2)
        assert said.out == ""
        assert f"{text!r} is no share like 0/4" in said.err
        assert said.err.startswith(f"airq-etl: {where}: ")
        assert said.err.count("\n") == 1


def test_the_option_goes_before_the_setting(airq: "Airq") -> None:
    """As every option does; an empty setting is none."""
    for options, setting, of in ((("--shard", "2/3"), "0/2", (2, 3)), ((), "0/2", (0, 2)), ((), "", (0, 1))):
        env = {"AIRQ_SHARD": setting, "AIRQ_API_URL": "http://127.0.0.1:1"}
        said = airq("doctor", "--no-cron", *options, env=env, expect=None).out
        count = sum(map(Shard(*of).has, (283164601, 283181971)))
        assert said.partition("station")[0].split() == ["ok", "settings", str(count)]


def test_a_share_without_stations_is_done_at_once(airq: "Airq") -> None:
    """There may be more shares than stations; a pod of such a one has nothing to do, and ends well."""
    done = airq("run", "-q", "--shard", "99/100", env={"AIRQ_API_URL": "http://127.0.0.1:1"})
    assert (done.out, done.err) == ("", "")


def test_a_station_of_another_share_is_refused(airq: "Airq") -> None:
    """Else two directories would keep it."""
    said = airq("run", "--station", "283164601", "--shard", "0/4", expect=2)
    assert said.err == "airq-etl: --station: none of these is of shard 0/4 (--shard, AIRQ_SHARD)\n"


class Network(NamedTuple):
    """A source of 24 stations, a server for databases, and the manifest for four shares of them."""

    server: "MongoServer"
    env: dict[str, str]
    manifest: Manifest
    directory: Path

    def database(self, name: str) -> dict[str, str]:
        """The settings that name a database."""
        return self.env | {"AIRQ_MONGODB_URI": self.server.uri_of(name)}

    def pods(self, claim: Path, name: str) -> list[tuple[int, str]]:
        """All pods at the same time; exit code and standard output of each."""
        claim.mkdir(exist_ok=True)
        pods = [start(self.manifest, index, claim, self.database(name)) for index in range(SHARDS)]
        return [(code, out) for code, out, _ in ended(pods)]

    def drop(self, name: str) -> None:
        """Remove a database."""
        with closing(pymongo.MongoClient[dict[str, Any]](self.server.uri)) as client:
            client.drop_database(name)

    def documents(self, name: str) -> Documents:
        """What a database holds but for the record of runs and the marks."""
        with closing(pymongo.MongoClient[dict[str, Any]](self.server.uri, tz_aware=True)) as client:
            return {table: list(client[name][table].find().sort("_id", 1)) for table in TABLES}


@pytest.fixture(scope="module")
def network(
    tmp_path_factory: pytest.TempPathFactory, mongo_server: "MongoServer", airq_in: "Callable[[Path], Airq]"
) -> Iterator[Network]:
    """The network, whose stations were put up two days ago."""
    directory = tmp_path_factory.mktemp("network")
    with Simulator(STATIONS, now=lambda: NOW) as simulator:
        year = simulator.source
        simulator.source = lambda station, first, last, now: year(station, max(first, now - HISTORY), last, now)
        stations = ",".join(map(str, STATIONS))
        env = {"AIRQ_API_URL": simulator.url, "AIRQ_STATIONS": stations, "AIRQ_NOW": NOW.isoformat()}
        uri = {"AIRQ_MONGODB_URI": mongo_server.uri_of("elsewhere")}
        airq_in(directory)("schedule", "kubernetes", "--shards", str(SHARDS), "-o", directory / "kube", env=env | uri)
        yield Network(mongo_server, env, read_manifest(directory / "kube"), directory)


class Whole(NamedTuple):
    """What one run makes of all stations: its documents, its data directory, and the settings of both."""

    documents: Documents
    data_dir: Path
    env: dict[str, str]


@pytest.fixture(scope="module")
def whole(network: Network, airq_in: "Callable[[Path], Airq]") -> Iterator[Whole]:
    """An undivided run on a database of its own."""
    name, data_dir = f"airq_test_{secrets.token_hex(6)}", network.directory / "one"
    airq_in(network.directory)("run", "-q", "--data-dir", data_dir, env=network.database(name))
    yield Whole(network.documents(name), data_dir, network.database(name))
    network.drop(name)


class Sharded(NamedTuple):
    """What four pods made, at first and once more."""

    ends: list[list[tuple[int, str]]]
    first: Documents
    second: Documents
    claim: Path
    env: dict[str, str]

    def share(self, index: int) -> list[str]:
        """The options that name a share and its directory."""
        return ["--shard", f"{index}/{SHARDS}", "--data-dir", str(self.claim / f"shard-{index}")]


@pytest.fixture(scope="module")
def sharded(network: Network) -> Iterator[Sharded]:
    """Two rounds of all pods on one database."""
    name, claim = f"airq_test_{secrets.token_hex(6)}", network.directory / "claim"
    ends, found = [], []
    for _ in range(2):
        ends.append(network.pods(claim, name))
        found.append(network.documents(name))
    yield Sharded(ends, found[0], found[1], claim, network.database(name))
    network.drop(name)


def test_the_pods_start_on_an_empty_database_together(sharded: Sharded) -> None:
    """None fails for the others, in making indexes nor marks, and with -q none prints a result."""
    assert sharded.ends[0] == [(0, "")] * SHARDS


def test_together_they_store_what_one_run_stores(sharded: Sharded, whole: Whole) -> None:
    """Document for document; and of forecasts as many, though in a share a station sees fewer others."""
    assert {station["station_id"] for station in whole.documents["stations"]} == set(STATIONS)
    assert len(whole.documents["hourly"]) > 20 * 2 * 20
    assert len(whole.documents["daily"]) > 20 * 2
    for table in TABLES[:-1]:
        assert sharded.first[table] == whole.documents[table], table
    ids_of = [[one["_id"] for one in documents["forecasts"]] for documents in (sharded.first, whole.documents)]
    assert ids_of[0] == ids_of[1] != []


def test_nothing_is_there_twice(sharded: Sharded) -> None:
    """One document a station and hour, and a station and day."""
    for table, time_ in (("hourly", "hour"), ("daily", "day")):
        keys = [(document["station_id"], document[time_]) for document in sharded.second[table]]
        assert len(keys) == len(set(keys)) > 0


def test_a_second_round_changes_nothing(sharded: Sharded) -> None:
    """Twice is once, also where others load the same database."""
    assert sharded.ends[1] == [(0, "")] * SHARDS
    assert sharded.second == sharded.first


def test_no_station_is_in_two_shares(sharded: Sharded) -> None:
    """Neither in captures nor in tables; and each is in the one that it belongs to."""
    for index in range(SHARDS):
        data, own = sharded.claim / f"shard-{index}", {s for s in STATIONS if shard_of(s, SHARDS) == index}
        lines = [line for path in data.rglob("*.jsonl.gz") for line in gzip.decompress(path.read_bytes()).splitlines()]
        assert {json.loads(line)["station_id"] for line in lines} == own
        assert set(Lake(data).read(HOURLY)["station_id"]) == own != set()


def test_the_checks_find_in_the_shares_what_they_find_in_the_whole(
    sharded: Sharded, whole: Whole, airq: "Airq"
) -> None:
    """What other shares have in the same database is no finding, and nothing of one's own is overlooked."""

    def found(*words: str | Path, env: Mapping[str, str]) -> list[str]:
        findings = airq("sanity-check", "--json", *words, env=env, expect=None).json["findings"]
        return [json.dumps(finding, sort_keys=True) for finding in findings]

    # Of a station that nobody lists: what is nobody's is told by who looks at the whole.
    stray = {**sharded.first["hourly"][0], "_id": "1:2026-09-01T00", "station_id": 1}
    with stored(sharded.env["AIRQ_MONGODB_URI"], "hourly", stray):
        of_shares = [found(*sharded.share(index), env=sharded.env) for index in range(SHARDS)]
    of_whole = found("--data-dir", whole.data_dir, env=whole.env)
    assert sorted(of_whole) == sorted(chain.from_iterable(of_shares))
    assert min(map(len, of_shares)) > 0


@contextmanager
def stored(uri: str, table: str, document: dict[str, Any]) -> Iterator[None]:
    """A document that somebody else put there, for a while."""
    with closing(pymongo.MongoClient[dict[str, Any]](uri)) as client:
        target = client.get_default_database()[table]
        target.insert_one(document)
        yield
        target.delete_one({"_id": document["_id"]})


def test_all_else_works_in_a_share(sharded: Sharded, network: Network, airq_in: "Callable[[Path], Airq]") -> None:
    """Each command sees the stations of its share, and no other."""
    airq, index = airq_in(network.directory), 2
    own = {station for station in STATIONS if shard_of(station, SHARDS) == index}
    share = sharded.share(index)

    def run(*words: str) -> Any:  # noqa: ANN401 -- whatever the command printed
        return airq(*words, "--json", *share, env=sharded.env).json

    assert {one["station_id"] for one in run("status", "--check")["stations"]} == own
    assert {one["station_id"] for one in run("forecast")["outlooks"]} == own
    assert run("backfill")["before"]["requests"] == 0
    assert run("load", "--full")["documents"]["hourly"] == 0
    page = network.directory / "share.html"
    airq("report", "-o", page, *share, env=sharded.env)
    assert f"{len(own)} stations" in airq("doctor", "--no-cron", *share, env=sharded.env).out
    assert page.stat().st_size > 100_000


def test_a_pod_that_is_killed_is_made_up_for(network: Network, whole: Whole) -> None:
    """Killed when it had its answers and not yet stored them; started again, all is as one run has it."""
    name, claim = f"airq_test_{secrets.token_hex(6)}", network.directory / "killed"
    claim.mkdir()
    pods = [start(network.manifest, index, claim, network.database(name)) for index in range(SHARDS)]
    _await_a_capture(claim / f"shard-{KILLED}")
    pods[KILLED].kill()
    codes = [code for code, _, _ in ended(pods)]
    assert [code == 0 for code in codes] == [index != KILLED for index in range(SHARDS)]
    before = network.documents(name)
    assert network.pods(claim, name) == [(0, "")] * SHARDS
    after = network.documents(name)
    assert len(before["daily"]) < len(after["daily"])
    assert {**after, "forecasts": []} == {**whole.documents, "forecasts": []}
    network.drop(name)


def _await_a_capture(data: Path) -> None:
    until = time.monotonic() + LONGEST_S
    while not list(data.rglob("*.jsonl.gz")):
        assert time.monotonic() < until, "no answer was kept"
        time.sleep(POLL_S)
