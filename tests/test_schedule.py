"""`schedule`: what it takes, what it refuses, and the units of systemd and the task of Windows.

Those of cron are tried in test_cron.py.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec
import pytest
import xmlschema

from airq_etl.errors import UsageError
from airq_etl.schedule import cron, systemd, windows
from airq_etl.schedule.plan import EVERY, Entry, Plan

if TYPE_CHECKING:
    from tests.conftest import Airq

TASK = Path(__file__).parent / "schedule" / "task.xsd"
NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
HOSTILE = "a b%c$d\"e'f&g<h>i;j#k`l(m)ü"
ANSWER_S = 60
# Of 10: what systemd itself takes for OK ends at 4.9, and without the sandbox it is 9.
MOST_EXPOSED = 2.5
TARGETS = ("cron", "systemd", "windows", "kubernetes", "docker", "airflow")
HERE = ("cron", "systemd", "windows", "airflow")  # the others run elsewhere


def plan(**changes: object) -> Plan:
    usual = Plan(
        program=("/opt/airq-etl/.venv/bin/airq-etl",),
        python="/usr",
        home="/home/ada",
        env_file=Path("/etc/airq-etl.env"),
        data_dir=Path("/var/lib/airq-etl"),
        user="ada",
    )
    return msgspec.structs.replace(usual, **changes)


@pytest.mark.parametrize("target", HERE)
def test_it_has_this_installation_and_its_settings(airq: "Airq", target: str) -> None:
    """The program, the env file and the data directory are named in full, from wherever it was called."""
    (airq.directory / ".env").write_text("AIRQ_STATIONS=1,2\n")
    program = shutil.which("airq-etl", path=str(Path(sys.executable).parent))
    said = airq("schedule", target, "--data-dir", "here", "--minute", "41").out
    assert str(program) in said
    assert str(airq.directory / ".env") in said
    assert str(airq.directory / "here") in said
    assert re.search(r"\b41\b", said)
    assert "\n\n\n" not in said or target == "airflow"  # Python, which has them


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_printed_is_what_is_written(airq: "Airq", target: str) -> None:
    """-o DIR makes the directory and the files, and says of each what came of it; `-` is standard output."""
    printed = airq("schedule", target).out
    assert airq("schedule", target, "-o", "-").out == printed
    lines = airq("schedule", target, "-o", "new/place").out.splitlines()
    names = [line.removesuffix(": written") for line in lines]
    texts = [(airq.directory / name).read_text(encoding="utf-8") for name in names]
    if len(texts) == 1:
        assert printed == texts[0]
    else:
        assert printed == "".join(f"# ---- {Path(n).name}\n{t}\n" for n, t in zip(names, texts, strict=True))[:-1]
    assert sorted(path.name for path in (airq.directory / "new/place").iterdir()) == sorted(Path(n).name for n in names)
    assert airq("schedule", target, "-o", "new/place").out.splitlines() == [f"{name}: as it was" for name in names]
    assert airq("schedule", target, "-q", "-o", "new/place").out == ""


def test_what_was_edited_is_kept(airq: "Airq") -> None:
    """A file that differs makes way under another name: somebody may have written into it."""
    airq("schedule", "windows", "-o", "x")
    path = airq.directory / "x" / "airq-etl.xml"
    path.write_text("mine")
    assert "x/airq-etl.xml: written; what was there is airq-etl.xml~" in airq("schedule", "windows", "-o", "x").out
    assert path.with_name("airq-etl.xml~").read_text() == "mine"
    assert "<Task" in path.read_text()


def test_secrets_that_were_filled_in_are_left_alone(airq: "Airq") -> None:
    """The Secret of Kubernetes is its user's alone, and written once."""
    airq("schedule", "kubernetes", "-o", "x")
    path = airq.directory / "x" / "airq-etl-secret.yaml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("filled in")
    assert "secret.yaml: left as it is, since it may hold your secrets" in airq("schedule", "kubernetes", "-o", "x").out
    assert [p.name for p in path.parent.iterdir() if "secret" in p.name] == [path.name]
    assert path.read_text() == "filled in"


