"""doctor: what is well is said to be, and what is not, with what to do; nothing is changed by it."""

import fcntl
import os
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

import pymongo
import pytest
import trustme

from airq_etl import lock
from airq_etl.checkup import STATUSES
from airq_etl.ledger import FILE
from airq_etl.pipeline import doctor
from airq_etl.pipeline.examination import crontab, place
from airq_etl.schedule import cron
from airq_etl.schedule.plan import Plan
from airq_etl.simulator import Simulator
from tests.faults.realm import CREDENTIALS, HUSH, Realm
from tests.faults.state import assert_same, state
from tests.frames import body
from tests.server import Reply, Talk, in_turn, serving, talking

if TYPE_CHECKING:
    from tests.conftest import Airq, Missing, MongoServer, Ran

CHECKS = ("settings", *doctor.CHECKS)
STATION = 283164601
README = Path(__file__).parents[1] / "README.md"
GOOD = Reply(body=body({n: {"CO": 1.0} for n in range(30)}))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """One station, by the clock of the machine."""
    with Simulator((STATION,), now=lambda: datetime.now(UTC)) as opened:
        yield opened


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def silence(over: threading.Event) -> Talk:
    """Accept, and say nothing until it is over."""

    def wait(_: socket.socket) -> None:
        over.wait(30)

    return wait


def settings(url: str, **more: object) -> dict[str, str]:
    given = {"API_URL": url, "STATIONS": STATION, "TIMEOUT_S": 5} | {name.upper(): it for name, it in more.items()}
    return {f"AIRQ_{name}": str(value) for name, value in given.items()}


def written(directory: Path, given: dict[str, str], name: str = "airq.env") -> Path:
    path = directory / name
    path.write_text("".join(f"{key}={value}\n" for key, value in given.items()))
    path.chmod(0o600)
    return path


def data_of(airq: "Airq") -> Path:
    return airq.directory / "share/airq-etl"


def said(ran: "Ran", check: str) -> list[tuple[str, str, str]]:
    """What a check says: status, sentence, action."""
    return [(r["status"], r["sentence"], r["action"]) for r in ran.json["checks"] if r["check"] == check]


def only(ran: "Ran", check: str) -> tuple[str, str, str]:
    (remark,) = said(ran, check)
    return remark


def failed(ran: "Ran") -> set[str]:
    return {r["check"] for r in ran.json["checks"] if r["status"] == "failed"}


def examined(airq: "Airq", *words: str | Path, env: dict[str, str], expect: int = 0) -> "Ran":
    ran = airq("doctor", "--no-cron", "--json", *words, env=env, expect=expect)
    assert ran.err == ""
    return ran


def files(data: Path) -> dict[str, bytes]:
    """All files of a data directory but the store, whose documents `state` compares."""
    return {
        path.relative_to(data).as_posix(): path.read_bytes()
        for path in data.rglob("*")
        if path.is_file() and not path.name.startswith("airq.db")
    }


def test_all_is_well(airq: "Airq", simulator: Simulator) -> None:
    """Each check has its say, in order, within 80 columns; with -q there is nothing to say; no data are changed."""
    env = settings(simulator.url)
    airq("run", "-q", env=env)
    data = data_of(airq)
    before, documents = files(data), state(data)
    ran = airq("doctor", "--no-cron", env=env)
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[:2] for line in lines if line.startswith("ok ")] == [["ok", name] for name in CHECKS]
    assert lines[-1] == "all is well"
    assert airq("doctor", "--no-cron", "-q", env=env).out == ""
    assert files(data) == before
    assert_same(state(data), documents)
    with closing(sqlite3.connect(data / "airq.db")) as store:
        marks = [mark.partition(":")[0] for (mark,) in store.execute("select _id from meta order by _id")]
    assert marks == ["forecasts", "loaded"]


def test_json_is_one_document(airq: "Airq", simulator: Simulator) -> None:
    """With its shape: remarks in order, counts of each status, the exit code, and what the settings are known by."""
    ran = examined(airq, env=settings(simulator.url))
    assert list(ran.json) == [
        *("command", "version", "at", "env_file", "data_dir", "settings"),
        *("checks", "counts", "exit_code"),
    ]
    assert [remark["check"] for remark in ran.json["checks"]] == list(CHECKS)
    assert all(list(remark) == ["check", "status", "sentence", "action"] for remark in ran.json["checks"])
    assert ran.json["counts"] == dict(zip(STATUSES, (len(CHECKS), 0, 0, 0), strict=True))
    assert ran.json["data_dir"] == str(data_of(airq))


# -- settings and zone ---------------------------------------------------------------------------------------------


