"""What whole processes cost: CPU, wall, and peak memory."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mongo import REPOSITORY

LAUNCHER = Path(__file__).with_name("launcher.py")
AIRQ = (sys.executable, "-m", "airq_etl")
END_SHOWN = 300

Sample = dict[str, float]
"""What one case measured in one round, by the names of `tables.HEADS`."""
Samples = dict[str, list[Sample]]
"""By case, a sample a round."""


class FailedError(Exception):
    """A case ended otherwise than it should; the message is one line."""


class TooLongError(Exception):
    """A case was not done in the time that it may take."""


class Spent(NamedTuple):
    """A process that ended: what it cost, and what it printed."""

    sample: Sample
    out: str


def bare(**more: str) -> dict[str, str]:
    """An environment without settings of airq-etl or of Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AIRQ_", "PYTHON"))} | more


def ours(**more: str) -> dict[str, str]:
    """A bare environment in which airq-etl is imported from this tree."""
    return bare(PYTHONPATH=str(REPOSITORY), **more)


def cost(
    words: Sequence[str | Path],
    directory: Path,
    environment: Mapping[str, str] | None = None,
    *,
    fine: Sequence[int] = (0,),
    at_most_s: float = 0,
) -> Spent:
    """Run a command to its end, in a directory.

    Raises FailedError where its exit code is not among `fine`, TooLongError after `at_most_s` seconds (0: never).
    """
    with tempfile.TemporaryDirectory() as place:
        told, out, err = (Path(place) / name for name in ("told", "out", "err"))
        launch = [sys.executable, "-I", "-S", LAUNCHER, told, str(at_most_s), *words]
        with out.open("wb") as to, err.open("wb") as errors:
            launched = subprocess.Popen(
                launch,
                cwd=directory,
                env=bare() if environment is None else environment,
                stdin=subprocess.DEVNULL,
                stdout=to,
                stderr=errors,
            )
            try:
                launched.wait()
            except BaseException:
                launched.terminate()  # it ends the command
                launched.wait()
                raise
        said = err.read_text(encoding="utf-8", errors="replace")
        if launched.returncode:
            raise FailedError(f"{_named(words)} could not be started: {_end(said)}")
        sample = json.loads(told.read_text(encoding="utf-8"))
        code = sample.pop("code")
        if code is None:
            raise TooLongError(f"more than {at_most_s:.0f} s")
        if code not in fine:
            raise FailedError(f"{_named(words)} ended with exit code {code}: {_end(said)}")
        return Spent(sample, out.read_text(encoding="utf-8", errors="replace"))


def interleaved(
    cases: Mapping[str, Callable[[], Sample]], rounds: int, before: Callable[[], object] = lambda: None
) -> Samples:
    """The samples of cases, round by round: `before`, the first of all; `before`, the second of all."""
    samples: Samples = {name: [] for name in cases}
    for _ in range(rounds):
        before()
        for name, case in cases.items():
            samples[name].append(case())
    return samples


def median(samples: Sequence[Sample]) -> Sample:
    """The median of each quantity that any of the samples has."""
    names = dict.fromkeys(name for sample in samples for name in sample)
    return {name: statistics.median(sample[name] for sample in samples if name in sample) for name in names}


def _named(words: Sequence[str | Path]) -> str:
    shown = " ".join(Path(word).name if Path(word).is_absolute() else str(word) for word in words)
    return f"`{shown[:100]}`"


def _end(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " | ".join(lines)[-END_SHOWN:] or "it said nothing"
