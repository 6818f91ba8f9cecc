"""What `schedule docker` writes is taken by Docker's own readers, and the script in it keeps the hours."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from airq_etl import __version__
from airq_etl.env_file import read_env_file
from airq_etl.lake import HOURLY, Lake
from airq_etl.schedule import docker
from airq_etl.schedule.plan import Plan
from airq_etl.simulator import Simulator

if TYPE_CHECKING:
    from tests.conftest import Airq

REPOSITORY = Path(__file__).parents[1]
HARDENED = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
WAIT_S, POLL_S, STOPPED_S, CLOCK_S = 60, 0.02, 5, 0.005
AHEAD = timedelta(hours=5, minutes=30)  # of UTC, the zone of the script

# Notes when it was started (by the clock that it finds), and how it ended; `mode` says what it does meanwhile.
RECORDER = """#!/bin/sh
cd '{directory}'
echo $$ >pid
trap 'echo TERM >>ended; exit 143' TERM
echo "$(date +%s) $*" >>started
case $(cat mode) in
hang) while :; do sleep 0.05; done ;;
fail) exit 5 ;;
esac
"""


def plan(**given: Any) -> Plan:  # noqa: ANN401 -- whatever a plan has
    return Plan(
        **{"program": ("/opt/airq/bin/airq-etl",), "data_dir": Path("/srv/air"), "image": "airq-etl:1", **given}
    )


def texts(**given: Any) -> dict[str, str]:  # noqa: ANN401 -- as above
    return {entry.name: entry.text for entry in docker.entries(plan(**given))}


# ---- the image


@pytest.fixture
def linted(program: "Callable[[str], str]") -> "Callable[[str], str]":
    """Call with a Dockerfile; what hadolint says of it."""
    hadolint = program("hadolint")

    def lint(text: str) -> str:
        words = [hadolint, "--no-color", "--failure-threshold", "none", "-"]
        done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=WAIT_S, check=False)
        assert done.returncode in {0, 1}
        return done.stdout + done.stderr

    return lint


def test_hadolint_has_nothing_to_say(linted: "Callable[[str], str]") -> None:
    """Of the instructions nor of the shell in them."""
    assert linted(texts()["Dockerfile"]) == ""


def test_hadolint_says_what_is_wrong(linted: "Callable[[str], str]") -> None:
    """The check itself can fail: an image without a tag, root, a word unquoted, an instruction that there is not."""
    text = texts()["Dockerfile"]
    assert "DL3006" in linted(text.replace("python:3.13-slim", "python").replace("${PYTHON}", "python"))
    assert "DL3002" in linted(text.replace("USER 10001:10001", "USER root"))
    assert "SC2046" in linted(re.sub(r'"(\$\(python3 .*\))"', r"\1", text))
    assert "unexpected 'H'" in linted(text.replace("HEALTHCHECK", "HEALTH"))


def test_the_image_is_small_and_may_do_little() -> None:
    """Slim, built in a stage of its own, no root, byte code with it, and a check of its health by `status`."""
    text = texts()["Dockerfile"].replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    said = [(word, rest) for word, rest in lines]
    assert [rest for word, rest in said if word == "FROM"] == ["${PYTHON} AS build", "${PYTHON}"]
    assert ("ARG", "PYTHON=python:3.13-slim") in said
    assert ("USER", "10001:10001") in said
    assert ("VOLUME", "/data") in said
    compiled = [
        rest for word, rest in said if word == "RUN" and "compileall -q --invalidation-mode unchecked-hash" in rest
    ]
    assert len(compiled) == 2
    assert "'.[alerts,report]'" in compiled[0]
    (health,) = [rest for word, rest in said if word == "HEALTHCHECK"]
    assert json.loads(health.partition("CMD ")[2]) == ["airq-etl", "status", "--check", "-q"]
    assert f'version="{__version__}"' in text
    after = said.index(("USER", "10001:10001"))
    assert not [word for word, _ in said[after:] if word in {"RUN", "COPY"}]


def test_the_image_is_built_from_what_it_needs() -> None:
    """Nothing else goes to the builder: no .env, no data; and all that is copied is let through, and there."""
    written = texts()
    ignored = [line for line in written[".dockerignore"].splitlines() if line and not line.startswith("#")]
    let_through = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    copied = {
        word
        for line in written["Dockerfile"].splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in re.sub(r"--\S+ ", "", line).split()[1:-1]
    }
    assert copied == let_through
    assert all((REPOSITORY / name).exists() or name in written for name in copied)


# ---- the compose file


class Read(NamedTuple):
    """How the reading of a compose file ended."""

    code: int
    out: str
    err: str

    def service(self, name: str) -> dict[str, Any]:
        """One of its services."""
        found: dict[str, Any] = json.loads(self.out)["services"][name]
        return found


def read(compose_check: Path, file: Path) -> Read:
    done = subprocess.run([compose_check, file], capture_output=True, text=True, timeout=WAIT_S, check=False)
    return Read(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def project(compose_check: Path, airq: "Airq") -> "Callable[..., Read]":
    """Call with words for `schedule docker`; the project as Docker Compose has it."""

    def made(*words: str, env: Mapping[str, str] | None = None) -> Read:
        airq("schedule", "docker", *words, "-o", "out", env=env)
        found = read(compose_check, airq.directory / "out" / "compose.yaml")
        assert found.code == 0, found.err
        return found

    return made


def test_compose_takes_it(project: "Callable[..., Read]") -> None:
    """A scheduler, which waits for a MongoDB that nothing outside reaches; neither may do much."""
    found = project("--minute", "23", "--every", "6")
    scheduler, mongodb = found.service("airq-etl"), found.service("mongodb")
    assert scheduler["command"] == ["hourly", "23", "6"]
    assert scheduler["environment"] == {
        "AIRQ_DATA_DIR": "/data",
        "AIRQ_MONGODB_URI": "mongodb://mongodb:27017/air_quality",
    }
    assert scheduler["depends_on"]["mongodb"]["condition"] == "service_healthy"
    assert set(scheduler["networks"]) == {"default", "store"}
    assert set(mongodb["networks"]) == {"store"}
    assert json.loads(found.out)["networks"]["store"]["internal"] is True
    assert "mongosh" in mongodb["healthcheck"]["test"]
    for service in (scheduler, mongodb):
        assert "ports" not in service
        assert service["restart"] == "unless-stopped"
        assert service["stop_grace_period"] == "1m0s"
        assert service["logging"]["options"] == {"max-file": "5", "max-size": "10m"}
        assert {name: service[name] for name in HARDENED} == HARDENED
    assert [volume["target"] for volume in scheduler["volumes"]] == ["/data"]
    assert [volume["target"] for volume in mongodb["volumes"]] == ["/data/db"]


def test_compose_refuses_what_is_wrong(compose_check: Path, tmp_path: Path) -> None:
    """The check itself can fail: a word that is none, a volume, network or service that nobody has."""
    text = texts()["compose.yaml"]
    (tmp_path / "compose.yaml").write_text(text)
    assert read(compose_check, tmp_path / "compose.yaml").code == 0
    for right, wrong, said in (
        ("restart:", "restarts:", "additional properties 'restarts' not allowed"),
        ("- data:/data", "- date:/data", "refers to undefined volume date"),
        ("networks: [store]", "networks: [stores]", "refers to undefined network stores"),
        ("      mongodb:\n        condition", "      mongo:\n        condition", "depends on undefined service"),
        ("stop_grace_period: 1m", "stop_grace_period: soon", "invalid duration"),
    ):
        assert right in text
        (tmp_path / "compose.yaml").write_text(text.replace(right, wrong))
        refused = read(compose_check, tmp_path / "compose.yaml")
        assert refused.code == 1
        assert said in refused.err


def test_the_env_file_is_read_as_airq_etl_reads_it(project: "Callable[..., Read]", tmp_path: Path) -> None:
    """Value for value: a password may have dollar signs, quotes, hashes, backslashes; and none is written down."""
    password = "pa$$w${HOME}rd#1\\n'\"x=y"  # noqa: S105 -- made up
    text = (
        f"# mine\n\nAIRQ_PASSWORD={password}\nAIRQ_USERNAME=so.me@one\nAIRQ_CLIENT_SECRET=$ecret\nAIRQ_TIMEZONE=UTC\n"
    )
    (tmp_path / "air q.env").write_text(text)
    (tmp_path / "air q.env").chmod(0o600)
    environment = project("--env-file", "air q.env").service("airq-etl")["environment"]
    ours = read_env_file(tmp_path / "air q.env")
    assert ours["AIRQ_PASSWORD"] == password
    assert {name: environment[name] for name in ours} == ours
    for path in (tmp_path / "out").iterdir():
        assert "ecret" not in path.read_text().replace("CLIENT_SECRET", "")
        assert password not in path.read_text()


@pytest.mark.parametrize(
    "line",
    [
        "AIRQ_PASSWORD='quoted'",
        'AIRQ_PASSWORD="quoted"',
        "AIRQ_PASSWORD=x # mine",
        "export AIRQ_PASSWORD=x",
        "AIRQ_PASSWORD = x",
    ],
)
def test_an_env_file_that_docker_reads_otherwise_is_refused(airq: "Airq", line: str) -> None:
    """It names the file and the setting, and how to write it; a wrong password would be found hours later."""
    (airq.directory / "air.env").write_text(f"AIRQ_TIMEZONE=UTC\n{line}\n")
    (airq.directory / "air.env").chmod(0o600)
    said = airq("schedule", "docker", "--env-file", "air.env", expect=2)
    assert said.out == ""
    assert re.fullmatch(
        r"airq-etl: \S+/air.env: Docker would read .*AIRQ_PASSWORD.* otherwise; write NAME=value .*\n", said.err
    )


def test_a_mongodb_of_ones_own_is_kept(project: "Callable[..., Read]", tmp_path: Path) -> None:
    """Where AIRQ_MONGODB_URI names one there is no other."""
    (tmp_path / "air.env").write_text("AIRQ_MONGODB_URI=mongodb://u:p$w@mongo.example.org/air\n")
    (tmp_path / "air.env").chmod(0o600)
    found = project("--env-file", "air.env")
    assert set(json.loads(found.out)["services"]) == {"airq-etl"}
    assert set(json.loads(found.out)["volumes"]) == {"data"}
    assert found.service("airq-etl")["environment"]["AIRQ_MONGODB_URI"] == "mongodb://u:p$w@mongo.example.org/air"


def test_files_and_settings_come_along(project: "Callable[..., Read]", tmp_path: Path) -> None:
    """What the settings name of this machine is in the container, whatever its path; and so are they themselves."""
    directory = tmp_path / "a b$HOME: #"
    (directory / "textfile").mkdir(parents=True)
    (directory / "stations.toml").write_text("[283164601]\n")
    env = {"AIRQ_STATIONS_FILE": str(directory / "stations.toml"), "AIRQ_CLIENT_ID": "a$b: '#'"}
    env["AIRQ_METRICS_FILE"] = str(directory / "textfile" / "airq_etl.prom")
    scheduler = project(env=env).service("airq-etl")
    environment, mounts = scheduler["environment"], {one["target"]: one for one in scheduler["volumes"]}
    assert environment["AIRQ_CLIENT_ID"] == "a$b: '#'"
    stations = mounts[environment["AIRQ_STATIONS_FILE"]]
    assert (stations["source"], stations["read_only"]) == (str(directory / "stations.toml"), True)
    metrics = mounts[str(Path(environment["AIRQ_METRICS_FILE"]).parent)]
    assert metrics["source"] == str(directory / "textfile")
    assert Path(environment["AIRQ_METRICS_FILE"]).name == "airq_etl.prom"


# ---- the script


class Hours:
    """The script as a process, where `airq-etl` is the recorder; under a clock of its own where there is one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._process: subprocess.Popen[str] | None = None
        (directory / "bin").mkdir()
        (directory / "bin/airq-etl").write_text(RECORDER.format(directory=directory))
        (directory / "bin/airq-etl").chmod(0o700)
        (directory / "hourly").write_text(texts()["hourly.sh"])
        self.mode("end")

    def mode(self, mode: str) -> None:
        """What runs do from now on: end, fail or hang."""
        (self.directory / "mode").write_text(mode)

    def start(self, *words: str, clock: Mapping[str, str] | None = None) -> None:
        """Start it with these words."""
        self._process = subprocess.Popen(
            ["sh", self.directory / "hourly", *words],
            env={"PATH": f"{self.directory / 'bin'}:/usr/bin:/bin", "TZ": "IST-5:30", **(clock or {})},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def stop(self) -> tuple[int, str]:
        """Tell it to stop; its exit code, and what it said."""
        assert self._process is not None
        self._process.terminate()
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Its exit code, and what it said, when it has ended and nothing is left of it."""
        assert self._process is not None
        said = self._process.communicate(timeout=STOPPED_S)[1]
        return self._process.returncode, said

    def end(self) -> None:
        """Leave nothing running."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate(timeout=STOPPED_S)

    def lines(self, name: str) -> list[str]:
        """What the recorder wrote."""
        path = self.directory / name
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, name: str, count: int) -> list[str]:
        """So many lines of it."""
        until = time.monotonic() + WAIT_S
        while len(self.lines(name)) < count:
            assert time.monotonic() < until, f"{self.lines(name)} are not {count} lines"
            time.sleep(POLL_S)
        return self.lines(name)