def test_settings_that_do_not_load(airq: "Airq") -> None:
    """The wrong one is named, the rest is skipped, and it is still a report: exit 2."""
    ran = examined(airq, env={"AIRQ_STATION": "7"}, expect=2)
    assert only(ran, "settings") == (
        "failed",
        "AIRQ_STATION in the environment is not a setting",
        "the nearest one is AIRQ_STATIONS",
    )
    assert {status for name in CHECKS[1:] for status, _, _ in said(ran, name)} == {"skipped"}
    text = airq("doctor", env={"AIRQ_TIMEOUT_S": "soon"}, expect=2).out
    assert text.startswith("FAILED   settings     AIRQ_TIMEOUT_S: 'soon' will not do")
    assert text.splitlines()[-1] == "1 failed, 10 skipped"
    assert "no.env cannot be read" in only(examined(airq, "--env-file", "no.env", env={}, expect=2), "settings")[1]


def test_where_settings_come_from(airq: "Airq", simulator: Simulator) -> None:
    """The env file is named, and each setting that comes from the environment in place of it."""
    env_file = written(airq.directory, settings(simulator.url), ".env")
    ran = examined(airq, env={"AIRQ_RETRIES": "1", "AIRQ_STATIONS": str(STATION), "AIRQ_SWEEP_DAYS": "3"})
    assert only(ran, "settings")[1] == f"1 station; {env_file}; from the environment: AIRQ_RETRIES and AIRQ_SWEEP_DAYS"


def test_secrets_that_others_may_read(airq: "Airq", simulator: Simulator) -> None:
    """A warning, with what to do; a warning leaves the exit code 0."""
    env_file = written(airq.directory, settings(simulator.url, ping_url="http://127.0.0.1:1/uuid"))
    assert len(said(examined(airq, "--env-file", env_file, env={}), "settings")) == 1
    env_file.chmod(0o644)
    ran = examined(airq, "--env-file", env_file, env={})
    assert said(ran, "settings")[1] == (
        "warning",
        f"others may read the secrets in {env_file}",
        f"chmod 600 {env_file}",
    )


def test_when_a_day_begins(airq: "Airq", simulator: Simulator) -> None:
    """Each zone is told with the time of its midnight in UTC, and the machine's, by which cron goes."""
    (airq.directory / "stations.toml").write_text(f'[{STATION}]\ntimezone = "Asia/Kolkata"\n')
    ran = examined(airq, env=settings(simulator.url, stations_file="stations.toml", stations=f"{STATION},7"))
    status, sentence, _ = only(ran, "zone")
    assert status == "ok"
    assert sentence.startswith("a day of Asia/Kolkata begins at 18:30 UTC; a day of UTC begins at 00:00 UTC; cron goes")
    assert sentence.rpartition(" ")[2] in available_timezones()


def test_no_time_zone_database(airq: "Airq", missing: "Missing") -> None:
    """A slim system has none, on which not even UTC is known: it is named, with what to install."""
    probe = "from zoneinfo import available_timezones; print(len(available_timezones()))"
    env = airq.environment | {"PYTHONTZPATH": ""}
    found = subprocess.run([sys.executable, "-c", probe], env=env, capture_output=True, encoding="utf-8", check=True)
    if found.stdout.strip() != "0":
        missing("the package tzdata is installed beside this Python")
    ran = examined(airq, env={"PYTHONTZPATH": ""}, expect=2)
    assert only(ran, "zone")[1:] == ("this machine has no time zone database", "install its package tzdata")


# -- the data directory, the disk, the lock ------------------------------------------------------------------------


def test_no_data_directory_yet(airq: "Airq", simulator: Simulator) -> None:
    """It is well, and is not made."""
    status, sentence, _ = only(examined(airq, env=settings(simulator.url)), "data")
    assert (status, sentence.partition(";")[0]) == ("ok", f"{data_of(airq)} is not there yet")
    assert not data_of(airq).exists()


