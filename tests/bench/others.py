"""The environment of what airq-etl is measured against, so that its packages cost airq-etl's start nothing."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import filelock

from tests.bench.costs import FailedError
from tests.bench.progress import say
from tests.mongo import CACHE

WANTED = Path(__file__).with_name("others.txt")
INSTALL_S = 900


def python() -> Path:
    """Its Python; it is made once for each state of others.txt and of Python. FailedError where it cannot be had."""
    place = _place()
    place.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(place.with_suffix(".lock"), timeout=INSTALL_S):
        if made() is None:
            say(f"what airq-etl is measured against is installed, once, into {place} (0.5 GB)")
            shutil.rmtree(place, ignore_errors=True)
            _run([sys.executable, "-m", "venv", place])
            _run([_python(place), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", WANTED])
            (place / "installed").touch()
    return _python(place)


def made() -> Path | None:
    """Its Python where it is there already."""
    return _python(_place()) if (_place() / "installed").exists() else None


def way(name: str) -> list[str | Path]:
    """How to start a program of this directory, `way_NAME.py`, in it.

    With -P, since modules of this directory are named like those that the packages import.
    """
    return [python(), "-P", Path(__file__).with_name(f"way_{name}.py")]


def _place() -> Path:
    digest = hashlib.sha256(WANTED.read_bytes() + sys.version.encode()).hexdigest()[:16]
    return CACHE / f"bench-others-{digest}"


def _python(place: Path) -> Path:
    return place / "bin" / "python"


def _run(words: list[str | Path]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode:
        end = " | ".join(done.stderr.split("\n")[-4:])
        raise FailedError(f"the environment of the others cannot be made: {end}")
