"""MongoDB, or the way to it, fails: what was fetched and computed is kept, and goes out with the next run."""

import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, quote_plus, unquote, urlsplit

import pymongo
import pytest

from tests.faults.mongo_proxy import Answer, Document, Hold, Hook, at, proxying
from tests.faults.state import State, assert_same, complaint, copy_data, lines, state
from tests.frames import body, hour
from tests.server import Reply, Request, serving

if TYPE_CHECKING:
    from tests.conftest import Airq, MongoServer, Ran

STATIONS = (7, 8)
FIRST, SECOND = hour(24 * 12), hour(24 * 13)
LATE_S = 8  # what may come on top of the deadline: a server is looked for during 5 s
WRITES = {"insert", "update"}
TIMES = {"requested_at", "updated_at"}  # when an answer was asked for, not what it said


def readings(now: datetime, station: int, begins: int = 0) -> bytes:
    """The hours from the so-manieth up to `now`; from the third day on the second answer revises each third one."""
    last = int((now - hour(0)) / timedelta(hours=1))
    values = {n: {"CO": n % 24 / 10, "RH": float(station)} for n in range(begins, last)}
    if now == SECOND:
        values |= {n: {"CO": n % 24 / 10 + 0.5, "RH": float(station)} for n in range(48, last, 3)}
    return body(values)