@pytest.mark.parametrize("part", ["", "hourly", "ledger.db", "below"])
def test_a_data_directory_that_cannot_be_written(
    airq: "Airq", simulator: Simulator, missing: "Missing", part: str
) -> None:
    """The part of it that refuses is named, and the user; what needs it is skipped, the API is asked all the same."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        missing("no `setpriv` to take from root the right to write everywhere")
    env = settings(simulator.url)
    airq("run", "-q", env=env)
    data = data_of(airq)
    (data if part == "below" else data / part).chmod(0o500)
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    more = ["--data-dir", str(data / "below")] if part == "below" else []
    ran = airq("doctor", "--no-cron", "--json", *more, env=env, under=without, expect=2)
    assert failed(ran) == {"data"}
    _, sentence, action = only(ran, "data")
    assert str(data / part) in sentence
    assert "cannot be written" in sentence
    assert action
    assert [only(ran, name)[0] for name in ("lock", "store", "api")] == ["skipped", "skipped", "ok"]


def test_a_data_directory_that_is_a_file(airq: "Airq", simulator: Simulator) -> None:
    """It is said to be no directory."""
    (airq.directory / "kept").write_text("")
    ran = examined(airq, "--data-dir", "kept", env=settings(simulator.url), expect=2)
    assert only(ran, "data") == ("failed", "kept is no directory", "name another AIRQ_DATA_DIR")


def test_the_data_of_another_user(airq: "Airq", missing: "Missing") -> None:
    """Root may write everywhere, but what it made the service could not read: a warning, and no token is renewed."""
    if os.geteuid() != 0:
        missing("only root can give a directory to somebody else")
    realm = Realm()
    data_of(airq).mkdir(parents=True)
    os.chown(data_of(airq), 54321, 54321)
    with serving(in_turn(GOOD)) as api, serving(realm.grant) as token:
        env = settings(api.url, token_url=token.url, **CREDENTIALS)
        ran = examined(airq, env=env)
    assert said(ran, "data")[0][:2] == ("warning", f"{data_of(airq)} belongs to user 54321, and this is root")
    assert only(ran, "credentials")[0] == "skipped"
    assert realm.asked == 0
    assert list(data_of(airq).iterdir()) == []


def test_a_damaged_ledger(airq: "Airq", simulator: Simulator) -> None:
    """A ledger that is none, that is damaged inside, or is of a newer version is named, and left alone."""
    env = settings(simulator.url)
    airq("run", "-q", env=env)
    path = data_of(airq) / FILE
    whole = path.read_bytes()
    torn = bytearray(whole)
    for position in range(4096, len(torn), 4096):
        torn[position : position + 8] = b"\xff" * 8
    for content in (b"not a database" * 300, bytes(torn)):
        path.write_bytes(content)
        ran = examined(airq, env=env, expect=2)
        assert only(ran, "data")[1].startswith(f"{path} is damaged")
        assert only(ran, "data")[2] == "move it away and run `airq-etl transform`"
        assert path.read_bytes() == content
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as ledger:
        ledger.execute("pragma user_version = 99")
    assert "upgrade airq-etl" in only(examined(airq, env=env, expect=2), "data")[2]


def test_an_older_ledger_is_not_brought_up_to_date(airq: "Airq", simulator: Simulator) -> None:
    """What the next run does to it is said, and not done."""
    env = settings(simulator.url)
    airq("run", "-q", env=env)
    with closing(sqlite3.connect(data_of(airq) / FILE)) as ledger:
        ledger.execute("pragma user_version = 3")
    assert "a ledger of layout 3, which the next run brings up to 4" in only(examined(airq, env=env), "data")[1]
    assert place.layout(data_of(airq) / FILE, "") == 3


@pytest.mark.parametrize(
    ("free", "status"),
    [(10**9, "ok"), (10**9 - 1, "warning"), (10**8, "warning"), (10**8 - 1, "failed"), (0, "failed")],
)
def test_room_on_the_disk(free: int, status: str) -> None:
    """Below 1 GB it is a warning, below 100 MB a failure."""
    remark = place.disk_remark(Path("/data"), free, {"captures": 12_345_678, "tables": 0})
    assert remark.status == status
    assert "captures 12.3 MB" in remark.sentence
    assert bool(remark.action) == (status != "ok")


def test_a_small_disk(airq: "Airq", simulator: Simulator, missing: "Missing") -> None:
    """The disk that counts is the one under the data directory."""
    small = airq.directory / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        missing("no small file system: only root may mount one, where it may")
    try:
        ran = examined(airq, "--data-dir", small / "data", env=settings(simulator.url), expect=2)
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert failed(ran) == {"disk"}


@pytest.mark.parametrize(("hours", "status"), [(0, "ok"), (2, "warning")])
def test_a_run_at_work(airq: "Airq", hours: int, status: str) -> None:
    """Who holds the lock is named, and warned of past its deadline; a token that rotates is left to that run."""
    realm = Realm()
    with serving(in_turn(GOOD)) as api, serving(realm.grant) as token:
        env = settings(api.url)
        airq("extract", "-q", env=env)
        env |= settings(api.url, token_url=token.url, **CREDENTIALS)
        since = datetime.now(UTC) - timedelta(hours=hours)
        with lock.hold(data_of(airq), "run", since):
            ran = examined(airq, env=env)
    found, sentence, _ = only(ran, "lock")
    assert found == status
    assert sentence.startswith(f"held by `airq-etl run` (process {os.getpid()} on ")
    assert f"since {since:%Y-%m-%d %H:%M} UTC" in sentence
    assert only(ran, "credentials")[:2] == (
        "skipped",
        "a run is at work, and a refresh token may be good for one use alone",
    )
    assert [only(ran, name)[0] for name in ("api", "store")] == ["skipped", "ok"]
    assert realm.asked == 0


def test_who_only_looks_at_the_lock_is_no_run(airq: "Airq", simulator: Simulator) -> None:
    """While `status` looks at the lock, doctor does not take that for a run, least of all for one to be ended."""
    airq("extract", "-q", env=settings(simulator.url))
    with (data_of(airq) / lock.NAME).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        ran = examined(airq, env=settings(simulator.url))
    assert only(ran, "lock") == ("ok", "free", "")


# -- credentials, API, clock ---------------------------------------------------------------------------------------


def test_a_token_is_got_and_the_next_one_kept(airq: "Airq") -> None:
    """A refresh token is good for one use: the next doctor, and the next run, go on with the one that came for it."""
    realm = Realm()

    def api(request: Any) -> Reply:  # noqa: ANN401
        return GOOD if realm.opens(request) or not request.path.startswith("/v3") else Reply(401, b"{}")

    with serving(api) as server, serving(realm.grant) as token:
        env = settings(server.url, token_url=token.url, **CREDENTIALS)
        for _ in range(2):
            ran = examined(airq, env=env)
            assert only(ran, "credentials") == ("ok", "a token is got by the refresh token", "")
            assert only(ran, "api")[0] == "ok"
        airq("run", "-q", env=env)
    assert realm.granted == 3
    modes = {path: path.stat().st_mode & 0o077 for path in (data_of(airq), *data_of(airq).iterdir())}
    assert set(modes.values()) == {0}


def test_no_client_secret(airq: "Airq", simulator: Simulator) -> None:
    """Requests go without a token, which is said, and warned of where other credentials are set."""
    sentence = "AIRQ_CLIENT_SECRET is not set, so requests go without a token"
    assert only(examined(airq, env=settings(simulator.url)), "credentials") == ("ok", sentence, "")
    ran = examined(airq, env=settings(simulator.url, refresh_token=HUSH))
    assert only(ran, "credentials")[:2] == ("warning", sentence)


def test_credentials_that_are_refused(airq: "Airq") -> None:
    """A wrong secret is the credentials' failure, and the API is not asked without a token; an API wants them: its."""
    with Simulator((STATION,), now=lambda: datetime.now(UTC), auth=True) as simulator:
        env = settings(simulator.url, token_url=simulator.token_url)
        ran = examined(airq, env=env, expect=2)
        assert (
            only(ran, "api")[1]
            == f"station {STATION}: the API wants credentials: set AIRQ_CLIENT_SECRET and AIRQ_REFRESH_TOKEN"
        )
        simulator.requests.clear()
        wrong = {"AIRQ_CLIENT_SECRET": "hush-wrong", "AIRQ_REFRESH_TOKEN": simulator.refresh_token}
        ran = examined(airq, env=env | wrong, expect=2)
        assert failed(ran) == {"credentials"}
        assert only(ran, "credentials")[1] == "the token endpoint refuses the credentials"
        assert only(ran, "credentials")[2].startswith("check AIRQ_CLIENT_ID, AIRQ_CLIENT_SECRET and AIRQ_REFRESH_TOKEN")
        assert only(ran, "api")[:2] == ("skipped", "there is no token to ask with")
        assert [asked.status for asked in simulator.requests if "/v3/" in asked.path] == []


