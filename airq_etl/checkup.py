"""What a look at the set-up comes to: remarks of each check, and the exit code."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, get_args

import msgspec

from airq_etl.errors import AirqError, UsageError

Status = Literal["ok", "warning", "failed", "skipped"]
STATUSES: tuple[Status, ...] = get_args(Status)


class Remark(msgspec.Struct, frozen=True):
    """What a check says, one of its remarks; `action` is the next step where something is not well.

    What could not be looked at, because something else is not well, is skipped.
    """

    check: str
    status: Status
    sentence: str
    action: str = ""


class Checkup(msgspec.Struct, frozen=True, kw_only=True):
    """All remarks, in the order of the checks, by the real clock (UTC) `at`.

    `env_file`, `data_dir` and the fingerprint of the `settings` are null where the settings do not load.
    """

    command: str = "doctor"
    version: str
    at: datetime
    env_file: str | None = None
    data_dir: str | None = None
    settings: str | None = None
    checks: list[Remark]
    counts: dict[str, int]
    exit_code: int


def counted(remarks: Iterable[Remark]) -> dict[str, int]:
    """How many remarks there are of each status, none left out."""
    there = Counter(remark.status for remark in remarks)
    return {status: there[status] for status in STATUSES}


def exit_code_of(remarks: Iterable[Remark]) -> int:
    """A warning leaves it 0: the job does its work."""
    return UsageError.exit_code if any(remark.status == "failed" for remark in remarks) else 0


def failure(check: str, error: AirqError, otherwise: str) -> Remark:
    """A failed check in the words of the error, which mostly end in the next step; `otherwise` where they do not."""
    sentence, _, action = str(error).partition("; ")
    return Remark(check, "failed", sentence, action or otherwise)


def named(things: Iterable[str]) -> str:
    """`AIRQ_A, AIRQ_B and AIRQ_C`."""
    *most, last = things
    return f"{', '.join(most)} and {last}" if most else last
