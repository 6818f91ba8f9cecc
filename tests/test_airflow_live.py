"""A real Airflow reads the DAG, and runs it over two shards against the simulator and MongoDB."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pymongo
import pytest

from airq_etl.lake import DAILY, HOURLY, Lake
from airq_etl.ledger import Ledger
from airq_etl.ledger_runs import runs
from airq_etl.simulator import Simulator
from tests.airflow_home import COMMAND_S, Airflow, Run
from tests.conftest import CACHE
from tests.installed import installed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Airq, Missing, MongoServer

pytestmark = pytest.mark.airflow

STEPS = ("extract", "transform", "load", "forecast", "sanity_check")
SOUND = (283181972, 283164601)  # of shard 0 and of shard 1 of two; their made-up sensors are alive
DEAD, UNKNOWN = 283181971, (283164602, 283164606)  # of shard 0, of shard 0 and of shard 1
NOW = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)  # no sound station is out of order then
GREEN = dict.fromkeys(STEPS, "success")
ONLY_EXTRACT_FAILED = dict.fromkeys(STEPS, "upstream_failed") | {"extract": "failed"}
WEEKS = timedelta(weeks=8)
ANSWER_S = 30
SOON = "4 - DEADLINE_S"  # so that a step has four seconds
# It goes where the test has gone.
DEAF = """import signal, socket
signal.signal(signal.SIGTERM, signal.SIG_IGN)
socket.create_connection({address}).recv(1)"""
DATA, ENV_FILE = "da ta's {{ 1 }} 50%", 'e"nv {{ x }} 5%.env'


class Installation:
    """airq-etl with an env file and a data directory of its own, and its DAG in Airflow's folder."""

    def __init__(self, airflow: Airflow, airq: "Airq") -> None:
        self.airflow, self.airq, self.data = airflow, airq, airq.directory / DATA
        self._env_file = airq.directory / ENV_FILE

    def set(self, url: str, stations: tuple[int, ...], **more: str) -> None:
        """Write the env file."""
        given = {"API_URL": url, "STATIONS": ",".join(map(str, stations)), "NOW": NOW.isoformat(), "RETRIES": "0"}
        self._env_file.write_text("".join(f"AIRQ_{name}={value}\n" for name, value in (given | more).items()))
        self._env_file.chmod(0o600)

    def schedule(self, *words: str, **constants: str) -> None:
        """Write the DAG, then some of the constants at its top."""
        where = ("--env-file", self._env_file, "--data-dir", self.data, "-o", self.airflow.dags)
        file = Path(self.airq("schedule", "airflow", *words, *where).out.partition(": ")[0])
        lines = file.read_text(encoding="utf-8").splitlines()
        for name, value in constants.items():
            (number,) = [number for number, line in enumerate(lines) if line.startswith(f"{name} = ")]
            lines[number] = f"{name} = {value}"
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")

    def run(self, **params: str) -> Run:
        """A run of the DAG."""
        return self.airflow.test("airq_etl", **params)


