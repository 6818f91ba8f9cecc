"""The captures: every answer of the API, to the byte, one gzip file a run.

A file is built in tmp/ while answers arrive and takes its place, synced, when the run's extract ends, so that it
is whole or not there. What a killed run had built is salvaged by the next. Nothing ever changes a capture.
"""

import gzip
import os
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self

from airq_etl import capture
from airq_etl.capture import Answer
from airq_etl.errors import DamagedError, StoreError
from airq_etl.lake import Lake

UNFINISHED = ".unfinished.jsonl.gz"
AT_ONCE = 1 << 16
PATTERN = "[0-9]*/[0-9]*/[0-9]*/*.jsonl.gz"


class CaptureWriter:
    """Collects the answers of one run; as a context manager it keeps them, also when the block fails.

    Each answer is a gzip member of its own, written at once: what a signal cuts off is left out of the file.
    """

    def __init__(self, lake: Lake, run_id: str, started_at: datetime) -> None:
        self._lake = lake
        self._target = _place(lake, run_id, started_at)
        self._temporary = lake.temporary / f"{run_id}{UNFINISHED}"
        self._file: BinaryIO | None = None
        self._whole = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.keep()

    def add(self, answer: Answer) -> None:
        """Write one answer down, on the disk as far as this process can see."""
        member = gzip.compress(capture.encode(answer), compresslevel=6, mtime=0)
        try:
            if self._file is None:
                descriptor = os.open(self._temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                self._file = os.fdopen(descriptor, "wb")
            self._file.write(member)
            self._file.flush()
        except OSError as error:
            raise StoreError(f"{self._target} cannot be written: {error.strerror}") from error
        self._whole += len(member)

    def keep(self) -> Path | None:
        """Put the file in its place; the path, or None where there was no answer."""
        if self._file is None:
            return None
        try:
            self._file.truncate(self._whole)
            self._file.close()
            if not self._whole:
                return None
            with self._lake.replacing(self._target) as temporary:
                self._temporary.replace(temporary)
        except OSError as error:
            raise StoreError(f"{self._target} cannot be written: {error.strerror}") from error
        finally:
            self._file = None
            self._temporary.unlink(missing_ok=True)
        return self._target


def salvage(lake: Lake) -> list[Path]:
    """Keep the answers, each whole, that a run had in hand when it was killed; only while holding the lock."""
    kept = []
    for path in sorted(lake.temporary.glob(f"*{UNFINISHED}")):
        os.truncate(path, _whole(path))
        first = next(read(path), None)
        if first is not None:
            target = _place(lake, path.name.removesuffix(UNFINISHED), first.requested_at)
            with lake.replacing(target) as temporary:
                path.replace(temporary)
            kept.append(target)
    return kept


def _place(lake: Lake, run_id: str, time: datetime) -> Path:
    return lake.captures / f"{time:%Y/%m/%d/%H%M%SZ}-{run_id}.jsonl.gz"


def _whole(path: Path) -> int:
    """Where the last whole member of a gzip file ends, in bytes from its beginning."""
    end = position = 0
    unpacker = zlib.decompressobj(wbits=31)
    with path.open("rb") as file:
        while chunk := file.read(AT_ONCE):
            position += len(chunk)
            try:
                unpacker.decompress(chunk)
            except zlib.error:
                break
            if unpacker.eof:
                end = position = position - len(unpacker.unused_data)
                file.seek(end)
                unpacker = zlib.decompressobj(wbits=31)
    return end


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
    except (OSError, EOFError, ValueError, zlib.error, DamagedError) as error:
        raise DamagedError(f"the capture {path} cannot be read: {error}") from error