class Scene:
    """An API of two stations, a data directory and a database; the command line between them."""

    def __init__(self, airq: "Airq", api_url: str, uri: str) -> None:
        self.airq = airq
        self.api_url = api_url
        self.uri = uri
        self.data = airq.directory / "data"
        self.now = FIRST
        self.begins = 0

    def script(self, request: Request) -> Reply:
        return Reply(body=readings(self.now, int(request.path.rpartition("/")[2]), self.begins))

    def environment(self, uri: str | None, data: Path | None, **more: str) -> dict[str, str]:
        return {
            "AIRQ_API_URL": self.api_url,
            "AIRQ_DATA_DIR": str(data or self.data),
            "AIRQ_MONGODB_URI": uri or self.uri,
            "AIRQ_NOW": self.now.isoformat(),
            "AIRQ_STATIONS": ",".join(map(str, STATIONS)),
            "AIRQ_SWEEP_DAYS": "1",
        } | more

    def __call__(
        self, *words: str, uri: str | None = None, data: Path | None = None, expect: int = 0, **more: str
    ) -> "Ran":
        """A command to its end; `more` are settings."""
        return self.airq(*words, env=self.environment(uri, data, **more), expect=expect)

    def begin(self, uri: str) -> "subprocess.Popen[str]":
        """A run that is not waited for."""
        return subprocess.Popen(
            [sys.executable, "-m", "airq_etl", "run"],
            cwd=self.airq.directory,
            env=self.airq.environment | self.environment(uri, None),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def state(self) -> State:
        return state(self.data, self.uri)


@contextmanager
def scene_of(airq: "Airq", uri: str) -> Iterator[Scene]:
    made = Scene(airq, "", uri)
    with serving(made.script) as server:
        made.api_url = server.url
        yield made


@pytest.fixture
def scene(airq: "Airq", mongo_uri: str) -> Iterator[Scene]:
    """A data directory that was never used, and an empty database."""
    with scene_of(airq, mongo_uri) as made:
        yield made


class Undisturbed(NamedTuple):
    """A directory and a database to which nothing ever happened: after a first run, and after a second one."""

    data: Path
    store: dict[str, list[Document]]
    state: State


@pytest.fixture(scope="module")
def example(
    tmp_path_factory: pytest.TempPathFactory, airq_in: "Callable[[Path], Airq]", mongo_server: "MongoServer"
) -> Undisturbed:
    """See `Undisturbed`; made once, since every test begins with the first and ends with the second."""
    mongo_server.start()
    directory = tmp_path_factory.mktemp("undisturbed")
    uri = mongo_server.uri_of(f"airq_test_{secrets.token_hex(6)}")
    with scene_of(airq_in(directory), uri) as made:
        made("run")
        store = {name: documents(uri, name) for name in ("stations", "hourly", "daily", "meta")}
        shutil.copytree(made.data, directory / "first")
        made.now = SECOND
        made("run")
        found = Undisturbed(directory / "first", store, made.state())
    drop(uri)
    return found


@pytest.fixture
def undisturbed(example: Undisturbed) -> State:
    """What there is in the end where nothing happened."""
    return example.state


@pytest.fixture
def loaded(scene: Scene, example: Undisturbed) -> Scene:
    """After a first run, with news that the next run finds."""
    copy_data(example.data, scene.data)
    with closing(pymongo.MongoClient[Document](scene.uri)) as client:
        for name, found in example.store.items():
            client.get_default_database()[name].insert_many(found)
    scene.now = SECOND
    return scene


def drop(uri: str) -> None:
    with closing(pymongo.MongoClient[Document](uri)) as client:
        client.drop_database(client.get_default_database().name)


def documents(uri: str, collection: str) -> list[Document]:
    with closing(pymongo.MongoClient[Document](uri)) as client:
        return list(client.get_default_database()[collection].find().sort("_id"))


def marks(uri: str) -> list[Document]:
    """Those of loads; the one of forecasts moves when these are sent."""
    found = documents(uri, "meta")
    assert {str(mark["_id"]).partition(":")[0] for mark in found} <= {"loaded", "forecasts"}
    return [mark for mark in found if str(mark["_id"]).startswith("loaded:")]


def assert_refused(ran: "Ran", host: str) -> str:
    """Exit code 7 with one line, which names the host; gives that line."""
    assert ran.code == 7
    said = complaint(ran)
    assert host in said
    return said


def ours(server: "MongoServer") -> None:
    if not server.ours:
        pytest.skip("only a server of our own can be stopped")


# -- 2: killed between documents ---------------------------------------------------------------------------

MOMENTS = {
    "the middle of the hours": ({"update"}, "hourly", 2),
    "the days": ({"find"}, "daily", 1),
    "the mark": ({"update"}, "meta", 1),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_02_killed_before(loaded: Scene, undisturbed: State, moment: str) -> None:
    """Killed between two commands of a load, the mark has not moved, and the next run completes what is there."""
    names, collection, number = MOMENTS[moment]
    before = {name: documents(loaded.uri, name) for name in ("hourly", "daily")}
    mark, hold = marks(loaded.uri), Hold()
    with proxying(loaded.uri, at(names, collection, hold, number)) as proxy:
        with loaded.begin(proxy.uri) as victim:
            assert hold.reached.wait(60)
            victim.kill()
        hold.let_go()
    assert victim.returncode == -signal.SIGKILL
    assert marks(loaded.uri) == mark
    assert documents(loaded.uri, "hourly") != before["hourly"]
    assert (documents(loaded.uri, "daily") != before["daily"]) == (collection == "meta")
    loaded("run")
    assert_same(loaded.state(), undisturbed)
    assert marks(loaded.uri) != mark


# -- 6: the store is down, or dies -------------------------------------------------------------------------


@pytest.mark.parametrize("was_loaded", [True, False])
def test_06_down_at_start(scene: Scene, undisturbed: State, mongo_server: "MongoServer", was_loaded: bool) -> None:  # noqa: FBT001 -- a case
    """A store that is down costs no hour: the tables are brought up to date, and go out with the next run."""
    ours(mongo_server)
    if was_loaded:
        scene("run")
        scene.now = SECOND
    mongo_server.stop()
    assert_refused(scene("run", expect=7), urlsplit(scene.uri).netloc)
    scene.now = SECOND
    assert_refused(scene("run", expect=7), urlsplit(scene.uri).netloc)
    mongo_server.start()
    scene("run")
    assert_same(scene.state(), undisturbed)


@pytest.mark.parametrize("number", [1, 3, 5])
def test_06_connection_cut_mid_load(loaded: Scene, undisturbed: State, number: int) -> None:
    """A store that goes away at the so-manieth write, and stays away, ends the run; the next one completes it."""
    mark = marks(loaded.uri)

    def cut() -> Answer:
        proxy.cut()
        return "drop"

    with proxying(loaded.uri, at(WRITES, None, cut, number)) as proxy:
        assert_refused(loaded("run", uri=proxy.uri, expect=7), proxy.host)
    assert marks(loaded.uri) == mark
    loaded("run")
    assert_same(loaded.state(), undisturbed)


@pytest.mark.parametrize("collection", ["stations", "hourly", "daily", "meta"])
def test_06_connection_cut_in_the_first_load(scene: Scene, undisturbed: State, collection: str) -> None:
    """The same for a store that was empty: what is there already is not there twice afterwards."""

    def cut() -> Answer:
        proxy.cut()
        return "drop"

    with proxying(scene.uri, at({"insert"}, collection, cut)) as proxy:
        assert_refused(scene("run", uri=proxy.uri, expect=7), proxy.host)
    assert [mark["position"] for mark in marks(scene.uri)] in ([], [None])
    scene.now = SECOND
    scene("run")
    assert_same(scene.state(), undisturbed)


def test_06_server_ends_mid_load(loaded: Scene, undisturbed: State, mongo_server: "MongoServer") -> None:
    """A server that is shut down between the hours and the days."""
    ours(mongo_server)

    def stop() -> Answer:
        mongo_server.stop()
        return None

    with proxying(loaded.uri, at({"find"}, "daily", stop)) as proxy:
        assert_refused(loaded("run", uri=proxy.uri, expect=7), proxy.host)
    mongo_server.start()
    loaded("run")
    assert_same(loaded.state(), undisturbed)


# -- 7: the store is slow, or hangs ------------------------------------------------------------------------


def timed(act: Callable[[], "Ran"]) -> tuple["Ran", float]:
    began = time.monotonic()
    return act(), time.monotonic() - began


def test_07_server_paused(loaded: Scene, undisturbed: State, mongo_server: "MongoServer") -> None:
    """A server that accepts and says nothing is waited for until the run's deadline."""
    ours(mongo_server)
    mongo_server.pause()
    try:
        ran, seconds = timed(lambda: loaded("run", expect=7, AIRQ_RUN_DEADLINE_S="4"))
    finally:
        mongo_server.resume()
    assert_refused(ran, urlsplit(loaded.uri).netloc)
    assert seconds < 4 + LATE_S
    loaded("run")
    assert_same(loaded.state(), undisturbed)


def test_07_server_paused_mid_load(loaded: Scene, undisturbed: State, mongo_server: "MongoServer") -> None:
    """A server that falls silent between two commands is waited for until the run's deadline, farewell included."""
    ours(mongo_server)

    def pause() -> Answer:
        mongo_server.pause()
        return None

    with proxying(loaded.uri, at({"insert"}, "hourly", pause)) as proxy:
        try:
            ran, seconds = timed(lambda: loaded("run", uri=proxy.uri, expect=7, AIRQ_RUN_DEADLINE_S="4"))
        finally:
            mongo_server.resume()
        assert_refused(ran, proxy.host)
    assert seconds < 4 + LATE_S
    loaded("run")
    assert_same(loaded.state(), undisturbed)


@pytest.mark.parametrize(
    ("name", "collection"),
    [("find", "meta"), ("createIndexes", "daily"), ("find", "hourly"), ("insert", "hourly"), ("update", "hourly")],
)
def test_07_one_answer_never_comes(loaded: Scene, undisturbed: State, name: str, collection: str) -> None:
    """One command that is never answered is waited for until the run's deadline."""
    hold = Hold()
    with proxying(loaded.uri, at({name}, collection, hold)) as proxy:
        ran, seconds = timed(lambda: loaded("run", uri=proxy.uri, expect=7, AIRQ_RUN_DEADLINE_S="4"))
        hold.let_go()
        assert_refused(ran, proxy.host)
    assert hold.reached.is_set()
    assert seconds < 4 + LATE_S
    loaded("run")
    assert_same(loaded.state(), undisturbed)


def test_07_slow_at_every_write(loaded: Scene, undisturbed: State) -> None:
    """A store that answers each write, but late, is left at the run's deadline, and not after all of them."""
    never = threading.Event()

    def slow(name: str, _: Document) -> Answer:
        if name == "update":
            never.wait(4)
        return None

    with proxying(loaded.uri, slow) as proxy:
        ran, seconds = timed(lambda: loaded("run", uri=proxy.uri, expect=7, AIRQ_RUN_DEADLINE_S="10"))
        assert_refused(ran, proxy.host)
    assert seconds < 10 + 4 + 2
    loaded("run")
    assert_same(loaded.state(), undisturbed)


def terminated(run: "subprocess.Popen[str]", moment: threading.Event) -> tuple[int, str]:
    """The exit code and the words of a run that has 5 s to end after SIGTERM at that moment."""
    with run:
        try:
            assert moment.wait(60)
            run.terminate()
            _, err = run.communicate(timeout=5)
        finally:
            run.kill()
    return run.returncode, err


@pytest.mark.parametrize(("name", "collection"), [("find", "meta"), ("insert", "hourly")])
def test_07_stopped_while_it_hangs(loaded: Scene, undisturbed: State, name: str, collection: str) -> None:
    """SIGTERM ends a run that waits for its store within 5 s, with 143."""
    hold = Hold()
    with proxying(loaded.uri, at({name}, collection, hold)) as proxy:
        code, err = terminated(loaded.begin(proxy.uri), hold.reached)
        hold.let_go()
    assert code == 128 + signal.SIGTERM
    assert "Traceback" not in err
    loaded("run")
    assert_same(loaded.state(), undisturbed)


def test_07_stopped_while_the_server_is_paused(loaded: Scene, undisturbed: State, mongo_server: "MongoServer") -> None:
    """The same where nothing at all comes from the server, not even to a farewell."""
    ours(mongo_server)

    paused = threading.Event()

    def pause() -> Answer:
        mongo_server.pause()
        paused.set()
        return None

    with proxying(loaded.uri, at({"insert"}, "hourly", pause)) as proxy:
        try:
            code, err = terminated(loaded.begin(proxy.uri), paused)
        finally:
            mongo_server.resume()
    assert code == 128 + signal.SIGTERM
    assert "Traceback" not in err
    loaded("run")
    assert_same(loaded.state(), undisturbed)


# -- 8: the store refuses ----------------------------------------------------------------------------------

# As a URI has to have them; then some that it must not have so.
PASSWORDS = [
    "s3cret-w0rd",
    "p%40ss%2Fw%3Ard!",
    "%C3%BCber%20gr%25%C3%B6%C3%9Fe",
]
UNESCAPED = [
    "p%40ss%2Fw:rd!x",
    "Corr3ctH0rse/b4ttery",
    "b4tt@ry?St4ple#",
    "b4d%zzStaple",
]


def forms(password: str) -> set[str]:
    """A password as it may be written, each of its parts of some length too."""
    plain = unquote(password)
    parts = {part for part in re.split(r"[/:@?#%]", password) if len(part) > 4}
    return {password, plain, quote(plain), quote(plain, safe=""), quote_plus(plain), repr(plain)[1:-1]} | parts


def assert_hidden(password: str, ran: "Ran", data: Path) -> None:
    """It is in nothing that was said, and in no file."""
    files = [path for path in data.rglob("*") if path.is_file()] if data.exists() else []
    places = {str(path): path.read_bytes() for path in files}
    places |= {"stdout": ran.out.encode(), "stderr": ran.err.encode()}
    shown = [(where, form) for where, content in places.items() for form in forms(password) if form.encode() in content]
    assert shown == []


def with_password(uri: str, password: str) -> str:
    return uri.replace(urlsplit(uri).netloc, f"airq:{password}@{host_of(uri)}", 1)


def host_of(uri: str) -> str:
    return urlsplit(uri).netloc.rpartition("@")[2]


@pytest.mark.parametrize("password", PASSWORDS)
def test_08_credentials_refused(loaded: Scene, undisturbed: State, password: str) -> None:
    """Credentials that MongoDB refuses are an error of the store, and the password is shown nowhere."""
    uri = with_password(loaded.uri, password)
    ran = loaded("run", uri=uri, expect=7)
    assert " refuses: " in assert_refused(ran, host_of(loaded.uri))
    for more in (ran, loaded("run", "-v", uri=uri, expect=7), loaded("load", "-v", "--json", uri=uri, expect=7)):
        assert_hidden(password, more, loaded.data)
    loaded("run")
    assert_same(loaded.state(), undisturbed)


@pytest.mark.parametrize("password", UNESCAPED)
def test_08_password_not_escaped(loaded: Scene, undisturbed: State, password: str) -> None:
    """A URI that a password spoils is told as one that will not do, and even then the password is shown nowhere."""
    uri = with_password(loaded.uri, password)
    for words in (("run",), ("run", "-v"), ("load", "-v")):
        ran = loaded.airq(*words, env=loaded.environment(uri, None), expect=None)
        assert_hidden(password, ran, loaded.data)
        assert ran.code in {2, 7}
        assert "AIRQ_MONGODB_URI" in ran.err
    loaded("run")
    assert_same(loaded.state(), undisturbed)


NOT_AUTHORIZED = {
    "ok": 0.0,
    "errmsg": "not authorized on air to execute command",
    "code": 13,
    "codeName": "Unauthorized",
}
INVALID = {
    "n": 0,
    "nModified": 0,
    "ok": 1.0,
    "writeErrors": [{"index": 0, "code": 121, "errmsg": "Document failed validation"}],
}
NOT_REPLICATED = {"code": 64, "codeName": "WriteConcernTimeout", "errmsg": "waiting for replication timed out"}


def refusing(name: str, collection: str, answer: Document) -> Hook:
    def on_command(command: str, document: Document) -> Answer:
        return answer if command == name and document[command] == collection else None

    return on_command


@pytest.mark.parametrize(
    ("name", "collection"),
    [("find", "meta"), ("createIndexes", "hourly"), ("find", "hourly"), ("insert", "hourly"), ("update", "meta")],
)
def test_08_no_right(loaded: Scene, undisturbed: State, name: str, collection: str) -> None:
    """A user who may not do what we need is told in MongoDB's words; the mark stays."""
    mark = marks(loaded.uri)
    with proxying(loaded.uri, refusing(name, collection, NOT_AUTHORIZED)) as proxy:
        said = assert_refused(loaded("run", uri=proxy.uri, expect=7), proxy.host)
    assert "not authorized on air" in said
    assert marks(loaded.uri) == mark
    loaded("run")
    assert_same(loaded.state(), undisturbed)


@pytest.mark.parametrize("name", ["insert", "update"])
def test_08_document_refused(loaded: Scene, undisturbed: State, name: str) -> None:
    """What MongoDB has against single documents (a validator, a full disk) is told in its words; the mark stays."""
    mark = marks(loaded.uri)
    with proxying(loaded.uri, refusing(name, "hourly", INVALID)) as proxy:
        said = assert_refused(loaded("run", uri=proxy.uri, expect=7), proxy.host)
    assert "Document failed validation" in said
    assert marks(loaded.uri) == mark
    loaded("run")
    assert_same(loaded.state(), undisturbed)


@pytest.mark.parametrize("name", ["insert", "update"])
def test_08_not_replicated(loaded: Scene, undisturbed: State, name: str) -> None:
    """Documents that did not reach as many servers as the URI's `w` demands are not taken for stored."""
    mark = marks(loaded.uri)
    answer = {"n": 1, "nModified": 1, "ok": 1.0, "writeConcernError": NOT_REPLICATED}
    with proxying(loaded.uri, refusing(name, "hourly", answer)) as proxy:
        said = assert_refused(loaded("run", uri=proxy.uri, expect=7), proxy.host)
    assert "waiting for replication timed out" in said
    assert marks(loaded.uri) == mark
    loaded("run")
    assert_same(loaded.state(), undisturbed)


# -- 42: two machines, one store ---------------------------------------------------------------------------


Said = dict[str, dict[tuple[Any, ...], Document]]


def said(store: dict[str, list[Document]]) -> Said:
    """What hours and days hold, by their key, leaving out when it was asked for; none is there twice."""
    found = {}
    for name, time_field in (("hourly", "hour"), ("daily", "day")):
        rows = {
            (document["station_id"], document[time_field]): {k: v for k, v in document.items() if k not in TIMES}
            for document in store[name]
        }
        assert len(rows) == len(store[name])
        found[name] = rows
    return found


BEGINS = 24 + 14  # the younger answer knows 10 hours of the second day, and nothing before


@pytest.fixture
def machines(scene: Scene) -> tuple[Path, Path]:
    """Two directories that have asked and not loaded yet: an old answer, and a young one of a window that slid."""
    old, young = scene.airq.directory / "old", scene.airq.directory / "young"
    for data, scene.now, scene.begins in ((old, FIRST, 0), (young, SECOND, BEGINS)):
        scene("extract", data=data)
        scene("transform", data=data)
    return old, young


@pytest.fixture
def expected(scene: Scene, machines: tuple[Path, Path], mongo_server: "MongoServer") -> Iterator[Said]:
    """What one machine would hold that got both answers."""
    del machines
    data, uri = scene.airq.directory / "both", mongo_server.uri_of(f"airq_test_{secrets.token_hex(6)}")
    for scene.now, scene.begins in ((FIRST, 0), (SECOND, BEGINS)):
        scene("run", uri=uri, data=data)
    yield said(state(data, uri).store)
    drop(uri)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 1, 0)])