def test_a_data_directory_of_the_env_file_is_named_there_alone(airq: "Airq") -> None:
    """So that changing it there changes it; one that is written otherwise is not found by a scheduler, and is named."""
    env_file = airq.directory / ".env"
    env_file.write_text(f"AIRQ_DATA_DIR={airq.directory / 'data'}\n")
    assert "--data-dir" not in airq("schedule", "cron").out
    env_file.write_text("AIRQ_DATA_DIR=data\n")
    assert f"--data-dir {airq.directory / 'data'}" in airq("schedule", "cron").out


def test_without_an_env_file_none_is_named(airq: "Airq") -> None:
    """The settings are then the defaults."""
    assert "--env-file" not in airq("schedule", "cron").out
    assert "LoadCredential" not in airq("schedule", "systemd").out


def test_a_share_of_the_stations_is_scheduled(airq: "Airq") -> None:
    """Of two servers each may have its half."""
    line = next(line for line in airq("schedule", "cron", "--shard", "1/2").out.splitlines() if line.startswith("17 "))
    assert line.endswith(" --shard 1/2 -q")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "target"),
        (["anacron"], "anacron"),
        (["cron", "--minute", "0"], "--minute 0: the hour that has just ended is still filling then"),
        (["cron", "--minute", "60"], "--minute"),
        (["cron", "--every", "5"], "--every 5: hours of which a day has a whole number: 1, 2, 3, 4, 6, 8, 12, 24"),
        (["cron", "--every", "30m"], "--every 30m"),
        (["cron", "--name", "../x"], "--name '../x'"),
        (["cron", "--name", "Air"], "--name 'Air'"),
        (["cron", "--name", "a" * 41], "up to 40 lower-case letters"),
        (["cron", "--mail-to", ""], "--mail-to ''"),
        (["systemd", "--user", ""], "--user ''"),
        (["systemd", "--user", "a b"], "--user 'a b'"),
        (["windows", "--user", ""], "--user ''"),
        (["cron", "--log-file", "gone/x.json"], "name a file in a directory that is there"),
        (["cron", "--log-file", "."], "name a file in a directory that is there"),
        (["docker", "--shard", "0/2"], "docker takes all stations; leave it out"),
        (["airflow", "--shard", "0/2"], "airflow takes all stations, and --shards splits them; leave it out"),
        (["cron", "--mail-to", "a b"], "--mail-to 'a b'"),
        (["cron", "--mail-to", "a\nb"], "--mail-to"),
        (["cron", "--user", "ada"], "--user is of systemd and windows, not of cron"),
        (["systemd", "--install"], "--install is of cron, not of systemd"),
        (["systemd", "--user", "a\nb"], "--user"),
        (["cron", "--shards", "3"], "--shards is of "),
        (["cron", "--install", "--remove"], "--install and --remove do not go together"),
        (["cron", "--yes"], "--yes belongs to --install and --remove"),
        (["cron", "--install", "-o", "x"], "-o writes a file"),
        (["cron", "--data-dir", "a\nb"], "no scheduler takes a path with such a character"),
        (["cron", "--data-dir", "a\\%"], "cron takes a \\ away"),
        (["windows", "--data-dir", "%TEMP%/x"], "Task Scheduler would replace"),
        (["cron", "--env-file", "missing.env"], "missing.env"),
        (["cron", "--shard", "4/4"], "--shard"),
    ],
)
def test_what_will_not_do_is_one_line(airq: "Airq", words: list[str], named: str) -> None:
    """Wrong options are named in one line with exit code 2, and nothing is printed or written."""
    ran = airq("schedule", *words, expect=2)
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1
    assert named.lower() in ran.err.lower()
    assert not (airq.directory / "x").exists()


