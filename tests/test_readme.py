"""The README says what is so."""

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airq_etl import daily, quality, settings
from airq_etl.sanity import stuck
from airq_etl.sensors import SENSORS
from tests.years import found, hours_of

if TYPE_CHECKING:
    from tests.conftest import Airq

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_first_command_prints_what_it_shows(airq: "Airq") -> None:
    """The block under the first command is, to the letter, what the demo prints."""
    (_, first), (_, shown) = BLOCKS[:2]
    assert first.strip().endswith(".venv/bin/airq-etl run --demo")
    del airq.environment["XDG_DATA_HOME"]
    assert airq("run", "--demo").out == shown


def test_the_cron_line_is_the_examples() -> None:
    """The cron line is the one of crontab.example."""
    line = next(block for _, block in BLOCKS if block.startswith("17 "))
    assert line in (TOP / "crontab.example").read_text(encoding="utf-8")


def test_every_command_is_documented(airq: "Airq") -> None:
    """Every command is in the table of commands, and every documented one exists."""
    documented = re.findall(r"^\| `airq-etl (\w[\w-]*)` \|", README, re.MULTILINE)
    listed = airq("--help").out.partition("Commands:")[2]
    assert documented == re.findall(r"^  (\w[\w-]*)", listed, re.MULTILINE)


def test_every_setting_named_is_one() -> None:
    """Every AIRQ_ name in the README is a setting."""
    named = set(re.findall(r"AIRQ_[A-Z_]+[A-Z]", README))
    assert named
    assert named <= set(settings.NAMES)


def test_every_sensor_is_described() -> None:
    """The table of sensors is the one of the program."""
    for sensor in SENSORS:
        assert f"| `{sensor.column}` | {sensor.unit} | {sensor.note} |" in README


def test_every_exit_code_is_described() -> None:
    """Every exit code that an error owns is in the table."""
    from airq_etl import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AirqError)]
    for kind in kinds:
        if kind is not errors.StoppedError:
            assert f"\n| {kind.exit_code} | " in README, kind


def test_the_finding_in_the_readme_is_worded_as_it_is_told() -> None:
    """But for its numbers, which are of a year that is not kept here."""
    (finding,) = found(stuck.CHECKS, hours_of(24 * 30, co=lambda _: 0.0))
    block = next(block for _, block in BLOCKS if block.startswith("ERROR"))
    said, action = " ".join(block.split()).removeprefix("ERROR SMART188 CO: ").split(" -> ")
    assert _without_numbers(said.partition(" (")[0]) == _without_numbers(finding.sentence)
    assert action == finding.action


def _without_numbers(text: str) -> str:
    return re.sub(r"\d[\d,.]*", "0", text)


@pytest.mark.parametrize("path", ["config.example.env", "crontab.example", "pyproject.toml", "README.md"])
def test_the_top_level_is_whole(path: str) -> None:
    """What the README speaks of is there."""
    assert (TOP / path).is_file()


def test_the_module_runs_like_the_command() -> None:
    """`python -m airq_etl` is the command."""
    said = subprocess.run(
        [sys.executable, "-m", "airq_etl", "--version"], capture_output=True, encoding="utf-8", check=True
    )
    assert said.stdout.startswith("airq-etl 0.")


def test_every_reason_for_a_flag_is_described() -> None:
    """The table of flags has the words and levels of the program, in its order."""
    rows = re.findall(r"^\| (`\w+`)? ?\| ([\w -]+) \| .*\|$", README.partition("| flag | reason | |")[2], re.MULTILINE)
    level, described = "", []
    for flag, word in rows:
        level = flag.strip("`") or level
        described.append((level, word))
    assert described == [(reason.level, reason.word) for reason in quality.REASONS]


def test_every_daily_column_is_described() -> None:
    """Each column of the daily table is named, those of a sensor by what follows its name."""
    for name in daily.OF_A_DAY:
        assert f"`{name}`" in README, name
    for what in daily.OF_A_SENSOR:
        assert f"`_{what}`" in README, what
