"""Disks that are full, read-only or damaged, files that others hold, and data of another version."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from airq_etl import captures
from airq_etl.lake import Lake
from airq_etl.ledger import FILE
from tests.faults.state import assert_same, complaint, lines, state
from tests.frames import body, hour
from tests.server import Reply, Server, in_turn, serving

if TYPE_CHECKING:
    from tests.conftest import Airq, Missing

NOW, LATER = hour(31), hour(60)
FIRST, SECOND = (Reply(body=body({n: {"CO": n + 0.5, "PM2.5": 7.0} for n in range(last)})) for last in (31, 60))


@pytest.fixture
def server() -> Iterator[Server]:
    """Gives 31 hours to begin with, 60 once `server.script` is changed."""
    with serving(in_turn(FIRST)) as opened:
        yield opened


def settings(server: Server, now: object = NOW) -> dict[str, str]:
    return {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": str(now)}


def undisturbed(airq: "Airq", server: Server) -> Path:
    """A data directory that saw both answers and no fault."""
    data = airq.directory / "undisturbed"
    server.script = in_turn(FIRST)
    airq("run", "--data-dir", data, env=settings(server))
    server.script = in_turn(SECOND)
    airq("run", "--data-dir", data, env=settings(server, LATER))
    return data


@pytest.fixture
def small_disk(tmp_path: Path, missing: "Missing") -> Iterator[Path]:
    """A file system of a few megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        missing("no small file system: only root may mount one, where it may")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("free_kb", [0, 4, 12, 24, 40, 60, 90, 130, 200])
def test_04_a_full_disk(airq: "Airq", server: Server, small_disk: Path, free_kb: int) -> None:
    """Exit 7, old files whole, temp files gone, wherever the disk is full: at capture, table, store or ledger."""
    expected = state(undisturbed(airq, server))
    data, ballast = small_disk / "data", small_disk / "ballast"
    server.script = in_turn(FIRST)
    airq("run", "--data-dir", data, env=settings(server))
    before = state(data)
    with ballast.open("wb") as file:
        free = shutil.disk_usage(small_disk).free - free_kb * 1024
        file.write(bytes(max(free, 0)))
    server.script = in_turn(SECOND)
    ran = airq("run", "--data-dir", data, env=settings(server, LATER), expect=None)
    # With room enough for all of it, it is simply done.
    assert ran.code in ({7} if free_kb <= 40 else {7, 0})
    if ran.code:
        assert "data" in complaint(ran)
        assert list((data / "tmp").iterdir()) == []
    ballast.unlink()
    if free_kb == 0:
        assert_same(state(data), before)
    airq("run", "--data-dir", data, env=settings(server, LATER))
    assert_same(state(data), expected)


def test_04_files_may_not_grow(airq: "Airq", server: Server) -> None:
    """Where a limit of the process is the bound (RLIMIT_FSIZE), the same: exit 7, and nothing half written."""
    expected = state(undisturbed(airq, server))
    data = airq.directory / "limited"
    server.script = in_turn(FIRST)
    airq("run", "--data-dir", data, env=settings(server))
    before = state(data)
    server.script = in_turn(SECOND)
    codes = set()
    for limit in (0, 300, 2_000, 9_000):
        ran = subprocess.run(
            [sys.executable, "-m", "airq_etl", "run", "--data-dir", data],
            env=airq.environment | settings(server, LATER),
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),  # type: ignore[misc]
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        codes.add(ran.returncode)
        assert "Traceback" not in ran.stderr
        assert ran.stderr.startswith("airq-etl: ")
        assert state(data).hours >= before.hours
    assert codes == {7}
    airq("run", "--data-dir", data, env=settings(server, LATER))
    assert_same(state(data), expected)
    assert list((data / "tmp").iterdir()) == []