def test_a_directory_that_cannot_be_made(airq: "Airq") -> None:
    """A file in its place is named."""
    (airq.directory / "taken").touch()
    assert "taken cannot be written: File exists" in airq("schedule", "cron", "-o", "taken", expect=1).err


def test_stations_are_told_once(airq: "Airq") -> None:
    """Those that the stations file lists are not listed beside it; those that AIRQ_STATIONS names are."""
    stations = airq.directory / "stations.toml"
    stations.write_text("[283164601]\n[283181972]\n")
    given = {"AIRQ_STATIONS_FILE": str(stations)}
    assert "AIRQ_STATIONS:" not in airq("schedule", "kubernetes", env=given).out
    assert (
        'AIRQ_STATIONS: "283181972"' in airq("schedule", "kubernetes", env=given | {"AIRQ_STATIONS": "283181972"}).out
    )


def test_a_data_directory_that_systemd_would_not_make(airq: "Airq") -> None:
    """Outside of /var/lib it is to be there: systemd would start nothing, and not say why in plain words."""
    somewhere = airq.directory / "somewhere"
    assert f"{somewhere} is not there" in airq("schedule", "systemd", "--data-dir", "x/../somewhere").err
    somewhere.mkdir()
    for there in ("somewhere", "/var/lib/is-not-there"):
        assert "is not there" not in airq("schedule", "systemd", "--data-dir", there).err


def test_paths_of_settings_that_only_work_from_here(airq: "Airq") -> None:
    """A scheduler starts elsewhere: a relative stations file would not be found."""
    (airq.directory / "stations.toml").write_text("[283164601]\n")
    (airq.directory / ".env").write_text("AIRQ_STATIONS_FILE=stations.toml\n")
    said = airq("schedule", "cron", expect=2).err
    assert f"AIRQ_STATIONS_FILE: stations.toml is found from here alone: write it as {airq.directory}" in said


def test_settings_of_the_shell_are_warned_of(airq: "Airq") -> None:
    """What stands in the environment here is not there for a scheduler, and the data directory is named instead."""
    said = airq("schedule", "cron", env={"AIRQ_MIN_HOURS": "12", "AIRQ_DATA_DIR": "/data/air"})
    assert "AIRQ_MIN_HOURS: from your shell, which a scheduler does not have" in said.err
    assert "AIRQ_DATA_DIR" not in said.err
    assert "--data-dir /data/air" in said.out


@pytest.mark.parametrize(("hours", "warned"), [("1", False), ("2", True), ("6h", True)])
def test_rare_runs_are_overdue(airq: "Airq", hours: str, *, warned: bool) -> None:
    """Runs that are as far apart as an alert waits for one open it each time: the setting is named."""
    assert ("AIRQ_ALERT_OVERDUE_H" in airq("schedule", "cron", "--every", hours).err) == warned


@pytest.mark.parametrize(
    ("target", "words", "env", "told"),
    [
        ("cron", [], {"AIRQ_NOW": "2026-09-09T10:20"}, "AIRQ_NOW is set: every run would take it to be that time"),
        ("cron", [], {"AIRQ_RUN_DEADLINE_S": "5000"}, "AIRQ_RUN_DEADLINE_S=5000: a run may still be at work"),
        ("airflow", ["--shards", "2"], {}, "without AIRQ_MONGODB_URI each share has a store of its own"),
        (
            *("airflow", ["--shards", "2"]),
            {"AIRQ_REFRESH_TOKEN": "x", "AIRQ_CLIENT_SECRET": "y"},
            "AIRQ_REFRESH_TOKEN: where each use replaces it, the first share to use it shuts the others out",
        ),
        ("systemd", ["--user", "no-such-user"], {}, "there is no user no-such-user on this machine: `useradd"),
    ],
)
def test_what_would_go_wrong_is_warned_of(
    airq: "Airq", target: str, words: list[str], env: dict[str, str], told: str
) -> None:
    """Once an entry is in use nobody may be looking: what can be seen from here is told, and the entry made."""
    said = airq("schedule", target, *words, env=env)
    assert f"warning: {told}" in said.err
    assert said.out
    assert told not in airq("schedule", target).err


