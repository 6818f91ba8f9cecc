"""The captures: every answer of the API, to the byte, one gzip file a run.

A file is built in tmp/ while answers arrive and takes its place, synced, when the run's extract ends, so that it
is whole or not there. Nothing ever changes a capture.
"""

import gzip
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self

from airq_etl import capture
from airq_etl.capture import Answer
from airq_etl.errors import DamagedError, StoreError
from airq_etl.lake import PRIVATE_FILE, Lake

PATTERN = "[0-9]*/[0-9]*/[0-9]*/*.jsonl.gz"


class CaptureWriter:
    """Collects the answers of one run; as a context manager it keeps them, also when the block fails."""

    def __init__(self, lake: Lake, run_id: str, started_at: datetime) -> None:
        self._lake = lake
        self._target = lake.captures / f"{started_at:%Y/%m/%d/%H%M%SZ}-{run_id}.jsonl.gz"
        self._temporary = lake.temporary / f"{run_id}.{os.getpid()}.jsonl.gz"
        self._file: gzip.GzipFile | None = None
        self._raw: BinaryIO | None = None
        self.answers = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.keep()

    def add(self, answer: Answer) -> None:
        """Write one answer down."""
        try:
            if self._file is None:
                descriptor = os.open(self._temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE)
                # Without a name and a time in its header, the same answers give the same file.
                self._raw = os.fdopen(descriptor, "wb")
                self._file = gzip.GzipFile("", "wb", 6, self._raw, mtime=0)
            self._file.write(capture.encode(answer))
        except OSError as error:
            raise StoreError(f"{self._target} cannot be written: {error.strerror}") from error
        self.answers += 1

    def keep(self) -> Path | None:
        """Put the file in its place; the path, or None where there was no answer."""
        if self._file is None or self._raw is None:
            return None
        try:
            with self._lake.replacing(self._target) as temporary:
                self._file.close()
                self._raw.close()
                self._temporary.replace(temporary)
        finally:
            self._file = None
            self._temporary.unlink(missing_ok=True)
        return self._target


def files(lake: Lake) -> list[Path]:
    """All captures, oldest first."""
    return sorted(lake.captures.glob(PATTERN))


def name(lake: Lake, path: Path) -> str:
    """How the ledger names a capture: its path below captures/."""
    return path.relative_to(lake.captures).as_posix()


def read(path: Path) -> Iterator[Answer]:
    """The answers in one capture; DamagedError names the file where it is not as it was written."""
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                yield capture.decode(line)
    except (OSError, EOFError, ValueError, DamagedError) as error:
        raise DamagedError(f"the capture {path} cannot be read: {error}") from error