def test_04_whole_answers_outlive_a_full_disk(tmp_path: Path) -> None:
    """What was fetched whole before the disk was full is kept: at once, or by the next run."""
    program = """
import os, resource, sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from airq_etl.capture import Answer
from airq_etl.captures import CaptureWriter
from airq_etl.errors import StoreError
from airq_etl.lake import Lake

now = datetime(2024, 9, 9, 10, 20, tzinfo=UTC)
resource.setrlimit(resource.RLIMIT_FSIZE, (7_000, 7_000))
with suppress(StoreError), CaptureWriter(Lake(Path(sys.argv[1])), "run", now) as writer:
    for number in range(9):
        writer.add(Answer(station_id=number, requested_at=now, url="", status=200, body=os.urandom(1_000)))
        print(number)
"""
    lake = Lake(tmp_path)
    lake.open()
    words: list[str | Path] = [sys.executable, "-c", program, tmp_path]
    written = subprocess.run(words, capture_output=True, check=True).stdout.split()
    assert 2 < len(written) < 9
    captures.salvage(lake)
    (kept,) = captures.files(lake)
    assert [answer.station_id for answer in captures.read(kept)] == [int(number) for number in written]
    assert list(lake.temporary.iterdir()) == []


def test_04_an_export_to_a_full_device(airq: "Airq", server: Server) -> None:
    """Exit 1 for an export that cannot be written; a file that was there is whole."""
    airq("run", env=settings(server))
    ran = airq("export", "hourly", "-o", "/dev/full", expect=1)
    assert "/dev/full cannot be written: No space left on device" in complaint(ran)
    with Path("/dev/full").open("wb") as full:
        words = [sys.executable, "-m", "airq_etl", "export", "hourly"]
        into = subprocess.run(words, env=airq.environment, stdout=full, stderr=subprocess.PIPE, check=False)
    assert into.returncode == 1
    assert into.stderr.count(b"\n") == 1