@pytest.fixture(scope="module")
def airflow(missing: "Missing", tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """An Airflow with a database of its own."""
    environment = installed("airflow", CACHE) or missing("Airflow could not be installed, see tests/airflow/install.sh")
    return Airflow(environment, tmp_path_factory.mktemp("airflow"))


@pytest.fixture
def installation(airflow: Airflow, airq: "Airq") -> Installation:
    """An installation with nothing in it."""
    return Installation(airflow, airq)


def save_answers(directory: Path) -> None:
    """What the simulator says of the sound stations' last weeks, which are enough here, and quicker than a year."""
    with Simulator(SOUND, now=lambda: NOW) as simulator:
        for station in SOUND:
            address = f"{simulator.url}/v3/getStationHourlyAvg/{station}"
            answer = httpx.get(address, params={"start_date": f"{NOW - WEEKS:%Y%m%d-%H%M}"}).raise_for_status()
            (directory / f"{station}_{NOW:%Y-%m-%d}.json").write_bytes(answer.content)


class Stored:
    """An installation that has run over two shards into MongoDB."""

    def __init__(self, installation: Installation, simulator: Simulator, database: Any) -> None:  # noqa: ANN401
        self.installation, self.simulator, self._database = installation, simulator, database
        self.first = installation.run()

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """All that is stored of the stations."""
        names = ("stations", "hourly", "daily", "forecasts", "revisions")
        return {name: list(self._database[name].find().sort("_id")) for name in names}


@pytest.fixture(scope="module")
def stored(
    airflow: Airflow,
    airq_in: "Callable[[Path], Airq]",
    mongo_server: "MongoServer",
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stored]:
    """A first run, which others go on from."""
    ours = Installation(airflow, airq_in(tmp_path_factory.mktemp("airq")))
    uri, answers = mongo_server.uri_of("airq_test_airflow"), tmp_path_factory.mktemp("answers")
    save_answers(answers)
    with (
        Simulator((), now=lambda: NOW, captures=answers) as simulator,
        closing(pymongo.MongoClient[dict[str, Any]](uri)) as client,
    ):
        client.drop_database("airq_test_airflow")
        ours.set(simulator.url, SOUND, MONGODB_URI=uri)
        ours.schedule("--shards", "2")
        yield Stored(ours, simulator, client.get_default_database())
        client.drop_database("airq_test_airflow")


def test_airflow_reads_it_as_it_is_meant(installation: Installation) -> None:
    """No error, hourly in UTC, no catching up, one run at a time; each step after the one before, with its bounds."""
    installation.set("http://127.0.0.1:9", SOUND, RUN_DEADLINE_S="1800")
    installation.schedule("--shards", "2", "--minute", "23", "--name", "airq-two")
    found = installation.airflow.look()
    assert found["errors"] == {}
    told = found["dags"]["airq_two"]
    assert (told["schedule"], told["zone"], told["catchup"], told["max_active_runs"]) == ("23 * * * *", "UTC", False, 1)
    assert told["params"] == {"start_date": None, "end_date": None}
    assert list(told["tasks"]) == [f"shards.{step}" for step in STEPS]
    for step, before in zip(STEPS, (None, *STEPS), strict=False):
        task = told["tasks"][f"shards.{step}"]
        assert task["after"] == ([f"shards.{before}"] if before else [])
        assert (task["retries"], task["retry_delay_s"], task["timeout_s"], task["told"]) == (2, 300, 1860, 1)


def test_two_shards_fill_one_store(stored: Stored) -> None:
    """All ten tasks succeed; each station is of one shard, and each hour and day of both is stored once."""
    assert stored.first.state == "success"
    assert [stored.first.states(shard) for shard in (0, 1)] == [GREEN, GREEN]
    assert {task.label for task in stored.first.tasks.values()} == {"0 of 2", "1 of 2"}
    assert "is expected to be" not in stored.first.log  # of every station, each hour
    documents = stored.documents()
    for table, name, time, least in ((HOURLY, "hourly", "hour", 2000), (DAILY, "daily", "day", 100)):
        rows = [Lake(stored.installation.data / f"shard-{shard}").read(table) for shard in (0, 1)]
        assert [set(shard["station_id"]) for shard in rows] == [{station} for station in SOUND]
        kept = [(document["station_id"], document[time]) for document in documents[name]]
        assert len(kept) == len(set(kept)) == sum(shard.height for shard in rows) > least
    assert [document["_id"] for document in documents["stations"]] == sorted(map(str, SOUND))


def test_a_second_run_changes_nothing(stored: Stored) -> None:
    """Twice is once."""
    before = stored.documents()
    assert stored.installation.run().state == "success"
    assert stored.documents() == before


def test_a_manual_run_may_ask_for_days(stored: Stored) -> None:
    """The days of its params are asked for again, of each station, and what is stored stays the same."""
    before, asked = stored.documents(), len(stored.simulator.requests)
    run = stored.installation.run(start_date="2026-08-01", end_date="2026-08-03")
    assert [run.states(shard) for shard in (0, 1)] == [GREEN, GREEN]
    queries = [one.query for one in stored.simulator.requests[asked:]]
    assert queries == [{"start_date": "20260731-2300", "end_date": "20260804-0100"}] * 2  # an hour around them
    assert stored.documents() == before


def test_wrong_days_are_named_and_not_tried_again(stored: Stored) -> None:
    """A run for days that cannot be ends at once, with one line that says why, and asks for nothing."""
    asked = len(stored.simulator.requests)
    run = stored.installation.run(start_date="2026-08-03", end_date="2026-08-01")
    assert [run.states(shard) for shard in (0, 1)] == [ONLY_EXTRACT_FAILED] * 2
    assert {run.tasks["extract", shard].tries for shard in (0, 1)} == {1}
    why = "(airq-etl: --end-date 2026-08-01 is before --start-date 2026-08-03)"
    wrong = (
        f"`airq-etl extract` ended with 2: settings, an option or a file of yours is wrong, and nothing was done {why}"
    )
    assert run.told() == [("extract", 0, wrong), ("extract", 1, wrong)]
    assert len(stored.simulator.requests) == asked


def test_a_source_that_is_gone_is_tried_again_then_told(installation: Installation) -> None:
    """Each shard asks three times, then fails; the callback says once which, how it ended, and what to do."""
    with Simulator(SOUND, now=lambda: NOW) as simulator:
        url = simulator.url
    installation.set(url, SOUND)
    installation.schedule("--shards", "2", RETRY_DELAY="timedelta(0)")
    run = installation.run()
    assert run.state == "failed"
    for shard in (0, 1):
        assert run.states(shard) == ONLY_EXTRACT_FAILED
        assert run.tasks["extract", shard].tries == 3
    assert sorted((step, shard) for step, shard, _ in run.told()) == [("extract", 0), ("extract", 1)]
    for _, shard, ending in run.told():
        assert ending.startswith("`airq-etl extract` ended with 5: the source failed; the next run asks for")
        assert f"(airq-etl: error: station {SOUND[shard]}: 127.0.0.1 cannot be reached" in ending


def test_each_shard_goes_on_by_itself(installation: Installation) -> None:
    """Where some stations fail, the rest goes on and it is told; a finding fails the last task alone, at once."""
    with Simulator((DEAD,), now=lambda: NOW) as simulator:
        installation.set(simulator.url, (DEAD, *UNKNOWN))
        installation.schedule("--shards", "2", RETRIES="0")
        run = installation.run()
    assert run.states(0) == GREEN | {"sanity_check": "failed"}
    assert run.tasks["extract", 0].label == "0 of 2, partial"
    told = {(step, shard): ending for step, shard, ending in run.told()}
    assert set(told) == {("extract", 0), ("extract", 1), ("sanity_check", 0)}
    assert "ended with 3: some stations failed, the others are stored" in told["extract", 0]
    assert f"station {UNKNOWN[0]}" in told["extract", 0]
    assert "ended with 4: what is stored makes no sense" in told["sanity_check", 0]
    assert run.tasks["sanity_check", 0].tries == 1
    assert run.states(1) == ONLY_EXTRACT_FAILED
    assert Lake(installation.data / "shard-0").read(HOURLY).height > 5000


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A source that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as source:
        source.settimeout(COMMAND_S)
        yield source


def ended(installation: Installation, silent: socket.socket, out: Path, *, by_signal: bool) -> Run:
    """A run that ends while its step asks the silent source; the step has gone too when this returns."""
    process = installation.airflow.start("airq_etl", out)
    try:
        asking, _ = silent.accept()
        with asking:
            if by_signal:
                process.send_signal(signal.SIGTERM)
            log, _ = process.communicate(timeout=ANSWER_S)
            asking.settimeout(ANSWER_S)
            while asking.recv(4096):
                pass
    finally:
        process.kill()
    return installation.airflow.ended(out, log)


@pytest.mark.parametrize("by", ["signal", "timeout"])
def test_a_task_that_is_ended_ends_its_step(
    installation: Installation, silent: socket.socket, tmp_path: Path, by: str
) -> None:
    """The step is told to stop, lets go, and says so in its ledger."""
    installation.set(f"http://127.0.0.1:{silent.getsockname()[1]}", SOUND[:1])
    installation.schedule(RETRIES="0", GRACE_S="60" if by == "signal" else SOON)
    run = ended(installation, silent, tmp_path / "out.json", by_signal=by == "signal")
    assert run.states(0) == ONLY_EXTRACT_FAILED
    with Ledger(installation.data) as ledger:
        (record,) = runs(ledger)
    assert (record.command, record.state, record.exit_code) == ("extract", "CANCELLED", 128 + signal.SIGTERM)


def test_a_step_that_heeds_nothing_is_killed(installation: Installation, silent: socket.socket, tmp_path: Path) -> None:
    """No step goes on behind a task that has ended."""
    installation.set("http://127.0.0.1:9", SOUND)
    program = [sys.executable, "-c", DEAF.format(address=silent.getsockname())]
    installation.schedule(PROGRAM=repr(program), RETRIES="0", GRACE_S=SOON, STOP_S="1")
    run = ended(installation, silent, tmp_path / "out.json", by_signal=False)
    assert run.states(0) == ONLY_EXTRACT_FAILED


def test_a_program_that_is_not_there_is_named(installation: Installation) -> None:
    """A worker without airq-etl says so, and where it is to be."""
    installation.set("http://127.0.0.1:9", SOUND)
    installation.schedule(PROGRAM="['/nowhere/airq-etl']")
    run = installation.run()
    assert run.states(0) == ONLY_EXTRACT_FAILED
    assert run.tasks["extract", 0].tries == 1
    assert "/nowhere/airq-etl cannot be started on this worker: No such file or directory" in run.log
