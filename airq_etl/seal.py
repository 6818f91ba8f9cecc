"""A checksum inside a Parquet file, so that a byte that was flipped on the disk is found and never read as a value.

Polars writes no checksums, and what is not text still decodes after most flips, to other numbers. The seal is a
SHA-256 over all other bytes; it lies between the last page and the footer. Parquet finds its footer from the end
and its pages by offsets from the start (https://parquet.apache.org/docs/file-format/), so no reader minds it.
"""

import hashlib
from pathlib import Path
from typing import BinaryIO

MARK = b"airq-etl sha-256"
LENGTH = len(MARK) + hashlib.sha256().digest_size
TAIL = 8  # the footer's length, four bytes, and "PAR1"
AT_ONCE = 1 << 20


def seal(path: Path) -> None:
    """Put the seal into a Parquet file that has none."""
    with path.open("r+b") as file:
        cut, footer = _footer(file)
        digest = _digest(file, cut, footer)
        file.seek(cut)
        file.write(MARK + digest + footer)


def check(path: Path) -> None:
    """OSError where the file is not as it was sealed; one that bears no seal is taken as it is."""
    with path.open("rb") as file:
        cut, footer = _footer(file)
        file.seek(max(cut - LENGTH, 0))
        found = file.read(LENGTH)
        if found.startswith(MARK):
            altered = found != MARK + _digest(file, cut - LENGTH, footer)
        else:
            # Where the footer is not to be found, the seal may well be there.
            file.seek(max(file.seek(0, 2) - AT_ONCE, 0))
            altered = MARK in file.read()
        if altered:
            raise OSError("its checksum says that it was altered")


def _footer(file: BinaryIO) -> tuple[int, bytes]:
    """Where the footer begins, and the bytes from there to the end."""
    size = file.seek(0, 2)
    file.seek(max(size - TAIL, 0))
    length = int.from_bytes(file.read(4), "little")
    cut = max(size - TAIL - length, 0)
    file.seek(cut)
    return cut, file.read()


def _digest(file: BinaryIO, cut: int, footer: bytes) -> bytes:
    digest = hashlib.sha256()
    file.seek(0)
    left = cut
    while left > 0 and (piece := file.read(min(left, AT_ONCE))):
        digest.update(piece)
        left -= len(piece)
    digest.update(footer)
    return digest.digest()