@pytest.mark.parametrize(("closed", "open_"), [(0o700, 0o711), (0o600, 0o644)])
def test_what_is_closed_to_the_user_of_a_service_is_named(airq: "Airq", closed: int, open_: int) -> None:
    """A directory on the way, or the stations file itself: systemd would only say that it failed."""
    # Not in one of pytest's, which are closed to others from the top.
    with tempfile.TemporaryDirectory() as made:
        place, stations = Path(made), Path(made) / "stations.toml"
        place.chmod(0o711)
        stations.write_text("[283164601]\n")
        stations.chmod(0o644)
        shut = place if closed == 0o700 else stations
        env = {"AIRQ_STATIONS_FILE": str(stations), "AIRQ_DATA_DIR": "/var/lib/is-not-there"}
        for mode, named in ((closed, True), (open_, False)):
            shut.chmod(mode)
            said = airq("schedule", "systemd", "--user", "nobody", env=env).err
            assert (f"{shut} is closed to nobody, who is to run it" in said) == named


@pytest.mark.parametrize(("every", "hours"), [(1, "*"), (3, "*/3"), (24, "0")])
def test_hours_of_cron(every: int, hours: str) -> None:
    """Runs every so many hours come at the same hours of each day, by UTC where cron can be told."""
    block = cron.block(plan(every=every))
    assert f"\n17 {hours} * * * /opt/" in block
    assert ("\nCRON_TZ=UTC\n" in block) == (every > 1)


def test_a_log_file_takes_what_would_be_mailed() -> None:
    """With a log file a run logs one JSON object a line into it, and has nothing to mail."""
    line = next(s for s in cron.block(plan(log_file=Path("/var/log/a b%.json"))).splitlines() if s.startswith("17 "))
    assert line.endswith(r" --log-format json >/dev/null 2>>'/var/log/a b\%.json'")
    assert " -q" not in line


def test_a_log_file_is_named_in_full(airq: "Airq") -> None:
    """A job starts elsewhere."""
    assert f"2>>{airq.directory / 'x.json'}\n" in airq("schedule", "cron", "--log-file", "x.json").out


def test_a_task_starts_at_home(airq: "Airq") -> None:
    """Not in a directory of Windows, where nothing of ours may be written."""
    assert f"<WorkingDirectory>{airq.directory}</WorkingDirectory>" in airq("schedule", "windows").out


@pytest.mark.parametrize("target", ["systemd", "windows"])
def test_a_run_has_the_time_of_its_deadline(airq: "Airq", target: str) -> None:
    """And a minute more, by when it has ended by itself."""
    said = airq("schedule", target, env={"AIRQ_RUN_DEADLINE_S": "600"}).out
    assert {"systemd": "\nTimeoutStartSec=660\n", "windows": ">PT11M0S<"}[target] in said


def written(made: list[Entry], directory: Path) -> list[Path]:
    for entry in made:
        (directory / entry.name).write_text(entry.text, encoding="utf-8")
    return [directory / entry.name for entry in made]


def installed(directory: Path) -> Plan:
    """A plan whose program is there, in a directory with a name as hostile as systemd takes; so are its data."""
    place, programs = directory / HOSTILE, directory / HOSTILE.replace('"', "").replace("'", "")
    program = programs / "airq-etl"
    for made in (place, programs):
        made.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    return plan(program=(str(program),), env_file=place / "x.env", data_dir=place)


def test_what_systemd_does_not_start_is_refused() -> None:
    """It takes no quote and no backslash in the path of a program, however written."""
    for letter in "\"'\\":
        with pytest.raises(UsageError, match="systemd starts no program with a quote or a backslash in its path"):
            systemd.entries(plan(program=(f"/opt/a{letter}b/airq-etl",)))


