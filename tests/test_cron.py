"""crontab.example does what it says: a real cron daemon runs its very line."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import filelock
import pytest

from airq_etl.lake import HOURLY, Lake
from airq_etl.simulator import Simulator

if TYPE_CHECKING:
    from tests.conftest import Missing

EXAMPLE = Path(__file__).resolve().parent.parent / "crontab.example"
PROGRAM, ENV_FILE = "/opt/airq-etl/.venv/bin/airq-etl", "/etc/airq-etl.env"
STATIONS = (283164601, 283181972)  # whose made-up sensors are alive
NOW = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)  # no station is out of order then
# For the daemon alone, five times as fast: minute 17 comes in four seconds.
JUST_BEFORE = "@2026-09-09 10:16:40 x5"
FIRED_S, ENDED_S, STOPPED_S, TURN_S = 30, 90, 10, 300

# Runs the program as it is, and keeps what cron would have mailed.
RECORDER = """#!/bin/sh
cd '{directory}' && env > environment && '{program}' "$@" > said 2>&1
echo $? > unfinished && mv unfinished code
"""


def _active_lines() -> list[str]:
    return [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]


def _job() -> str:
    (job,) = [line for line in _active_lines() if not re.match(r"\w+=", line)]
    return job


def test_the_example_is_one_hourly_job() -> None:
    """One job, at minute 17 of each hour, with absolute paths, quiet, and no bare percent sign."""
    schedule, command = _job().split(" * * * * ")
    assert schedule == "17"
    assert command.split() == [PROGRAM, "run", "--env-file", ENV_FILE, "-q"]
    assert "%" not in command


def test_the_example_needs_no_environment() -> None:
    """What cron does not give a job is set above it."""
    names = [line.partition("=")[0] for line in _active_lines()[:-1]]
    assert names == ["SHELL", "PATH", "TZ", "MAILTO"]
    assert _active_lines()[-1] == _job()


@pytest.mark.usefixtures("crontab_lent")
def test_cron_runs_the_line_and_has_nothing_to_mail(tmp_path: Path, missing: "Missing") -> None:
    """The job finds all that it needs, fills the data directory, and prints not a word."""
    with Simulator(STATIONS, now=lambda: NOW) as simulator:
        crontab = _prepare(tmp_path, simulator.url)
        subprocess.run(["crontab", "-"], input=crontab, text=True, check=True)
        with _Daemon(tmp_path, missing) as daemon:
            daemon.wait_for(tmp_path / "environment", FIRED_S)
            daemon.wait_for(tmp_path / "code", ENDED_S)
    assert ((tmp_path / "said").read_text(), (tmp_path / "code").read_text()) == ("", "0\n")
    hours = Lake(tmp_path / "data").read(HOURLY)
    assert set(hours["station_id"]) == set(STATIONS)
    assert hours.height > 10_000
    environment = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines())
    assert environment["TZ"] == "UTC"
    # The fake clock is the daemon's alone.
    assert not [name for name in environment if name.startswith(("LD_", "FAKETIME", "AIRQ_"))]


def _prepare(directory: Path, url: str) -> str:
    """The example with its two paths replaced by ones that exist; what they name is made here."""
    program = shutil.which("airq-etl", path=str(Path(sys.executable).parent))
    assert program, "the project is not installed beside this Python"
    recorder, env_file = directory / "airq-etl", directory / "airq-etl.env"
    recorder.write_text(RECORDER.format(directory=directory, program=program))
    recorder.chmod(0o700)
    given = {"API_URL": url, "DATA_DIR": directory / "data", "NOW": NOW.isoformat()}
    given["STATIONS"] = ",".join(map(str, STATIONS))
    env_file.write_text("".join(f"AIRQ_{name}={value}\n" for name, value in given.items()))
    env_file.chmod(0o600)
    return EXAMPLE.read_text().replace(PROGRAM, str(recorder)).replace(ENV_FILE, str(env_file))


@pytest.fixture
def crontab_lent(missing: "Missing") -> Iterator[None]:
    """The user's crontab is ours; what was there is there again afterwards. One test run at a time has it."""
    for program in ("cron", "crontab", "faketime"):
        if shutil.which(program) is None:
            missing(f"no `{program}` on this machine")
    if os.geteuid() != 0:
        missing("only root can start a cron daemon")
    with filelock.FileLock(Path(tempfile.gettempdir()) / "airq-etl-cron-test.lock", timeout=TURN_S):
        before = subprocess.run(["crontab", "-l"], capture_output=True, check=False)
        yield
        if before.returncode == 0:
            subprocess.run(["crontab", "-"], input=before.stdout, check=True)
        else:
            subprocess.run(["crontab", "-r"], check=False)


class _Daemon:
    """A cron daemon with a clock of its own, in the foreground."""

    def __init__(self, directory: Path, missing: "Missing") -> None:
        self._pid, self._said = directory / "cron.pid", directory / "cron.said"
        self._missing = missing

    def __enter__(self) -> Self:
        # `faketime` is the daemon's parent, and ends after it.
        daemon = ["sh", "-c", 'echo $$ > "$0" && exec cron -f', str(self._pid)]
        with self._said.open("w") as said:
            self._process = subprocess.Popen(["faketime", "-f", JUST_BEFORE, *daemon], stderr=said)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.kill(int(self._pid.read_text()), signal.SIGTERM)
        self._process.wait(STOPPED_S)

    def wait_for(self, path: Path, seconds: float) -> None:
        """Return when the file is there."""
        deadline = time.monotonic() + seconds
        while not path.exists():
            if self._process.poll() is not None:
                self._missing(f"no cron daemon of our own: {self._said.read_text().strip()}")
            assert time.monotonic() < deadline, f"cron did not make {path.name} within {seconds} seconds"
            time.sleep(0.05)
