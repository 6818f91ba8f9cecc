"""`schedule cron` and crontab.example: put into a real crontab, run by a real cron daemon, taken out again."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import filelock
import pytest

from airq_etl.lake import HOURLY, Lake
from airq_etl.schedule import cron
from airq_etl.schedule.plan import Plan
from airq_etl.simulator import Simulator

if TYPE_CHECKING:
    from tests.conftest import Missing

EXAMPLE = Path(__file__).resolve().parent.parent / "crontab.example"
PROGRAM, ENV_FILE, DATA_DIR = "/opt/airq-etl/.venv/bin/airq-etl", "/etc/airq-etl.env", "/var/lib/airq-etl"
STATIONS = (283164601, 283181972)  # whose made-up sensors are alive
NOW = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)  # no station is out of order then
# For the daemon alone, five times as fast: minute 17 comes in four seconds.
JUST_BEFORE = "@2026-09-09 10:16:40 x5"
FIRED_S, ENDED_S, STOPPED_S, TURN_S, ANSWER_S = 30, 90, 10, 300, 20
THEIRS = "MAILTO=someone@example.org\n\n5 5 * * * true # by hand\n"

# Runs the program as it is, and keeps what cron would have mailed.
RECORDER = """#!/bin/sh
cd '{directory}' && env > environment && printf '%s\\n' "$@" > words && '{program}' "$@" > said 2>&1
echo $? > unfinished && mv unfinished code
"""


def _active_lines() -> list[str]:
    return [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]


def test_the_example_is_what_schedule_prints() -> None:
    """crontab.example is the output of `schedule cron --mail-to root`, of paths that are to be replaced."""
    plan = Plan(
        program=(PROGRAM,),
        env_file=Path(ENV_FILE),
        data_dir=Path(DATA_DIR),
        data_dir_is_in_env_file=True,
        mail_to="root",
    )
    assert EXAMPLE.read_text(encoding="utf-8") == cron.block(plan)


def test_the_example_needs_no_environment() -> None:
    """One job, at minute 17 of each hour; what cron does not give it is set above it."""
    names = [line.partition("=")[0] for line in _active_lines()[:-1]]
    assert names == ["SHELL", "PATH", "TZ", "MAILTO"]
    assert _active_lines()[-1] == f"17 * * * * {PROGRAM} run --env-file {ENV_FILE} -q"


class Installation(NamedTuple):
    """airq-etl in a directory whose name a crontab has to quote, with an env file beside it."""

    place: Path
    env_file: Path

    def __call__(self, *words: str, expect: int = 0, answer: str | None = None) -> str:
        """Run `airq-etl schedule cron` of it; what it said. `answer` is typed at its terminal, else it has none."""
        terminal = None if answer is None else os.openpty()
        if terminal is not None:
            os.write(terminal[0], answer.encode())  # type: ignore[union-attr]
        done = subprocess.run(
            [self.place / "bin" / "python", "-m", "airq_etl", "schedule", "cron", "--env-file", self.env_file, *words],
            stdin=subprocess.DEVNULL if terminal is None else terminal[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=ANSWER_S,
            check=False,
        )
        for end in terminal or ():
            os.close(end)
        assert done.returncode == expect, done.stdout
        return done.stdout


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """One whose program says what it was called with."""
    program = shutil.which("airq-etl", path=str(Path(sys.executable).parent))
    assert program, "the project is not installed beside this Python"
    place = tmp_path / "air q%x's \\b"
    (place / "bin").mkdir(parents=True)
    (place / "bin" / "python").symlink_to(sys.executable)
    ours = Path(sys.executable).parent.parent
    for name in ("pyvenv.cfg", "lib"):
        if (ours / name).exists():
            (place / name).symlink_to(ours / name)
    recorder, env_file = place / "bin" / "airq-etl", place / "settings %d.env"
    recorder.write_text(RECORDER.format(directory=tmp_path, program=program))
    recorder.chmod(0o700)
    env_file.write_text("")
    env_file.chmod(0o600)
    return Installation(place, env_file)


def _crontab() -> str:
    return subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False).stdout


def _set_crontab(text: str) -> None:
    subprocess.run(["crontab", "-"], input=text, text=True, check=True)


@pytest.mark.usefixtures("crontab_lent")
def test_cron_runs_what_was_installed(tmp_path: Path, installation: Installation, missing: "Missing") -> None:
    """Installed, fired by a cron daemon, removed: paths with a space, a quote and a % arrive whole.

    The job finds all that it needs, fills the data directory, and prints not a word.
    """
    _set_crontab(THEIRS)
    data_dir = tmp_path / "data 100%"
    with Simulator(STATIONS, now=lambda: NOW) as simulator:
        given = {"API_URL": simulator.url, "DATA_DIR": data_dir, "NOW": NOW.isoformat()}
        given["STATIONS"] = ",".join(map(str, STATIONS))
        installation.env_file.write_text("".join(f"AIRQ_{name}={value}\n" for name, value in given.items()))
        said = installation("--install")
        assert "+17 * * * * " in said
        assert _crontab().startswith(THEIRS)
        with _Daemon(tmp_path, missing) as daemon:
            daemon.wait_for(tmp_path / "environment", FIRED_S)
            daemon.wait_for(tmp_path / "code", ENDED_S)
    assert ((tmp_path / "said").read_text(), (tmp_path / "code").read_text()) == ("", "0\n")
    assert (tmp_path / "words").read_text().splitlines() == ["run", "--env-file", str(installation.env_file), "-q"]
    hours = Lake(data_dir).read(HOURLY)
    assert set(hours["station_id"]) == set(STATIONS)
    assert hours.height > 10_000
    environment = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines())
    assert (environment["TZ"], environment["PATH"]) == ("UTC", "/usr/bin:/bin")
    # The fake clock is the daemon's alone.
    assert not [name for name in environment if name.startswith(("LD_", "FAKETIME", "AIRQ_"))]
    assert "-17 * * * * " in installation("--remove")
    assert _crontab() == THEIRS


@pytest.mark.usefixtures("crontab_lent")
@pytest.mark.parametrize("before", ["", THEIRS])
def test_installed_twice_is_once(installation: Installation, before: str) -> None:
    """A second installation changes nothing, another minute takes the first one's place, a removal leaves what was."""
    _set_crontab(before)
    installation("--install")
    once = _crontab()
    assert "nothing was changed" in installation("--install")
    assert _crontab() == once
    installation("--install", "--minute", "23")
    assert "\n23 * * * * " in _crontab()
    assert "\n17 * * * * " not in _crontab()
    assert len(_crontab().splitlines()) == len(once.splitlines())
    installation("--remove")
    assert _crontab() == before
    assert "nothing was changed" in installation("--remove")
    listed = subprocess.run(["crontab", "-l"], capture_output=True, check=False)
    assert (listed.returncode == 0) == bool(before), "without a line there is no crontab"