@pytest.mark.parametrize("every", EVERY)
def test_systemd_verifies_the_units(tmp_path: Path, program: Callable[[str], str], every: int) -> None:
    """`systemd-analyze verify` has nothing to say, whatever is in the paths, and where there is no env file."""
    verify = [program("systemd-analyze"), "verify"]
    hostile = installed(tmp_path)
    for number, one in enumerate((hostile, msgspec.structs.replace(hostile, env_file=None, user="root"))):
        place = tmp_path / str(number)
        place.mkdir()
        units = written(systemd.entries(msgspec.structs.replace(one, every=every)), place)
        done = subprocess.run(
            [*verify, *units], capture_output=True, text=True, timeout=ANSWER_S, check=False, env=os.environ
        )
        assert (done.stdout + done.stderr, done.returncode) == ("", 0)


def test_systemd_finds_what_is_wrong(tmp_path: Path, program: Callable[[str], str]) -> None:
    """The check itself can fail: a program that is not there, and a setting that systemd does not know."""
    gone = msgspec.structs.replace(installed(tmp_path), program=(str(tmp_path / "gone"),))
    units = written(systemd.entries(gone), tmp_path)
    units[1].write_text(units[1].read_text().replace("Persistent=yes", "Persistant=yes"))
    done = subprocess.run(
        [program("systemd-analyze"), "verify", *units], capture_output=True, text=True, timeout=ANSWER_S, check=False
    )
    assert "gone is not executable" in done.stderr
    assert "Persistant" in done.stderr


def test_the_service_is_exposed_to_little(tmp_path: Path, program: Callable[[str], str]) -> None:
    """Of what a service could do, systemd itself says that it is OK."""
    service, _ = written(systemd.entries(plan()), tmp_path)
    done = subprocess.run(
        [program("systemd-analyze"), "security", "--offline=true", "--no-pager", service],
        capture_output=True,
        text=True,
        timeout=ANSWER_S,
        check=True,
    )
    found = re.search(r"Overall exposure level for airq-etl.service: ([\d.]+)", done.stdout)
    assert found
    assert float(found[1]) <= MOST_EXPOSED


def service(one: Plan) -> dict[str, list[str]]:
    """The settings of the service, each with its values."""
    found: dict[str, list[str]] = {}
    for line in systemd.entries(one)[0].text.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_secrets_come_as_a_credential() -> None:
    """The env file is read by systemd, and named to the run where systemd puts it."""
    found = service(plan(env_file=Path("/etc/a b%.env")))
    assert found["LoadCredential"] == ["airq-etl.env:/etc/a b%%.env"]
    assert " run --env-file ${CREDENTIALS_DIRECTORY}/airq-etl.env " in found["ExecStart"][0]