def test_no_token_endpoint(airq: "Airq", closed_port: int) -> None:
    """One that is down, or hangs, is named within AIRQ_TIMEOUT_S."""
    given = CREDENTIALS | {"timeout_s": "1"}
    over = threading.Event()
    with serving(in_turn(GOOD)) as api, talking(silence(over)) as silent:
        for url in (f"http://127.0.0.1:{closed_port}/token", silent.url):
            ran = examined(airq, env=settings(api.url, token_url=url, **given), expect=2)
            assert failed(ran) == {"credentials"}
            assert only(ran, "credentials")[1].startswith("the token endpoint cannot be reached")
        over.set()


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(404, b"{}"), "the API does not know this station (status 404)"),
        (Reply(503), "the API answers with status 503"),
        (Reply(403, b"{}"), "the API refuses the credentials (status 403)"),
        (Reply(301, headers={"Location": "https://elsewhere.example/"}), "the API redirects to"),
        (Reply(200, b"<html>"), "the API"),
    ],
)
def test_what_the_api_answers(airq: "Airq", reply: Reply, told: str) -> None:
    """What is no answer is told as extract tells it, once: nothing is asked again."""
    with serving(in_turn(reply)) as server:
        ran = examined(airq, env=settings(server.url), expect=2)
        asked = [request for request in server.requests if request.path.startswith("/v3/")]
    assert failed(ran) == {"api"}
    if reply.status != 200:
        assert told in only(ran, "api")[1] or "wants credentials" in only(ran, "api")[1]
    assert len(asked) == 1


def test_the_api_is_asked_for_an_hour_and_its_answer_not_kept(airq: "Airq", simulator: Simulator) -> None:
    """One request, of one hour, for the first station; status, seconds and newest hour are told."""
    ran = examined(airq, env=settings(simulator.url, stations=f"{STATION},7"))
    status, sentence, _ = only(ran, "api")
    (asked,) = [request for request in simulator.requests if "/v3/" in request.path]
    assert asked.path.endswith(f"/{STATION}")
    ends = [
        datetime.strptime(asked.query[name], "%Y%m%d-%H%M").replace(tzinfo=UTC) for name in ("start_date", "end_date")
    ]
    assert ends[1] - ends[0] == timedelta(hours=1)
    assert status == "ok"
    assert sentence.startswith(f"station {STATION}: status 200 in 0.")
    assert not data_of(airq).exists()


