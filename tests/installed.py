"""Programs of others for the tests, each in an environment of its own, made once by `tests/NAME/install.sh`."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import filelock

INSTALL_S = 540


def installed(name: str, cache: Path) -> Path | None:
    """Its environment, made once for each state of the script and of Python; None where it cannot be had."""
    script = Path(__file__).parent / name / "install.sh"
    digest = hashlib.sha256(script.read_bytes() + sys.version.encode()).hexdigest()[:16]
    place = cache / f"{name}-{digest}"
    done = place / "installed"
    cache.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(place.with_suffix(".lock"), timeout=INSTALL_S):
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)
            made = subprocess.run([script, place], capture_output=True, text=True, timeout=INSTALL_S, check=False)
            if made.returncode != 0:
                print(made.stderr[-2000:], file=sys.stderr)  # noqa: T201 -- pytest shows it
                return None
            done.touch()
    return place


def said(words: Sequence[str | Path], environment: Mapping[str, str], directory: Path, seconds: float) -> str:
    """Run a command to its end; all that it said. Fails where it fails."""
    done = subprocess.run(
        words,
        env=environment,
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout
