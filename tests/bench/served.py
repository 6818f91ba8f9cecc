"""The source and the MongoDB-speaking server while they serve a benchmark, each a process of its own."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo

from tests.bench import made_up_years
from tests.bench.costs import FailedError, Sample, ours
from tests.bench.progress import say
from tests.mongo import REPOSITORY, MissingProgramError, MongoServer, built, is_built

HOUR = timedelta(hours=1)
STOP_S = 10


class Served:
    """The source: its `url`, and its clock."""

    def __init__(self, url: str, clock: Path) -> None:
        self.url, self._clock = url, clock
        self.now = made_up_years.NOW
        self.set(self.now)

    def set(self, now: datetime) -> None:
        """Set its clock."""
        self.now = now
        self._clock.write_text(f"{now.replace(tzinfo=None).isoformat()}\n", encoding="utf-8")

    def tick(self) -> None:
        """An hour later; the newest days of all stations lie ready then."""
        self.set(self.now + HOUR)
        self._asked("/bench/ready")

    def counted(self, case: Callable[[], Sample]) -> Sample:
        """A sample, and what was sent meanwhile: requests, bytes on the wire, the CPU that took."""
        before = self._asked("/bench")
        sample = case()
        return sample | {name: value - before[name] for name, value in self._asked("/bench").items()}

    def _asked(self, path: str) -> Sample:
        with urllib.request.urlopen(f"{self.url}{path}") as answer:  # noqa: S310 -- a URL of ours
            sent: Sample = json.load(answer)
        return sent


OF_OURS = (
    "MongoDB: FerretDB 1 on SQLite, which the benchmarks start, goes through a whole collection for each replacement "
    "and each look at a list of _id, and wall is mostly that; TEST_MONGODB_URI names another server."
)


@contextmanager
def source(directory: Path, stations: int, *, latency_s: float = 0.1, years: Path | None = None) -> Iterator[Served]:
    """The source of stations 1 to `stations`, its clock at NOW; whole years lie ready in `years`, or in the cache."""
    clock = directory / "clock"
    clock.write_text("2000-01-01T00:00:00\n", encoding="utf-8")
    words: list[str | Path] = [clock, str(latency_s), years or made_up_years.kept(), str(stations)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.source", *words],
        cwd=REPOSITORY,
        env=ours(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise FailedError("the source of the benchmarks did not start")
        try:
            yield Served(url, clock)
        finally:
            process.stdin.close()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def is_another() -> bool:
    """Whether the MongoDB-speaking server is one at TEST_MONGODB_URI, none of ours."""
    return bool(os.environ.get("TEST_MONGODB_URI"))


@contextmanager
def mongo(directory: Path) -> Iterator[Callable[[str], str]]:
    """Call with the name of a database for its URI; at TEST_MONGODB_URI, else a server of our own.

    The databases that were asked for are dropped at the end.
    """
    place = directory / "mongo"
    place.mkdir()
    given = os.environ.get("TEST_MONGODB_URI")
    if not given and not is_built():
        say("FerretDB, which serves as MongoDB, is built, once: that takes minutes")
    try:
        server = MongoServer(None, place, given) if given else MongoServer(built(), place)
    except MissingProgramError as error:
        raise FailedError(str(error)) from error
    named = set[str]()

    def uri(name: str) -> str:
        name = f"airq_bench_{os.getpid()}_{name}"
        named.add(name)
        return server.uri_of(name)

    try:
        server.start()
        yield uri
        with closing(pymongo.MongoClient[dict[str, Any]](server.uri)) as client, suppress(pymongo.errors.PyMongoError):
            for name in named:
                client.drop_database(name)
    finally:
        server.stop()
