"""The user's crontab: its lines of airq-etl, and what each would find."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from airq_etl.checkup import Remark, Status
from airq_etl.pipeline.examination.given import this_program

PROGRAM = "airq-etl"
LIST_S = 10.0
# What cron gives, which a line `NAME=value` in the crontab adds to.
SEARCHED, SHELL = "/usr/bin:/bin", "/bin/sh"

_ASSIGNMENT = re.compile(r"\s*[\"']?(\w+)[\"']?\s*=\s*(.*?)\s*")
_JOB = re.compile(r"\s*(?:@\w+|(?:\S+\s+){4}\S+)\s+(.*)")
_BARE_PERCENT = re.compile(r"(?<!\\)%")
_OURS = re.compile(r"(^|[\s/])airq[-_]etl\b")
_FOLDER = re.compile(r"^cd\s+(?:--\s+)?(\S+)\s*(?:&&|;)")


class Line(NamedTuple):
    """A line of airq-etl: its command, the variables that the crontab gives it, and where it runs."""

    command: str
    given: Mapping[str, str]
    folder: Path

    @property
    def words(self) -> list[str]:
        """Its command as the shell would take it apart, as far as can be told."""
        passed_on = self.command.replace(r"\%", "%")
        try:
            return shlex.split(passed_on, comments=True)
        except ValueError:
            return passed_on.split()

    @property
    def env_file(self) -> Path | None:
        """The env file that it names."""
        words = self.words
        for number, word in enumerate(words):
            if word.startswith("--env-file="):
                return self.path(word.partition("=")[2])
            if word == "--env-file" and number + 1 < len(words):
                return self.path(words[number + 1])
        return None

    def path(self, word: str) -> Path:
        """A path as the line names it."""
        return self.folder / os.path.expanduser(word)  # noqa: PTH111 -- one that names no user is left as it is


def lines(home: Path) -> list[Line] | None:
    """The lines of airq-etl in the user's crontab; None where there is no cron."""
    if shutil.which("crontab") is None:
        return None
    try:
        listed = subprocess.run(
            ["crontab", "-l"],  # noqa: S607 -- the one that the user has
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LIST_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return of_ours(listed.stdout, home) if listed.returncode == 0 else []


def of_ours(crontab: str, home: Path) -> list[Line]:
    """The lines of airq-etl in a crontab."""
    given: dict[str, str] = {}
    found = []
    for text in crontab.splitlines():
        if text.lstrip().startswith("#"):
            continue
        if assignment := _ASSIGNMENT.fullmatch(text):
            given[assignment[1]] = assignment[2].strip("\"'")
        elif (job := _JOB.fullmatch(text)) and _OURS.search(job[1]):
            folder = _FOLDER.match(job[1])
            place = home / os.path.expanduser(folder[1]) if folder else home  # noqa: PTH111 -- as above
            found.append(Line(job[1], dict(given), place))
    return found


def look_at_line(line: Line, env_file: Path | None) -> list[Remark]:
    """What is wrong with a line, beside a checkup with `env_file` (absolute; None: without one)."""
    return [*_program(line), *_env_file(line, env_file), *_percent(line)]


def _program(line: Line) -> list[Remark]:
    words = line.words
    places = [number for number, word in enumerate(words) if Path(word).name == PROGRAM]
    modules = [n for n, word in enumerate(words[1:]) if word == "-m" and words[n + 2 : n + 3] == ["airq_etl"]]
    for number in [*places, *modules][:1]:
        word = words[number]
        named = line.path(word) if "/" in word else word
        first = not number or words[number - 1].endswith(("&&", "||", ";"))
        if not first and "/" not in word:
            continue  # may be the name of an image, or of a service
        if "$" not in word and shutil.which(named, path=line.given.get("PATH", SEARCHED)) is None:
            said = f"the crontab's line runs {named}, which cron would not find"
            return [_wrong(said, f"name this one: {' '.join(this_program())}")]
    return []


def _env_file(line: Line, env_file: Path | None) -> list[Remark]:
    theirs = line.env_file
    if theirs is None:
        if env_file is None or env_file == line.folder / ".env":
            return []
        said = f"the crontab's line has no --env-file, and cron would not read {env_file}"
        return [_wrong(said, f"add to it: --env-file {env_file}")]
    if not os.access(theirs, os.R_OK):
        return [_wrong(f"the crontab's line names {theirs}, which cannot be read", "name the env file there")]
    if env_file is None or not theirs.samefile(env_file):
        said = f"the crontab's line reads {theirs}, which is not what was looked at here"
        return [_wrong(said, f"look at what cron runs: airq-etl doctor --env-file {theirs}", "warning")]
    return []


def _percent(line: Line) -> list[Remark]:
    if _BARE_PERCENT.search(line.command) is None:
        return []
    return [_wrong("the crontab's line has a bare %, where cron ends the command", r"write \% in it")]


def _wrong(said: str, action: str, status: Status = "failed") -> Remark:
    return Remark("cron", status, said, action)