@pytest.fixture
def hours(tmp_path: Path) -> Iterator[Hours]:
    """See `Hours`."""
    found = Hours(tmp_path)
    yield found
    found.end()


class Clock:
    """A clock that is `speed` times as fast; what is started with its environment goes by it, sleep included."""

    def __init__(self, directory: Path, library: str, begin: datetime, speed: int) -> None:
        self._file, self._begin, self._speed = directory / "clock", begin, speed
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go)
        self.environment = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1"}

    def __enter__(self) -> Mapping[str, str]:
        self._began = time.monotonic()
        self._write()
        self._thread.start()
        return self.environment

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _go(self) -> None:
        while not self._ended.wait(CLOCK_S):
            self._write()

    def _write(self) -> None:
        """Say what time it is: a process takes it from there when it begins. Local, as libfaketime has it."""
        now = self._begin + self._speed * timedelta(seconds=time.monotonic() - self._began) + AHEAD
        written = self._file.with_suffix(".new")
        written.write_text(f"@{now:%Y-%m-%d %H:%M:%S} x{self._speed}\n")
        written.replace(self._file)


@pytest.fixture
def clock(hours: Hours, program: "Callable[[str], str]") -> "Callable[[datetime, int], Clock]":
    """Call with a time and a speed; see `Clock`."""
    words = [program("faketime"), "-f", "+0", "printenv", "LD_PRELOAD"]
    library = subprocess.run(words, capture_output=True, text=True, timeout=WAIT_S, check=True).stdout.strip()
    return lambda begin, speed: Clock(hours.directory, library, begin, speed)