def test_42_two_machines_one_store(
    scene: Scene,
    machines: tuple[Path, Path],
    expected: Said,
    order: tuple[int, ...],
) -> None:
    """Whoever loads last, of each hour the newest answer stands, and a day has the mean of all its hours."""
    for number in order:
        scene("load", "--full", data=machines[number])
    found = said(state(machines[1], scene.uri).store)
    assert found["hourly"] == expected["hourly"]
    hours = {key: day["co_hours"] for key, day in found["daily"].items()}
    assert hours == {key: day["co_hours"] for key, day in expected["daily"].items()}
    assert found["daily"] == expected["daily"]


@pytest.mark.parametrize("last", ["old", "young"])
def test_42_runs_in_turn(scene: Scene, undisturbed: State, last: str) -> None:
    """Two machines that run day by day hold what one would, though one of them came to its hours a day before."""
    old, young = scene.airq.directory / "old", scene.airq.directory / "young"
    scene("run", data=old)
    scene.now = SECOND
    scene("run", data=young)
    scene("load", "--full", data={"old": old, "young": young}[last])
    assert said(state(young, scene.uri).store) == said(undisturbed.store)


def test_42_copied_directory(loaded: Scene, undisturbed: State) -> None:
    """A data directory that was copied to another machine loads its own news there, and so does the first one here."""
    copy = loaded.airq.directory / "copy"
    shutil.copytree(loaded.data, copy)
    loaded("run", data=copy, AIRQ_STATIONS="8")
    loaded("run", AIRQ_STATIONS="7")
    assert loaded.state().store == undisturbed.store


def test_42_copied_directory_while_the_store_was_down(loaded: Scene, undisturbed: State) -> None:
    """News that a store missed go out, though the copy of this directory moved the mark in the meantime."""
    copy = loaded.airq.directory / "copy"
    shutil.copytree(loaded.data, copy)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        loaded("run", uri=f"mongodb://127.0.0.1:{nobody.getsockname()[1]}/air", expect=7, AIRQ_STATIONS="7")
    loaded("run", data=copy, AIRQ_STATIONS="8")
    loaded("run", AIRQ_STATIONS="8")
    assert_same(loaded.state(), undisturbed)


def test_42_nothing_else_is_said(scene: Scene, machines: tuple[Path, Path]) -> None:
    """That another machine knew better is no error, and no warning."""
    for data in reversed(machines):
        assert lines(scene("load", "-q", data=data)) == []