@pytest.mark.parametrize("what", ["read-only", "another's", "a file", "under a file", "below another's"])
def test_05_a_data_directory_that_cannot_be_used(airq: "Airq", server: Server, missing: "Missing", what: str) -> None:
    """Exit 2 before any request, with the directory named."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        missing("no `setpriv` to take from root the right to write everywhere")
    data = airq.directory / "kept"
    if what == "a file":
        data.write_text("")
    elif what == "under a file":
        data.write_text("")
        data /= "data"
    else:
        data.mkdir(mode=0o500)
        if what != "read-only":
            os.chown(data, 12345, 12345) if os.geteuid() == 0 else data.chmod(0)
        data = data / "data" if what == "below another's" else data
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    ran = subprocess.run(
        [*without, sys.executable, "-m", "airq_etl", "run", "--data-dir", data],
        env=airq.environment | settings(server),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (ran.returncode, len(ran.stderr.splitlines()), server.requests) == (2, 1, []), ran.stderr
    assert str(data) in ran.stderr


def test_05_a_missing_data_directory_is_made(airq: "Airq", server: Server) -> None:
    """What is missing and may be made is made, for its owner alone."""
    data = airq.directory / "some" / "where" / "new"
    airq("run", "--data-dir", data, env=settings(server))
    assert data.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077, 0o177])
def test_05_files_are_the_owners_alone(airq: "Airq", server: Server, umask: int) -> None:
    """Files are made 0600 and directories 0700, or stricter where the umask says so."""
    words = [sys.executable, "-m", "airq_etl", "run"]
    # With 0177 directories cannot be entered but by root.
    strict = umask == 0o177 and os.geteuid() != 0
    subprocess.run(words, env=airq.environment | settings(server), umask=umask, check=not strict)
    data = airq.directory / "share/airq-etl"
    modes = {path: path.stat().st_mode & 0o777 for path in (data, *data.rglob("*"))}
    assert len(modes) > (0 if strict else 15)
    assert not [(path, oct(mode)) for path, mode in modes.items() if mode & (umask | 0o077)]


def test_09_a_reader_of_the_store_blocks_nothing(airq: "Airq", server: Server) -> None:
    """Readers never block a run, and see the store as it was until they look again."""
    airq("run", env=settings(server))
    data = airq.directory / "share/airq-etl"
    server.script = in_turn(SECOND)
    with closing(sqlite3.connect(data / "airq.db", isolation_level=None)) as reader:
        reader.execute("begin")
        assert reader.execute("select count(*) from hourly").fetchone() == (31,)
        airq("run", env=settings(server, LATER))
        assert reader.execute("select count(*) from hourly").fetchone() == (31,)
        reader.execute("commit")
        assert reader.execute("select count(*) from hourly").fetchone() == (60,)


def test_09_a_writer_of_the_store_is_waited_for(airq: "Airq", server: Server) -> None:
    """A writer is waited for, not for ever, then exit 7; hours and days go out with the next run."""
    expected = state(undisturbed(airq, server))
    server.script = in_turn(FIRST)
    airq("run", env=settings(server))
    data = airq.directory / "share/airq-etl"
    server.script = in_turn(SECOND)
    with closing(sqlite3.connect(data / "airq.db", isolation_level=None)) as writer:
        writer.execute("begin immediate")
        began = time.monotonic()
        ran = airq("run", env=settings(server, LATER), expect=7)
        assert 5 < time.monotonic() - began < 25
        assert "airq.db cannot be used: database is locked" in complaint(ran)
    assert state(data).tables["hourly"].height == 60
    airq("run", env=settings(server, LATER))
    assert_same(state(data), expected)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for position in range(len(content) // 4, len(content), max(len(content) // 7, 1)):
        content[position] ^= 0x55
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwrite(path: Path) -> None:
    path.write_bytes(b"not what it was" * 300)


@pytest.mark.parametrize("damage", [flip, cut, overwrite])
@pytest.mark.parametrize("what", ["hourly/2024-09.parquet", "daily/2024.parquet"])
def test_10_a_damaged_table(airq: "Airq", server: Server, what: str, damage: Callable[[Path], None]) -> None:
    """It is named and never overwritten; `transform --rebuild` mends it from the captures."""
    expected = state(undisturbed(airq, server))
    server.script = in_turn(FIRST)
    airq("run", env=settings(server))
    data = airq.directory / "share/airq-etl"
    damage(data / what)
    damaged = (data / what).read_bytes()
    server.script = in_turn(SECOND)
    ran = airq("run", env=settings(server, LATER), expect=7)
    assert str(data / what) in complaint(ran)
    assert "transform --rebuild" in complaint(ran)
    assert (data / what).read_bytes() == damaged
    table = what.partition("/")[0]
    assert "--rebuild" in complaint(airq("export", table, expect=7))
    airq("transform", "--rebuild", env=settings(server, LATER))
    airq("run", env=settings(server, LATER))
    assert_same(state(data), expected)


def test_10_a_flipped_bit_would_be_read_as_a_value(airq: "Airq", server: Server) -> None:
    """A single bit in a table makes other numbers for any reader; here it is named, and no day is made of it."""
    airq("run", env=settings(server))
    path = airq.directory / "share/airq-etl/hourly/2024-09.parquet"
    whole, good = path.read_bytes(), pl.read_parquet(path)["co"].sum()
    read = "import sys, polars; print(polars.read_parquet(sys.argv[1])['co'].sum())"
    for position in range(whole.index(b"\xe0?"), len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        naive = subprocess.run([sys.executable, "-c", read, path], capture_output=True, encoding="utf-8", check=False)
        if naive.returncode == 0 and float(naive.stdout) != good:
            break
    else:
        pytest.fail("no flip of a bit would have been read as a value")
    assert str(path) in complaint(airq("run", env=settings(server, LATER), expect=7))
    assert str(path) in complaint(airq("export", "hourly", expect=7))


@pytest.mark.parametrize("damage", [cut, overwrite])
def test_10_a_damaged_store(airq: "Airq", server: Server, damage: Callable[[Path], None]) -> None:
    """A store that is no database any more is named and left alone; moved away, the next load makes it again."""
    airq("run", env=settings(server))
    data = airq.directory / "share/airq-etl"
    before = state(data)
    damage(data / "airq.db")
    damaged = (data / "airq.db").read_bytes()
    ran = airq("run", env=settings(server), expect=7)
    assert "airq.db is damaged" in complaint(ran)
    assert "move it away, and the next load makes it again" in complaint(ran)
    assert (data / "airq.db").read_bytes() == damaged
    for path in data.glob("airq.db*"):
        path.rename(airq.directory / f"aside-{path.name}")
    airq("load")
    assert_same(state(data), before)


def test_10_a_damaged_ledger(airq: "Airq", server: Server) -> None:
    """A ledger that is no database any more is named and left alone; moved away, the captures make it again."""
    airq("run", env=settings(server))
    data = airq.directory / "share/airq-etl"
    before = state(data)
    overwrite(data / FILE)
    damaged = (data / FILE).read_bytes()
    ran = airq("run", env=settings(server), expect=7)
    assert f"{FILE} is damaged" in complaint(ran)
    assert "move it away" in complaint(ran)
    assert (data / FILE).read_bytes() == damaged
    for path in data.glob(f"{FILE}*"):
        path.rename(airq.directory / f"aside-{path.name}")
    airq("run", env=settings(server))
    assert_same(state(data), before)


@pytest.mark.parametrize("damage", [flip, cut, overwrite])
def test_10_a_damaged_capture(airq: "Airq", server: Server, damage: Callable[[Path], None]) -> None:
    """It is named whenever it is read, is never overwritten, and keeps no other from being worked in."""
    airq("run", env=settings(server))
    data = airq.directory / "share/airq-etl"
    (capture,) = data.glob("captures/*/*/*/*.jsonl.gz")
    before = state(data)
    damage(capture)
    damaged = capture.read_bytes()
    ran = airq("transform", "--rebuild", expect=None)
    assert ran.code in {2, 7}
    assert str(capture) in ran.err
    assert_same(state(data), before)
    server.script = in_turn(SECOND)
    airq("run", env=settings(server, LATER))
    assert capture.read_bytes() == damaged
    assert state(data).tables["hourly"].height == 60


def test_10_a_damaged_token_file_or_lock_note(airq: "Airq", server: Server) -> None:
    """Small files beside the data are no obstacle: the note of the lock is written anew."""
    airq("run", env=settings(server))
    data = airq.directory / "share/airq-etl"
    before = state(data)
    (data / "lock.json").write_bytes(b"\0\xff{")
    assert lines(airq("run", "-q", env=settings(server))) == []
    assert_same(state(data), before)


@pytest.mark.parametrize("name", [FILE, "airq.db"])
def test_43_a_newer_versions_data_directory(airq: "Airq", server: Server, name: str) -> None:
    """It is refused, with what to do, and nothing in it is changed."""
    airq("run", env=settings(server))
    data = airq.directory / "share/airq-etl"
    before = state(data)
    with closing(sqlite3.connect(data / name)) as db:
        (layout,) = db.execute("pragma user_version").fetchone()
        db.execute(f"pragma user_version = {layout + 1}")
    server.script = in_turn(SECOND)
    ran = airq("run", env=settings(server, LATER), expect=7)
    assert f"{name} was written by a newer airq-etl" in complaint(ran)
    assert "upgrade airq-etl, or name another AIRQ_DATA_DIR" in complaint(ran)
    with closing(sqlite3.connect(data / name)) as db:
        db.execute(f"pragma user_version = {layout}")
    assert state(data).store == before.store


def test_43_an_older_versions_data_directory(airq: "Airq", server: Server) -> None:
    """It is migrated: tables without a seal, a ledger and a store of the first layout, and all goes on."""
    expected = state(undisturbed(airq, server))
    server.script = in_turn(FIRST)
    airq("run", env=settings(server))
    data = airq.directory / "share/airq-etl"
    for path in data.glob("*/*.parquet"):
        pl.read_parquet(path).write_parquet(path, compression="zstd")
    with closing(sqlite3.connect(data / FILE)) as ledger:
        for table in ("station_keys", "positions", "station_steps", "alerts", "wanted", "not_given", "findings"):
            ledger.execute(f"drop table if exists {table}")
        for column in ("duration_s", "host", "settings", "mirrored_to"):
            ledger.execute(f"alter table runs drop column {column}")
        ledger.execute("alter table steps drop column duration_s")
        ledger.executescript("delete from meta where key = 'place'; pragma user_version = 1")
    with closing(sqlite3.connect(data / "airq.db")) as store:
        flags = [row[1] for row in store.execute("pragma table_info(hourly)") if row[1].endswith("_flag")]
        for column in [*flags, "requested_at"]:
            store.execute(f"alter table hourly drop column {column}")
        store.execute("alter table daily drop column updated_at")
        store.execute("alter table meta drop column layout")
        store.execute("pragma user_version = 1")
        store.commit()
    server.script = in_turn(SECOND)
    airq("run", env=settings(server, LATER))
    assert_same(state(data), expected)
    with closing(sqlite3.connect(data / "airq.db")) as store:
        for table, newness in (("hourly", "requested_at"), ("daily", "updated_at")):
            assert store.execute(f"select count(*) from {table} where {newness} is null").fetchone() == (0,)  # noqa: S608