def test_a_dollar_is_none_of_a_variable() -> None:
    """In a word of the command it is doubled, and in the path of the program it stands for itself."""
    found = service(plan(program=("/opt/a$b/airq-etl",), data_dir=Path("/srv/c$d")))
    assert found["ExecStart"][0].startswith('"/opt/a$b/airq-etl" run ')
    assert '--data-dir "/srv/c$$d" -q' in found["ExecStart"][0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"StateDirectory": ["airq-etl"], "User": ["ada"], "ProtectHome": ["yes"], "PrivateTmp": ["yes"]}),
        ({"data_dir": Path("/var/lib")}, {"ReadWritePaths": ["/var/lib"], "StateDirectory": None}),
        ({"user": "root"}, {"StateDirectory": ["airq-etl"], "DynamicUser": ["yes"]}),
        ({"data_dir": Path("/srv/air")}, {"ReadWritePaths": ["/srv/air"], "User": ["ada"]}),
        ({"data_dir": Path("/srv/air"), "user": "root"}, {"ReadWritePaths": ["/srv/air"], "User": ["root"]}),
        ({"data_dir": Path("/home/ada/air")}, {"ProtectHome": ["read-only"], "ReadWritePaths": ["/home/ada/air"]}),
        ({"python": "/root/.pyenv/versions/3.11"}, {"ProtectHome": ["read-only"]}),
        ({"data_dir": Path("/tmp/air")}, {"PrivateTmp": ["no"], "ReadWritePaths": ["/tmp/air"]}),  # noqa: S108
        ({"writes": (Path("/srv/text/airq.prom"),)}, {"ReadWritePaths": ["/srv/text"], "StateDirectory": ["airq-etl"]}),
        ({"deadline_s": 600.0}, {"TimeoutStartSec": ["660"]}),
    ],
)
def test_the_service_sees_what_it_needs(changes: dict[str, object], expected: dict[str, list[str] | None]) -> None:
    """What a run writes may be written; the rest of the disk is read-only, homes and /tmp hidden where they can be."""
    found = service(plan(**changes))
    assert {name: found.get(name) for name in expected} == expected
    assert ("User" in found) != ("DynamicUser" in found)
    assert found["ProtectSystem"] == ["strict"]
    assert found["NoNewPrivileges"] == ["yes"]
    assert found["SuccessExitStatus"] == ["75"]


@pytest.mark.parametrize(("every", "calendar"), [(1, "*"), (3, "00/3"), (24, "00")])
def test_the_timer_goes_by_utc(every: int, calendar: str) -> None:
    """At a minute of the hours, in UTC, and a missed one is made up for."""
    text = systemd.entries(plan(every=every, minute=7))[1].text
    assert f"\nOnCalendar=*-*-* {calendar}:07:00 UTC\n" in text
    assert "\nPersistent=yes\n" in text
    assert "\nRandomizedDelaySec=" in text


@pytest.mark.parametrize("every", EVERY)
def test_the_task_is_as_the_task_scheduler_has_it(every: int) -> None:
    """The XML is valid by the part of Microsoft's schema that it uses, whatever is in the paths."""
    schema = xmlschema.XMLSchema(TASK)
    hostile = plan(every=every, program=(f"/{HOSTILE}/airq-etl",), data_dir=Path(f"/{HOSTILE}"), user="DOMAIN\\björn")
    (entry,) = windows.entries(hostile)
    schema.validate(entry.text)
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(entry.text.replace("<StartBoundary>", "<StartBoundary>at "))
    task = ET.fromstring(entry.text)  # noqa: S314 -- our own
    found = {element.tag.removeprefix(NAMESPACE): element.text for element in task.iter()}
    assert found["Command"] == f"/{HOSTILE}/airq-etl"
    assert found["UserId"] == "DOMAIN\\björn"
    assert found["Interval"] == f"PT{every}H"
    assert found["StartBoundary"] == "2026-01-01T00:17:00Z"
    assert found["MultipleInstancesPolicy"] == "IgnoreNew"
    assert found["StartWhenAvailable"] == "true"
    assert entry.text.isascii()


def test_words_are_quoted_as_windows_takes_them_apart() -> None:
    """A space needs quotes, and a backslash before the last quote is doubled."""
    (entry,) = windows.entries(plan(env_file=Path("C:\\air q\\x.env"), data_dir=Path("C:\\my air\\")))
    assert 'run --env-file "C:\\air q\\x.env" --data-dir "C:\\my air\\\\" -q' in entry.text


def test_a_variable_in_a_path_is_refused() -> None:
    """Task Scheduler would put its value there, and nothing can be written instead."""
    for path in ("C:\\%TEMP%\\air", "C:\\$(Arg0)\\air"):
        with pytest.raises(UsageError, match="Task Scheduler would replace"):
            windows.entries(plan(data_dir=Path(path)))
    assert windows.entries(plan(data_dir=Path("C:\\100%")))