def test_runs_begin_at_their_minute(hours: Hours, clock: "Callable[[datetime, int], Clock]") -> None:
    """At once, then at minute 17 of each hour of UTC, hour after hour without drift, whether they fail or not."""
    hours.mode("fail")
    begin = datetime(2026, 9, 9, 9, 50, tzinfo=UTC)
    with clock(begin, 600) as environment:
        hours.start("17", "1", clock=environment)
        started = [line.split() for line in hours.wait_for("started", 5)]
        code, said = hours.stop()
    assert code == 0
    times = [datetime.fromtimestamp(int(at), UTC) for at, *_ in started]
    assert timedelta(0) <= times[0] - begin < timedelta(minutes=10)
    due = [datetime(2026, 9, 9, 10 + number, 17, tzinfo=UTC) for number in range(4)]
    # A real second is ten minutes.
    assert all(timedelta(0) <= at - wanted < timedelta(minutes=9) for at, wanted in zip(times[1:5], due, strict=True))
    assert {tuple(words) for _, *words in started} == {("run", "-q")}
    assert said.splitlines()[:4] == ["hourly: airq-etl run ended with exit code 5"] * 4


@pytest.mark.parametrize(("minute", "every", "due"), [("5", "6", 12), ("59", "24", 24)])
def test_runs_begin_at_their_hours(
    hours: Hours, clock: "Callable[[datetime, int], Clock]", minute: str, every: str, due: int
) -> None:
    """With --every at those hours of the day (UTC) that cron has them at."""
    midnight = datetime(2026, 9, 9, tzinfo=UTC)
    wanted = midnight + timedelta(hours=due, minutes=int(minute))
    with clock(wanted - timedelta(hours=2), 1200) as environment:
        hours.start(minute, every, clock=environment)
        _, second = (line.split()[0] for line in hours.wait_for("started", 2)[:2])
        hours.stop()
    at = datetime.fromtimestamp(int(second), UTC)
    assert timedelta(0) <= at - wanted < timedelta(minutes=50)


