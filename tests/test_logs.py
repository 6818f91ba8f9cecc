"""What stands on stderr: one event a line, in text for people and in JSON for machines, without a secret."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.frames import body, hour
from tests.server import Reply, Server, in_turn, serving

if TYPE_CHECKING:
    from tests.conftest import Airq, Ran

TOP = Path(__file__).parents[1]
LOGS = (TOP / "README.md").read_text(encoding="utf-8").partition("\n## Logs\n")[2].partition("\n## ")[0]
GOOD = Reply(body=body({n: {"CO": 1.0} for n in range(30)}))
JSON = ("--log-format", "json")
STEPS = ["extract", "transform", "load", "forecast", "sanity-check"]
AWKWARD = ["pa\"ss'word", "back\\slash\\n", "Pässwörd-ß", "per%cent&plus+", "two  spaces", "tab\tinside"]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(in_turn(GOOD)) as opened:
        yield opened


@pytest.fixture
def env(server: Server) -> dict[str, str]:
    return {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": hour(31).isoformat()}


def events(ran: "Ran") -> list[dict[str, Any]]:
    """Every line on stderr; fails where one is no JSON object."""
    found = [json.loads(line) for line in ran.err.splitlines()]
    assert all(isinstance(event, dict) for event in found)
    return found


def test_every_event_of_a_run_has_its_id(airq: "Airq", env: dict[str, str], server: Server) -> None:
    """From its start on, each event bears the id of the run, which is that of the result."""
    server.script = in_turn(Reply(404, b"{}"))
    ran = airq("run", "--json", *JSON, env=env, expect=5)
    found = events(ran)
    assert {event["log.level"] for event in found} >= {"info", "error"}
    assert {event["labels.run_id"] for event in found} == {ran.json["run_id"]}


def test_a_run_and_its_steps_are_events(airq: "Airq", env: dict[str, str]) -> None:
    """A run starts, its steps end with how long they took (in nanoseconds) and how it went, and it ends."""
    ran = airq("run", "--json", *JSON, env=env)
    started, *steps, ended = [event for event in events(ran) if "event.action" in event]
    assert (started["event.action"], ended["event.action"]) == ("run-started", "run-ended")
    assert [(e["event.action"], e["labels.step"], e["event.outcome"]) for e in steps] == [
        ("step-ended", step, "success") for step in STEPS
    ]
    assert ended["event.duration"] == round(ran.json["duration_s"] * 1e9)
    assert sum(step["event.duration"] for step in steps) <= ended["event.duration"]


def test_the_end_of_a_bad_run_is_an_error(airq: "Airq", env: dict[str, str], server: Server) -> None:
    """It has exit code and message, and is there with -q; the end of a good run is not."""
    assert events(airq("run", "-q", *JSON, env=env)) == []
    server.script = in_turn(Reply(404, b"{}"))
    (ended,) = [e for e in events(airq("run", "-q", *JSON, env=env, expect=5)) if e.get("event.action") == "run-ended"]
    assert (ended["log.level"], ended["process.exit_code"]) == ("error", 5)
    assert ended["error.message"].startswith("station 7: the API does not know this station")


def test_the_outcome_of_a_bad_run(airq: "Airq", env: dict[str, str], server: Server) -> None:
    """A run that lacks a station is found among failures, with its state beside the outcome; so is its step."""
    server.script = lambda request: Reply(404, b"{}") if request.path.endswith("9") else GOOD
    ran = airq("run", *JSON, env=env | {"AIRQ_STATIONS": "7,9"}, expect=3)
    outcomes = [
        (e.get("labels.step"), e["event.outcome"], e["labels.state"]) for e in events(ran) if "event.outcome" in e
    ]
    assert outcomes[0] == ("extract", "failure", "PARTIAL")
    assert outcomes[1] == ("transform", "success", "SUCCESS")
    assert outcomes[-1] == (None, "failure", "PARTIAL")


def test_a_terminal_stays_as_it_was(airq: "Airq", env: dict[str, str]) -> None:
    """As text, events of runs and steps are shown with -v alone; with -q there are none in JSON, either."""
    assert airq("run", env=env).err == ""
    assert airq("run", "-q", *JSON, env=env).err == ""
    said = airq("run", "-v", env=env).err
    assert re.search(r"^airq-etl: transform: SUCCESS after \d+\.\d s$", said, re.MULTILINE)


def test_every_field_is_described(airq: "Airq", env: dict[str, str], server: Server) -> None:
    """README names the fields that there are, and no other."""
    server.script = in_turn(Reply(404, b"{}"))
    found = events(airq("run", "-v", *JSON, env=env, expect=5))
    found += events(airq("run", "-v", "--nosuch", *JSON, expect=2))
    named = set(re.findall(r"`(@timestamp|message|(?:\w+\.)+\w+)`", LOGS))
    assert named == {name for event in found for name in event}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["run", "--nosuch", *JSON], 2, "--nosuch"),
        (["--log-format=json", "fetch"], 2, "fetch"),
        ([*JSON], 2, "--help"),
        (["run", *JSON, "--now", "soon"], 2, "'soon'"),
        (["run", "--env-file", "none.env", *JSON], 2, "none.env"),
        ([*JSON, "export", "daily", "-o", "none/x.csv"], 2, "airq-etl run"),
    ],
)
def test_the_last_words_are_an_event(airq: "Airq", words: list[str], code: int, said: str) -> None:
    """What ends a command is one JSON event, too, wherever it was asked for and however early it fails."""
    (event,) = events(airq(*words, expect=code))
    assert said in event["message"]
    assert (event["log.level"], event["process.exit_code"]) == ("error", code)
    assert event["error.message"] in event["message"]
    assert "error.stack_trace" not in event
    (verbose,) = events(airq(*words, "-v", expect=code))
    assert verbose["error.stack_trace"].splitlines()[-1].endswith(event["error.message"])


def test_the_text_of_the_last_words(airq: "Airq") -> None:
    """As text they are the line that they were."""
    ran = airq("run", "--now", "soon", expect=2)
    assert ran.err == "airq-etl: --now: 'soon' is not a time like 2024-09-09T10:20:00\n"


def _logged(script: str, secret: str, as_json: bool) -> str:  # noqa: FBT001 -- a parameter of the test
    """What a program says that logs with this secret."""
    before = (
        "import json, logging, sys, urllib.parse, warnings\nfrom airq_etl import logs\n"
        f"logs.start(verbose=True, quiet=False, as_json={as_json})\n"
        "secret = json.loads(sys.argv[1])\nlogs.hide([secret])\n"
    )
    command = [sys.executable, "-c", before + script, json.dumps(secret)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_what_other_libraries_say(as_json: bool) -> None:  # noqa: FBT001
    """Their warnings are lines like ours, and hide what ours hide."""
    said = _logged("logging.getLogger('httpx').warning('no %s', secret)\nwarnings.warn(secret)\n", "hush-hush", as_json)
    assert len(said.splitlines()) == 2
    assert "hush-hush" not in said
    if as_json:
        assert [json.loads(line)["log.logger"] for line in said.splitlines()] == ["httpx", "py.warnings"]
    else:
        assert all(line.startswith("airq-etl: warning: ") for line in said.splitlines())


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("secret", AWKWARD)
def test_no_secret_in_any_writing(secret: str, as_json: bool) -> None:  # noqa: FBT001
    """Quotes, backslashes and letters beyond ASCII hide no secret, however it was written before it was logged."""
    script = """
