"""What the tests share: an empty environment, the command line, a MongoDB-speaking server, the saved payloads.

The types are imported by the tests for mypy alone: `if TYPE_CHECKING: from tests.conftest import Airq`.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, closing
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pymongo
import pytest

from tests.mongo import CACHE, REPOSITORY, SOURCE, MissingProgramError, MongoServer, built

__all__ = ["CACHE", "COMMAND_S", "REPOSITORY", "Airq", "Missing", "MongoServer", "Ran"]

IN_CI = os.environ.get("CI") == "true"
COMMAND_S = 120

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


def _program(source: Path = SOURCE) -> Path:
    """A program in Go; skips the test, or fails it under CI, where nothing can build it."""
    try:
        return built(source)
    except MissingProgramError as error:
        _missing(str(error))


@pytest.fixture(scope="session")
def mongo_program() -> Path:
    """The program of the MongoDB-speaking server, see `tests/mongo_server/main.go`."""
    return _program()


@pytest.fixture(scope="session")
def compose_check() -> Path:
    """The program that reads a compose file as Docker Compose does, see `tests/compose_check/main.go`."""
    return _program(REPOSITORY / "tests" / "compose_check")


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """The server at TEST_MONGODB_URI, else one of our own for the session."""
    directory = tmp_path_factory.mktemp("mongo")
    given = os.environ.get("TEST_MONGODB_URI")
    server = MongoServer(None, directory, given) if given else MongoServer(_program(), directory)
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