def test_runs_that_came_due_meanwhile_are_one(hours: Hours, clock: "Callable[[datetime, int], Clock]") -> None:
    """After a run that took hours one follows at once, and not one for each hour."""
    hours.mode("hang")
    with clock(datetime(2026, 9, 9, 10, 10, tzinfo=UTC), 1800) as environment:
        hours.start("17", "1", clock=environment)
        hours.wait_for("started", 1)
        time.sleep(5)  # two hours and a half, of its clock
        hours.mode("end")
        os.kill(int(hours.lines("pid")[0]), signal.SIGTERM)
        slots = [_slot(line) for line in hours.wait_for("started", 3)[:3]]
        hours.stop()
    assert slots[1] - slots[0] >= 2
    assert slots[2] - slots[1] == 1


def test_stopping_it_ends_a_run(hours: Hours) -> None:
    """SIGTERM, as `docker stop` sends it, reaches the run, which has time to end; both are gone at once."""
    hours.mode("hang")
    hours.start("17", "1")
    hours.wait_for("started", 1)
    assert hours.stop() == (0, "")
    assert hours.lines("ended") == ["TERM"]


def test_stopping_it_ends_its_sleep(hours: Hours) -> None:
    """It does not wait for the next hour, nor begin another run."""
    hours.start("17", "1")
    hours.wait_for("started", 1)
    time.sleep(0.3)  # it sleeps by then
    assert hours.stop() == (0, "")
    assert len(hours.lines("started")) == 1