quote = urllib.parse.quote
forms = [secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret), ascii(secret)]
forms += [quote(secret), quote(secret, safe=""), urllib.parse.quote_plus(secret)]
for form in forms:
    logs.LOGGER.warning("the API said %s", form)
try:
    raise ValueError({"password": secret})
except ValueError as error:
    logs.LOGGER.error("%s", error, exc_info=True)
    logs.last_words(str(error), 1)
"""
    said = _logged(script, secret, as_json)
    shown = (
        "".join(map(str, (event for line in said.splitlines() for event in json.loads(line).values())))
        if as_json
        else said
    )
    assert shown.count("***") > 9
    for form in (
        secret,
        " ".join(secret.split()),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        quote(secret),
    ):
        assert form not in said
        assert form not in shown


@pytest.mark.parametrize("words", [["-v"], ["-v", *JSON]])
def test_a_password_that_the_api_repeats(airq: "Airq", env: dict[str, str], server: Server, words: list[str]) -> None:
    """An API that gives the password back, as a key of its answer, does not bring it into the log."""
    password = 'pa"ss\\wörd-5f9'  # noqa: S105
    server.script = in_turn(Reply(body=body({n: {"CO": 1.0, password: 2.0} for n in range(30)})))
    ran = airq("run", *words, env=env | {"AIRQ_PASSWORD": password})
    assert "***" in ran.err
    assert "5f9" not in ran.out + ran.err


def test_the_crontab_line_that_logs_json(airq: "Airq", env: dict[str, str]) -> None:
    """The line in README, under /bin/sh, adds to its file nothing but events."""
    (line,) = re.findall(r"^17 \* \* \* \* (.+)$", LOGS, re.MULTILINE)
    (file,) = re.findall(r"^(\S+\.json) \{$", LOGS, re.MULTILINE)
    assert "%" not in line
    assert f"2>>{file}" in line
    log, settings = airq.directory / "log.json", airq.directory / "etc.env"
    settings.write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    settings.chmod(0o600)
    for before, after in (
        ("/opt/airq-etl/.venv/bin/airq-etl", f"{sys.executable} -m airq_etl"),
        ("/etc/airq-etl.env", str(settings)),
        (file, str(log)),
    ):
        assert before in line
        line = line.replace(before, after)
    for _ in range(2):
        done = subprocess.run(
            ["/bin/sh", "-c", line], env=airq.environment, cwd=airq.directory, capture_output=True, check=True
        )
        assert (done.stdout, done.stderr) == (b"", b"")
    actions = [json.loads(text).get("event.action") for text in log.read_text().splitlines()]
    assert actions.count("run-ended") == 2