def test_an_api_that_is_out_of_reach(airq: "Airq", closed_port: int) -> None:
    """A closed port, one that hangs, a certificate that proves nothing: each is named, and the other checks go on."""
    ran = examined(airq, env=settings(f"http://127.0.0.1:{closed_port}"), expect=2)
    assert "127.0.0.1 cannot be reached" in only(ran, "api")[1]
    assert only(ran, "clock")[0] == "skipped"
    over = threading.Event()
    with talking(silence(over)) as silent:
        ran = examined(airq, env=settings(silent.url, timeout_s=1), expect=2)
        over.set()
    assert "no whole answer within 1 s (AIRQ_TIMEOUT_S)" in only(ran, "api")[1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving(in_turn(GOOD), context) as server:
        ran = examined(airq, env=settings(server.url), expect=2)
    assert "a certificate that is not trusted" in only(ran, "api")[1]
    assert (failed(ran), only(ran, "store")[0]) == ({"api"}, "ok")


@pytest.mark.parametrize(
    ("minutes", "status"), [(0, "ok"), (4, "ok"), (6, "warning"), (-6, "warning"), (-3000, "warning")]
)
def test_clocks_that_differ(airq: "Airq", minutes: int, status: str) -> None:
    """More than five minutes from the API's Date, before or after, is a warning."""
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    with serving(in_turn(GOOD._replace(headers={"Date": date}))) as server:
        assert only(examined(airq, env=settings(server.url)), "clock")[0] == status


def test_a_pretended_time(airq: "Airq", simulator: Simulator) -> None:
    """AIRQ_NOW in settings would stop the clock of every run, a warning; --now is meant so."""
    env = settings(simulator.url)
    assert only(examined(airq, env=env | {"AIRQ_NOW": "2024-09-09T10:20"}), "clock")[0] == "warning"
    assert only(examined(airq, "--now", "2024-09-09T10:20", env=env), "clock")[0] == "ok"


def test_a_machine_without_a_clock(airq: "Airq", simulator: Simulator, missing: "Missing") -> None:
    """A clock before 2024 was never set."""
    if shutil.which("faketime") is None:
        missing("no `faketime` on this machine")
    words = ["doctor", "--no-cron", "--json"]
    ran = airq(*words, env=settings(simulator.url), under=["faketime", "-f", "@2019-05-05 05:05:05"], expect=2)
    assert only(ran, "clock")[1].startswith("this machine takes it for 2019-05-05")


# -- the store -----------------------------------------------------------------------------------------------------


def test_what_waits_for_a_load(airq: "Airq") -> None:
    """The days that the store is still to be sent are counted, until they are loaded; opening makes no store."""
    with serving(in_turn(GOOD)) as server:
        env = settings(server.url)
        airq("extract", "-q", env=env)
        airq("transform", "-q", env=env)
        assert "not there yet; the first load makes it" in only(examined(airq, env=env), "store")[1]
        assert not (data_of(airq) / "airq.db").exists()
        airq("load", "-q", env=env)
        assert only(examined(airq, env=env), "store")[1].endswith("written to and read back; up to date")
        server.script = in_turn(Reply(body=body({n: {"CO": 2.0} for n in range(60)})))
        airq("extract", "-q", env=env)
        airq("transform", "-q", env=env)
        assert only(examined(airq, env=env), "store")[1].endswith(" days wait for a load")


def test_an_embedded_store_that_others_hold(airq: "Airq") -> None:
    """A program that writes and does not end is found out; a run that does so is none, and is not disturbed."""
    with serving(in_turn(GOOD)) as server:
        env = settings(server.url)
        airq("run", "-q", env=env)
        with closing(sqlite3.connect(data_of(airq) / "airq.db", isolation_level=None)) as writer:
            writer.execute("begin immediate")
            ran = examined(airq, env=env, expect=2)
            assert "airq.db cannot be used: database is locked" in only(ran, "store")[1]
            with lock.hold(data_of(airq), "run", datetime.now(UTC)):
                assert "not written to, while a run is at work" in only(examined(airq, env=env), "store")[1]


def test_a_store_that_is_damaged_or_newer(airq: "Airq") -> None:
    """It is named, with what to do, and left alone."""
    with serving(in_turn(GOOD)) as server:
        env = settings(server.url)
        airq("run", "-q", env=env)
        path = data_of(airq) / "airq.db"
        with closing(sqlite3.connect(path)) as store:
            store.execute("pragma user_version = 99")
        assert only(examined(airq, env=env, expect=2), "store")[2].startswith("upgrade airq-etl")
        path.write_bytes(b"not a database" * 300)
        ran = examined(airq, env=env, expect=2)
        assert only(ran, "store")[2] == "move it away, and the next load makes it again"
        assert path.read_bytes() == b"not a database" * 300


def test_mongodb(airq: "Airq", mongo_uri: str, mongo_server: "MongoServer") -> None:
    """It is written to and read back, and nothing of that stays; down or paused it is named within seconds."""
    with serving(in_turn(GOOD)) as server:
        env = settings(server.url, mongodb_uri=mongo_uri)
        airq("run", "-q", env=env)
        with closing(pymongo.MongoClient[dict[str, Any]](mongo_uri)) as client:
            database = client.get_default_database()
            before = {name: list(database[name].find()) for name in database.list_collection_names()}
            status, sentence, _ = only(examined(airq, env=env), "store")
            assert before == {name: list(database[name].find()) for name in database.list_collection_names()}
        assert (status, sentence.partition(": ")[2]) == ("ok", "written to and read back; up to date")
        if mongo_server.ours:
            mongo_server.pause()
            ran = examined(airq, env=env, expect=2)
            assert failed(ran) == {"store"}
            mongo_server.resume()
            mongo_server.stop()
            ran = examined(airq, env=env, expect=2)
            assert "cannot be used" in only(ran, "store")[1]
            assert only(ran, "store")[2] == "see AIRQ_MONGODB_URI"


# -- who is told ---------------------------------------------------------------------------------------------------


def test_nothing_is_sent_unless_asked_for(airq: "Airq", simulator: Simulator) -> None:
    """A look sends nothing; --send-test one message to each URL, and no ping."""
    with serving(lambda _: Reply()) as target:
        host = target.url.removeprefix("http://")
        env = settings(simulator.url, alert_urls=f"form://{host}/hook-of-mine", ping_url=f"{target.url}/uuid-of-mine")
        env["AIRQ_METRICS_FILE"] = str(airq.directory / "airq.prom")
        sentence = "set: 1 alert URL, the metrics file, the dead man's switch"
        assert only(examined(airq, env=env), "alerts") == ("ok", sentence, "")
        assert target.requests == []
        ran = examined(airq, "--send-test", env=env)
        assert said(ran, "alerts") == [("ok", "URL 1 took a test message", ""), ("ok", sentence, "")]
        assert [(request.path, request.form["title"]) for request in target.requests] == [
            ("/hook-of-mine", "airq-etl: a test")
        ]
        target.script = lambda _: Reply(500)
        ran = examined(airq, "--send-test", env=env, expect=2)
        assert "URL 1 did not take a test message" in only(ran, "alerts")[1]
    assert not (airq.directory / "airq.prom").exists()
    assert said(examined(airq, "--send-test", env=settings(simulator.url)), "alerts")[0][0] == "warning"


def test_targets_that_cannot_be_told(airq: "Airq", simulator: Simulator) -> None:
    """A URL that Apprise does not know is told by its number, a metrics file by the directory that is not there."""
    env = settings(simulator.url, alert_urls="json://127.0.0.1/x, nonsense://of-mine", metrics_file="/nowhere/x.prom")
    ran = examined(airq, env=env, expect=2)
    assert [sentence for _, sentence, _ in said(ran, "alerts")] == [
        "AIRQ_ALERT_URLS: URL 2 is none that Apprise understands",
        "AIRQ_METRICS_FILE: /nowhere cannot be written (No such file or directory)",
    ]
    assert "of-mine" not in ran.out


# -- cron ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tab(airq: "Airq") -> Path:
    """What `crontab -l` prints; there is no crontab while the file is not there."""
    path = airq.directory / "tab"
    programs = airq.directory / "programs"
    programs.mkdir()
    (programs / "crontab").write_text(f"#!/bin/sh\ntest \"$1\" = -l && cat '{path}' 2>/dev/null\n")
    (programs / "crontab").chmod(0o700)
    airq.environment["PATH"] = f"{programs}:{airq.environment['PATH']}"
    return path


PROGRAM = shutil.which("airq-etl", path=str(Path(sys.executable).parent))


def under_cron(
    airq: "Airq", *words: str | Path, env: dict[str, str] | None = None, expect: int = 0
) -> list[tuple[str, str, str]]:
    return said(airq("doctor", "--json", *words, env=env, expect=expect), "cron")


def test_cron_finds_the_same(airq: "Airq", simulator: Simulator, tab: Path) -> None:
    """With all in an env file that is named, cron finds what the shell does, also from a relative path."""
    env_file = written(airq.directory, settings(simulator.url, data_dir=airq.directory / "data"))
    assert under_cron(airq, "--env-file", "airq.env") == [
        ("ok", "the same as here; your crontab has no line of airq-etl", "")
    ]
    tab.write_text(f"MAILTO=root\n# airq-etl\n@daily tidy\n17 * * * * {PROGRAM} run --env-file {env_file} -q\n")
    assert under_cron(airq, "--env-file", env_file) == [
        ("ok", "the same as here; your crontab has 1 line of airq-etl", "")
    ]
    tab.write_text(f"@hourly cd {airq.directory} && {PROGRAM} run --env-file=airq.env -q\n")
    assert under_cron(airq, "--env-file", env_file)[0][0] == "ok"


def test_what_only_the_shell_has(airq: "Airq", simulator: Simulator, tab: Path) -> None:
    """A setting of the shell is named: a warning, and a failure once the crontab has a line that goes without it."""
    env_file = written(airq.directory, settings(simulator.url, data_dir=airq.directory / "data"))
    told = ("AIRQ_RETRIES comes from your shell, which cron does not have", "put it into the env file")
    assert under_cron(airq, "--env-file", env_file, env={"AIRQ_RETRIES": "1"}) == [("warning", *told)]
    tab.write_text(f"17 * * * * {PROGRAM} run --env-file {env_file} -q\n")
    assert under_cron(airq, "--env-file", env_file, env={"AIRQ_RETRIES": "1"}, expect=2) == [("failed", *told)]
    tab.write_text(f"AIRQ_RETRIES=1\n17 * * * * {PROGRAM} run --env-file {env_file} -q\n")
    assert under_cron(airq, "--env-file", env_file, env={"AIRQ_RETRIES": "1"})[0][0] == "ok"


def test_an_env_file_that_only_lies_here(airq: "Airq", simulator: Simulator, tab: Path) -> None:
    """A .env that is found because of the working directory is not found by cron; with `cd` before it is."""
    env_file = written(airq.directory, settings(simulator.url, data_dir=airq.directory / "data"), ".env")
    tab.write_text(f"AIRQ_API_URL={simulator.url}\n17 * * * * {PROGRAM} run -q\n")
    remarks = under_cron(airq, expect=2)
    assert ("failed", f"add to it: --env-file {env_file}") in [(status, action) for status, _, action in remarks]
    assert any("cron does not start in" in sentence for _, sentence, _ in remarks)
    tab.write_text(f"17 * * * * cd {airq.directory} && {PROGRAM} run -q\n")
    assert under_cron(airq)[0][0] == "ok"


def test_another_data_directory(airq: "Airq", simulator: Simulator, tab: Path) -> None:
    """XDG_DATA_HOME is no setting of ours, and cron does not have it: the data would go elsewhere."""
    env_file = written(airq.directory, settings(simulator.url))
    tab.write_text(f"XDG_DATA_HOME={airq.directory}/elsewhere\n17 * * * * {PROGRAM} run --env-file {env_file}\n")
    ((status, sentence, action),) = under_cron(airq, "--env-file", env_file, expect=2)
    assert (status, action) == ("failed", f"put AIRQ_DATA_DIR={data_of(airq)} into the env file")
    assert f"{airq.directory}/elsewhere/airq-etl" in sentence
    given = under_cron(airq, "--env-file", env_file, "--data-dir", "data")
    assert given[0][0] == "ok", "a flag goes before all that"


@pytest.mark.usefixtures("tab")
def test_what_fails_under_cron_alone(airq: "Airq") -> None:
    """A certificate that is believed because of the shell's SSL_CERT_FILE: what cron lacks is named."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(airq.directory / "authority.pem")
    authority.issue_cert("127.0.0.1").configure_cert(context)
    believed = {"SSL_CERT_FILE": str(airq.directory / "authority.pem")}
    with serving(in_turn(GOOD), context) as server:
        env_file = written(airq.directory, settings(server.url, data_dir=airq.directory / "data"))
        ((status, sentence, action),) = under_cron(airq, "--env-file", env_file, env=believed)
    assert (status, sentence.partition(":")[0]) == ("warning", "under cron api fails")
    assert action == "put SSL_CERT_FILE above the line in the crontab, as your shell has them"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/gone/airq-etl run --env-file {env}", ("runs /gone/airq-etl, which cron would not find", "name this one")),
        ("airq-etl run --env-file {env}", ("runs airq-etl, which cron would not find", "name this one")),
        ("{program} run -q", ("has no --env-file", "add to it: --env-file {env}")),
        ("{program} run --env-file /no.env", ("names /no.env, which cannot be read", "name the env file there")),
        ("{program} run --env-file {env} > %d.log", ("has a bare %", "write \\% in it")),
    ],
)
def test_a_line_of_the_crontab_that_is_wrong(
    airq: "Airq", simulator: Simulator, tab: Path, line: str, told: tuple[str, str]
) -> None:
    """What the line names must be there, and be what was looked at."""
    env_file = written(airq.directory, settings(simulator.url, data_dir=airq.directory / "data"))
    words = line.replace("{env}", str(env_file)).replace("{program}", str(PROGRAM))
    tab.write_text(f"17 * * * * {words}\n")
    ((status, sentence, action),) = under_cron(airq, "--env-file", env_file, expect=2)
    assert status == "failed"
    assert told[0] in sentence
    assert action.startswith(told[1].replace("{env}", str(env_file)))


def test_a_line_that_reads_another_env_file(airq: "Airq", simulator: Simulator, tab: Path) -> None:
    """A warning: what was looked at is not what cron runs."""
    env_file = written(airq.directory, settings(simulator.url, data_dir=airq.directory / "data"))
    other = written(airq.directory, {}, "other.env")
    tab.write_text(f"17 * * * * {PROGRAM} run --env-file {other}\n")
    ((status, _, action),) = under_cron(airq, "--env-file", env_file)
    assert (status, action) == ("warning", f"look at what cron runs: airq-etl doctor --env-file {other}")


def test_the_readme_shows_what_it_prints(airq: "Airq", tab: Path) -> None:
    """The block in README is, to the letter, what is printed of a wrong secret and a setting of the shell."""
    (shown,) = re.findall(
        r"^```\n(FAILED   cred.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert not tab.exists()
    with Simulator((STATION,), now=lambda: datetime.now(UTC), auth=True) as simulator:
        given = settings(simulator.url, token_url=simulator.token_url, data_dir=airq.directory / "data", **CREDENTIALS)
        env_file = written(airq.directory, given)
        ran = airq("doctor", "-q", "--env-file", env_file, env={"AIRQ_TIMEZONE": "Africa/Abidjan"}, expect=2)
    assert ran.out == shown


def test_an_image_is_no_program(tmp_path: Path) -> None:
    """A line may name airq-etl and mean something else: what cannot be told is not judged."""
    (line,) = crontab.of_ours("17 * * * * docker run --rm airq-etl run -q\n", tmp_path)
    assert crontab.look_at_line(line, None) == []


def test_the_line_that_schedule_makes_is_understood(tmp_path: Path) -> None:
    """Paths with a space and a percent sign, quoted for the shell and then for cron, are those that were meant."""
    env_file = tmp_path / "air q 5%.env"
    env_file.touch()
    plan = Plan(program=(sys.executable, "-m", "airq_etl"), env_file=env_file, data_dir=tmp_path / "data 100%")
    (line,) = crontab.of_ours(cron.block(plan), tmp_path)
    assert line.env_file == env_file
    assert crontab.look_at_line(line, env_file) == []


def test_lines_of_ours_are_found() -> None:
    """Whether by name, by path, as a module, or after `cd`; comments and other jobs are none."""
    found = crontab.of_ours(
        "A=1\n17 * * * * /opt/airq-etl/.venv/bin/airq-etl run\n@hourly python3 -m airq_etl run\n"
        "# 1 1 * * * airq-etl run\nB='2'\n5 4 * * * cd /srv; airq-etl run\n1 2 3 4 5 backup\n",
        Path("/home/me"),
    )
    assert [line.command for line in found] == [
        "/opt/airq-etl/.venv/bin/airq-etl run",
        "python3 -m airq_etl run",
        "cd /srv; airq-etl run",
    ]
    assert [dict(line.given) for line in found] == [{"A": "1"}, {"A": "1"}, {"A": "1", "B": "2"}]
    assert [line.folder for line in found] == [Path("/home/me"), Path("/home/me"), Path("/srv")]


# -- all of it -----------------------------------------------------------------------------------------------------


def test_no_secret_is_shown(airq: "Airq", closed_port: int) -> None:
    """With everything wrong, in text, in JSON and with -v, also by way of cron's turn."""
    address = f"127.0.0.1:{closed_port}"
    with serving(in_turn(Reply(401, b"hush-answer"))) as server:
        given = settings(
            server.url,
            token_url=f"{server.url}/token",
            **CREDENTIALS,
            mongodb_uri=f"mongodb://me:hush%2Fpass@{address}/air",
            ping_url=f"http://{address}/hush-uuid",
            alert_urls=f"json://{address}/hush-hook, nonsense://hush-nonsense",
            data_dir=airq.directory / "data",
        )
        env_file = written(airq.directory, given)
        env_file.chmod(0o644)
        for words in (["-v", "--send-test"], ["--json", "--no-cron"]):
            ran = airq("doctor", "--env-file", env_file, *words, env={"AIRQ_PASSWORD": "hush-word"}, expect=2)
            assert HUSH not in ran.out + ran.err
            assert "FAILED" in ran.out or '"failed"' in ran.out


def test_a_check_that_hangs_or_breaks_stops_no_other() -> None:
    """Each is bounded in time, and a bug in one is told like all else."""
    over = threading.Event()

    def hang() -> list[Any]:
        over.wait(30)
        return []

    (remark,) = doctor._bounded("disk", 0.05, hang)  # noqa: SLF001 -- what is to be held has no other door
    over.set()
    assert (remark.status, remark.sentence) == ("failed", "no end within 0 s")
    (remark,) = doctor._bounded("disk", 5, lambda: [1 / 0])  # type: ignore[list-item]  # noqa: SLF001
    assert remark.sentence.startswith("this is a bug: ZeroDivisionError")


def test_colours_are_for_terminals_alone(airq: "Airq", simulator: Simulator) -> None:
    """Into a pipe goes plain text."""
    assert "\x1b" not in airq("doctor", "--no-cron", env=settings(simulator.url)).out