@pytest.mark.parametrize("words", [("08", "1"), ("60", "1"), ("17", "5"), ("17", "01"), ("x", "1")])
def test_what_is_no_minute_is_refused(hours: Hours, words: tuple[str, str]) -> None:
    """An edited compose file is told so, instead of running at another hour, or without end."""
    hours.start(*words)
    code, said = hours.ended()
    assert code == 2
    assert said.startswith("hourly: ")
    assert said.count("\n") == 1


def test_it_runs_the_real_thing(hours: Hours, airq: "Airq") -> None:
    """As the image has it: `airq-etl run -q` into /data, found on the path, and ended with the script."""
    now = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)
    with Simulator([283164601], now=lambda: now) as simulator:
        year = simulator.source
        simulator.source = lambda station, first, last, at: year(station, max(first, at - timedelta(days=2)), last, at)
        settings = {"AIRQ_API_URL": simulator.url, "AIRQ_STATIONS": "283164601", "AIRQ_NOW": now.isoformat()}
        settings["AIRQ_DATA_DIR"] = str(hours.directory / "data")
        exports = "".join(f"export {name}='{value}'\n" for name, value in settings.items())
        program = shutil.which("airq-etl", path=str(Path(sys.executable).parent))
        assert program, "the project is not installed beside this Python"
        (hours.directory / "bin/airq-etl").write_text(f'#!/bin/sh\n{exports}"{program}" "$@"\necho $? >>ended\n')
        hours.start("17", "1")
        assert hours.wait_for("ended", 1) == ["0"]
        assert hours.stop() == (0, "")
    assert Lake(hours.directory / "data").read(HOURLY).height > 30
    assert "no good run" not in airq("status", "--check", "-q", env=settings).out


def _slot(line: str) -> int:
    """The number of the hour from minute 17 to minute 17 in which a run was started."""
    return (int(line.partition(" ")[0]) - 17 * 60) // 3600