@pytest.mark.usefixtures("crontab_lent")
def test_the_block_stands_last(installation: Installation) -> None:
    """What it sets would hold for each line below: one that was added there comes before it again."""
    _set_crontab(THEIRS)
    installation("--install")
    added = "7 7 * * * true\n"
    _set_crontab(_crontab() + added)
    installation("--install")
    assert _crontab().startswith(THEIRS + added)
    assert _crontab().rstrip().endswith(cron.marks("airq-etl")[1])


@pytest.mark.usefixtures("crontab_lent")
def test_two_installations_have_a_block_each(installation: Installation) -> None:
    """With a --name of its own a second one leaves the first alone."""
    installation("--install")
    first = _crontab()
    installation("--install", "--name", "airq-north")
    assert _crontab().startswith(first)
    installation("--remove", "--name", "airq-north")
    assert _crontab() == first


@pytest.mark.usefixtures("crontab_lent")
@pytest.mark.parametrize(("answer", "words", "changes"), [("n\n", [], False), ("y\n", [], True), ("n\n", ["-y"], True)])
def test_on_a_terminal_it_asks(installation: Installation, answer: str, words: list[str], *, changes: bool) -> None:
    """The difference is shown, and the crontab changed with a yes; --yes does not ask."""
    _set_crontab(THEIRS)
    said = installation("--install", *words, answer=answer)
    assert "+17 * * * * " in said
    assert ("Change your crontab so?" in said) == (words == [])
    assert (_crontab() != THEIRS) == changes
    assert ("nothing was changed" in said) != changes


@pytest.mark.usefixtures("crontab_lent")
def test_a_crontab_that_was_cut_is_left_alone(installation: Installation) -> None:
    """Where one of the two marks is missing nobody knows what is ours; so it is where they stand twice."""
    installation("--install")
    whole = _crontab()
    first, last = cron.marks("airq-etl")
    swapped = whole.replace(first, "?").replace(last, first).replace("?", last)
    for broken in (whole.replace(first + "\n", ""), whole.replace(last + "\n", ""), whole + whole, swapped):
        _set_crontab(broken)
        for words in (["--install"], ["--remove"]):
            assert "mend it with `crontab -e`" in installation(*words, expect=2)
        assert _crontab() == broken


@pytest.mark.usefixtures("crontab_lent")
def test_what_cron_refuses_changes_nothing(installation: Installation, tmp_path: Path) -> None:
    """Debian's cron takes a command of 998 letters; its own words are passed on."""
    _set_crontab(THEIRS)
    long = tmp_path / ("d" * 200) / ("e" * 200) / ("f" * 200) / ("g" * 200) / ("h" * 200)
    said = installation("--install", "-q", "--data-dir", str(long), expect=1)
    assert said.startswith("airq-etl: cron does not take it, and nothing was changed: ")
    assert len(said.splitlines()) == 1
    assert _crontab() == THEIRS


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
