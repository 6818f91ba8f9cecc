"""A share of the stations, where one machine is not enough for all.

Each station belongs to exactly one of N shards, on every machine and in every version. Growing from N to N + 1 takes
one station in N + 1 to the new shard, and moves no other.
"""

import hashlib
import re
from typing import NamedTuple

from airq_etl.errors import UsageError

MOST = 1024
_SHARD = re.compile(r"(\d{1,9})/(\d{1,9})", re.ASCII)
# The multiplier of the generator in the paper.
_MULTIPLIER = 2862933555777941757
_64_BITS = (1 << 64) - 1


class Shard(NamedTuple):
    """Shard `number` of `of`, counted from 0."""

    number: int
    of: int

    def has(self, station_id: int) -> bool:
        """Whether the station is of this shard."""
        return shard_of(station_id, self.of) == self.number

    def __str__(self) -> str:
        """As it is written: 0/4."""
        return f"{self.number}/{self.of}"


def parse_shard(text: str, where: str) -> Shard:
    """A shard written I/N, with 0 <= I < N; UsageError with `where` it stands."""
    found = _SHARD.fullmatch(text.strip())
    shard = Shard(int(found[1]), int(found[2])) if found else Shard(0, 0)
    if not 0 <= shard.number < shard.of <= MOST:
        raise UsageError(f"{where}: {text!r} is no share like 0/4, the first of four; 3/4 is the last (at most {MOST})")
    return shard


def shard_of(station_id: int, shards: int) -> int:
    """Which of so many shards (0 to `shards` - 1) a station belongs to.

    Jump consistent hashing (Lamping and Veach 2014, arXiv:1406.2294) of a hash of the id, since ids are no random
    numbers.
    """
    digest = hashlib.blake2b(str(station_id).encode(), digest_size=8).digest()
    key, found, next_one = int.from_bytes(digest, "big"), 0, 0
    while next_one < shards:
        found = next_one
        key = (key * _MULTIPLIER + 1) & _64_BITS
        next_one = int((found + 1) * ((1 << 31) / ((key >> 33) + 1)))
    return found
