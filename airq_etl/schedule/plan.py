"""What is to be started, where and when; and what comes of it: files for a scheduler."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec

EVERY = (1, 2, 3, 4, 6, 8, 12, 24)
"""Hours between two runs: those that come at the same hours of each day."""


GRACE_S = 60
"""Beyond a run's deadline."""


class Entry(NamedTuple):
    """A file for a scheduler: what it is called, what stands in it, and whether secrets are to be filled in."""

    name: str
    text: str
    secret: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry is made of. Paths are absolute.

    `program` are the words that start airq-etl, `python` is where its Python is installed, `home` the user's home
    directory. `settings` are those that are not as by default, as texts by their AIRQ_ names, without paths and
    secrets; `secrets` are the names of the secrets that are set. `reads` and `writes` are files that the settings
    name, besides the data directory.
    """

    program: tuple[str, ...]
    python: str = ""
    home: str = ""
    data_dir: Path
    env_file: Path | None = None
    data_dir_is_in_env_file: bool = False
    name: str = "airq-etl"
    minute: int = 17
    every: int = 1
    shard: str | None = None
    shards: int = 1
    user: str = ""
    mail_to: str | None = None
    log_file: Path | None = None
    image: str = ""
    deadline_s: float = 3000
    settings: Mapping[str, str] = MappingProxyType({})
    secrets: tuple[str, ...] = ()
    has_mongodb: bool = False
    station_count: int = 2
    stations_file: str | None = None
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()

    @property
    def times(self) -> str:
        """When runs begin (UTC), as cron has it."""
        hours = {1: "*", 24: "0"}.get(self.every, f"*/{self.every}")
        return f"{self.minute} {hours} * * *"

    @property
    def ended_s(self) -> int:
        """Seconds after which a run has ended by itself, or cannot."""
        return round(self.deadline_s + GRACE_S)

    def words(self, command: str = "run", *, quiet: bool = True) -> list[str]:
        """The command line, word by word."""
        words = [*self.program, command]
        if self.env_file is not None:
            words += ["--env-file", str(self.env_file)]
        if not self.data_dir_is_in_env_file:
            # What stands in one place alone can be changed there.
            words += ["--data-dir", str(self.data_dir)]
        if self.shard is not None:
            words += ["--shard", self.shard]
        return [*words, "-q"] if quiet else words
