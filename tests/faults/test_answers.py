"""What an answer may hold that it should not: each fault costs itself alone, and is told."""

import gzip
import json
import random
import sqlite3
import statistics
import unicodedata
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from polars.testing import assert_frame_equal

from tests.faults.replay import Replay, stations_of
from tests.faults.state import assert_same, complaint, lines
from tests.frames import body, hour
from tests.server import Reply, Request

if TYPE_CHECKING:
    from tests.conftest import Airq, Ran

HEADER = '"header": {"station_name": "SMART188"}'
TEN = '"timestamp": "2024-09-09 10:00:00"'
BEFORE, FAULTY, AFTER = hour(31), hour(32), hour(33)
KNOWN = body({n: {"CO": n / 8, "RH": 50.0} for n in range(30)})
COMPLETE = body({n: {"CO": n / 8, "RH": 50.0} for n in range(33)})


def rows(*given: str, header: str = HEADER) -> bytes:
    """An answer of these rows, each as JSON text."""
    return f'{{{header}, "data": [{", ".join(given)}]}}'.encode()


def row(number: int, **more: float) -> str:
    """A good row of an hour."""
    return json.dumps({"timestamp": f"{hour(number):%Y-%m-%d %H:%M:%S}", "CO": number / 8, "RH": 50.0} | more)


def warnings(ran: "Ran") -> list[str]:
    """The warnings on stderr."""
    found = [line for line in lines(ran) if line.startswith("airq-etl: warning: ")]
    return [line.removeprefix("airq-etl: warning: ") for line in found]


def counts(ran: "Ran", *names: str) -> list[Any]:
    """What `--json` counts for station 7."""
    return [stations_of(ran)[7][name] for name in names]


def stored(replay: Replay, data: str = "data") -> dict[datetime, dict[str, Any]]:
    """The hourly documents of the store, by hour; the table holds the same hours."""
    found = replay.state(data)
    documents = {document["hour"]: document for document in found.store["hourly"]}
    assert {time for _, time in found.hours} == documents.keys()
    return documents


def assert_no_trace(replay: Replay) -> None:
    """After one more clean run the directory is that of runs that met no fault between."""
    replay.well(COMPLETE, AFTER)
    replay.well(KNOWN, BEFORE, data="undisturbed")
    replay.well(COMPLETE, AFTER, data="undisturbed")
    assert_same(replay.state(), replay.state("undisturbed"))


def test_20_an_unknown_station_fails_alone(airq: "Airq") -> None:
    """A station that the API does not know costs no other, and keeps what is stored of it."""
    replay = Replay(airq)
    replay.well(KNOWN, BEFORE, stations=(7, 8))
    before = replay.state()

    def script(request: Request) -> Reply:
        return Reply(404, b"<h1>Not found</h1>") if request.path.endswith("/8") else Reply(body=COMPLETE)

    ran = replay.run(script, AFTER, env={"AIRQ_STATIONS": "7,8"}, expect=3)
    assert "station 8: the API does not know this station" in complaint(ran)
    assert [(s["error"] is None, s["hours_new"]) for s in stations_of(ran).values()] == [(True, 3), (False, 0)]
    found = replay.state()
    assert_same(_only(found, 8), _only(before, 8))
    replay.well(COMPLETE, AFTER, stations=(7, 8))
    for at, answer in ((BEFORE, KNOWN), (AFTER, COMPLETE)):
        replay.well(answer, at, data="undisturbed", stations=(7, 8))
    assert_same(replay.state(), replay.state("undisturbed"))


def _only(whole: Any, station: int) -> Any:  # noqa: ANN401 -- a State
    tables = {name: table.filter(station_id=station) for name, table in whole.tables.items()}
    kept = {name: [d for d in documents if d["station_id"] == station] for name, documents in whole.store.items()}
    return type(whole)(tables, kept)


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html><html><title>502</title> " + "the gateway is down for maintenance " * 5,
        "",
        "{}",
        "[]",
        "null",
        '"OK"',
        '{"error": "token is not active"}',
        "{" + HEADER + "}",
        "{" + HEADER + ', "data": null}',
        "{" + HEADER + ', "data": {"timestamp": []}}',
    ],
)
def test_21_what_is_no_answer_is_never_an_empty_success(airq: "Airq", text: str) -> None:
    """A 200 with anything but a list of rows is an error that shows its first 80 bytes, and changes nothing."""
    if text.startswith("{") and '"data"' not in text:
        # What a naive reader takes for a station with nothing new.
        assert json.loads(text).get("data", []) == []
    replay = Replay(airq)
    replay.well(KNOWN, BEFORE)
    before = replay.state()
    ran = replay.run(text.encode(), FAULTY, expect=5)
    said = complaint(ran)
    assert said.startswith("station 7: the answer ")
    assert (" ".join(text[:80].split()) or "it is empty") in said
    assert text[80:] == "" or text[80:] not in said
    assert stations_of(ran)[7]["error"] is not None
    assert_same(replay.state(), before)
    assert replay.bodies()[-1] == text.encode()
    assert_no_trace(replay)


def test_21_what_is_no_answer_costs_no_other_station(airq: "Airq") -> None:
    """Where one of two stations answers with a page, the other is stored, and the run is partial."""
    replay = Replay(airq)
    ran = replay.run(
        lambda request: Reply(body=b"{}" if request.path.endswith("/8") else KNOWN),
        BEFORE,
        env={"AIRQ_STATIONS": "7,8"},
        expect=3,
    )
    assert "station 8: " in complaint(ran)
    assert {station for station, _ in replay.state().hours} == {7}


@pytest.mark.parametrize(
    ("known", "at", "said"),
    [
        ({9: {"CO": 1.0}}, hour(40), ["station 7: its newest hour is 2024-09-09 09:00 UTC, 31 h ago"]),
        ({9: {"CO": 1.0}}, hour(33), []),
        ({}, hour(40), ["station 7: no hour of it is known yet"]),
    ],
)
def test_22_an_empty_list_is_a_success_and_its_age_is_told(
    airq: "Airq",
    known: dict[int, dict[str, float]],
    at: datetime,
    said: list[str],
) -> None:
    """No rows is done with nothing new; a station whose newest hour is over a day old is warned of by its age."""
    replay = Replay(airq)
    if known:
        replay.well(body(known), hour(10))
    before = replay.state() if known else None
    ran = replay.run(rows(), at)
    assert counts(ran, "hours_new", "rows_rejected", "days_changed", "error") == [0, 0, 0, None]
    assert warnings(ran) == lines_without_level(ran) == said
    if before is not None:
        assert_same(replay.state(), before)


def lines_without_level(ran: "Ran") -> list[str]:
    """All lines on stderr."""
    return [line.removeprefix("airq-etl: ").removeprefix("warning: ") for line in lines(ran)]


NO_NUMBERS = [
    ("CO", "NaN", "nan"),
    ("CO", "-Infinity", "inf"),
    ("PM2.5", "1e999", "inf"),
    ("RH", "9" * 400, "inf"),
    ("CO", '"12.3"', "str"),
    ("CO", '""', "str"),
    ("NO2", "true", "bool"),
    ("T. int.", "[1.0]", "array"),
    ("PM10", '{"value": 1.0}', "object"),
]


def test_25_what_is_no_number_costs_its_row(airq: "Airq") -> None:
    """A row with anything but a finite number is set aside with data[i].KEY and the reason; the others are stored."""
    bad = [f'{{"timestamp": "2024-09-10 06:00:00", {json.dumps(key)}: {value}}}' for key, value, _ in NO_NUMBERS]
    # A naive reader takes each of them without a word.
    assert [json.loads(text)[key] for text, (key, _, _) in zip(bad, NO_NUMBERS, strict=True)]
    replay = Replay(airq)
    replay.well(KNOWN, BEFORE)
    ran = replay.run(rows(row(28), *bad, row(29), row(31)), FAULTY)
    assert counts(ran, "rows_rejected", "hours_new", "hours_revised", "error") == [len(bad), 1, 0, None]
    (said,) = warnings(ran)
    assert said.startswith(f"station 7: {len(bad)} rows set aside, the first is data[1].CO: nan ")
    rejected = replay.rejects()
    assert [(r["station_id"], r["position"], r["key"]) for r in rejected] == [
        (7, position, key) for position, (key, _, _) in enumerate(NO_NUMBERS, 1)
    ]
    for its, (_, _, reason) in zip(rejected, NO_NUMBERS, strict=True):
        assert reason in its["reason"]
        assert "2024-09-10 06:00:00" in its["row"]
    assert stored(replay).keys() == {hour(n) for n in (*range(30), 31)}
    assert_no_trace(replay)


@pytest.mark.parametrize(("key", "value"), [("PM2.5", "1e999"), ("T. int.", '"400"')])
def test_25_a_single_bad_row_is_named_on_stderr(airq: "Airq", key: str, value: str) -> None:
    """The line on stderr says the station, and where the first bad value stands."""
    bad = f'{{"timestamp": "2024-09-10 06:00:00", {json.dumps(key)}: {value}}}'
    ran = Replay(airq).run(rows(row(28), row(29), bad), FAULTY)
    (said,) = warnings(ran)
    assert said.startswith(f"station 7: 1 row set aside, the first is data[2].{key}: ")


def test_25_each_of_many_bad_rows_is_named(airq: "Airq") -> None:
    """Many bad rows are one line on stderr, and each is in the export, with its own position."""
    replay = Replay(airq)
    given = [row(n) if n % 3 else f'{{"timestamp": "{hour(n):%Y-%m-%d %H:%M:%S}", "CO": NaN}}' for n in range(30)]
    ran = replay.run(rows(*given), BEFORE)
    assert counts(ran, "rows_rejected", "hours_new") == [10, 20]
    assert len(lines(ran)) == 1
    assert [rejected["position"] for rejected in replay.rejects()] == list(range(0, 30, 3))


@pytest.mark.parametrize("missing", ['"CO": null', ""])
def test_26_an_absent_value_means_fewer_hours(airq: "Airq", missing: str) -> None:
    """A sensor that is absent or null in an hour leaves its mean over fewer hours, and is no zero."""
    some = [n for n in range(24) if n % 4 == 0]
    given = [
        f'{{"timestamp": "{hour(n):%Y-%m-%d %H:%M:%S}", "RH": 50.0{f", {missing}" if missing else ""}}}'
        if n in some
        else row(n)
        for n in range(24)
    ]
    reported = [n / 8 for n in range(24) if n not in some]
    assert sum(reported) / 24 != pytest.approx(statistics.mean(reported))
    replay = Replay(airq)
    ran = replay.run(rows(*given), BEFORE)
    assert counts(ran, "rows_rejected", "hours_new") == [0, 24]
    assert lines(ran) == []
    (day,) = replay.export("daily")
    assert (day["co_hours"], day["humidity_hours"]) == (18, 24)
    assert day["co_mean"] == pytest.approx(statistics.mean(reported), abs=1e-12)
    assert [stored(replay)[hour(n)]["co"] for n in some] == [None] * 6
    assert replay.rejects() == []


def test_26_a_value_that_is_gone_later_is_gone(airq: "Airq") -> None:
    """The newest answer's row wins whole: what it no longer says is null, fewer hours, and a revision."""
    replay = Replay(airq)
    replay.well(KNOWN, BEFORE)
    ran = replay.run(body({5: {"RH": 50.0}}), FAULTY)
    assert counts(ran, "hours_revised", "days_changed") == [1, 1]
    assert [day["co_hours"] for day in replay.export("daily")] == [23, 6]
    assert [(r["sensor"], r["old"], r["new"]) for r in replay.export("revisions")] == [("co", 0.625, None)]


def test_27_a_new_key_is_kept_and_told_once(airq: "Airq") -> None:
    """A key that no sensor declares stays in the capture to the byte, costs nothing, and is warned of once ever."""
    replay = Replay(airq)
    news = rows(*(row(n, H2S=n / 2) for n in range(30)))
    first = replay.run(news, BEFORE)
    (said,) = warnings(first)
    assert "station 7: " in said
    assert "'H2S'" in said
    assert replay.bodies() == [news]
    assert counts(first, "rows_rejected", "hours_new") == [0, 30]
    replay.well(KNOWN, BEFORE, data="undisturbed")
    assert_same(replay.state(), replay.state("undisturbed"))
    assert lines(replay.run(news, FAULTY)) == []
    more = rows(*(row(n, H2S=1.0, SO2=2.0) for n in range(30)))
    other = replay.run(more, AFTER, env={"AIRQ_STATIONS": "7,8"})
    told = [(said.partition(":")[0], "'H2S'" in said, "'SO2'" in said) for said in warnings(other)]
    assert sorted(told) == [("station 7", False, True), ("station 8", False, True), ("station 8", True, False)]


def test_27_a_key_gone_from_every_row_is_an_error(airq: "Airq") -> None:
    """A sensor that a station had, and that a whole answer lacks, is told as an error, not left as silent nulls."""
    replay = Replay(airq)
    replay.well(KNOWN, BEFORE)
    gone = body({n: {"RH": 50.0} for n in range(48)})
    ran = replay.run(gone, hour(49))
    assert complaint(ran).startswith(
        "station 7: CO is in none of the 48 rows of its newest answer, and was there before"
    )
    assert counts(ran, "sensors_gone", "hours_new", "error") == [["co"], 18, None]
    assert [document["co"] for document in stored(replay).values()] == [None] * 48


@pytest.mark.parametrize(
    ("before", "rows_now"),
    [({"RH": 1.0}, 48), ({"RH": 1.0, "CO": 1.0}, 23)],
    ids=["never there", "few rows"],
)
def test_27_a_key_that_was_never_there_is_not_missed(airq: "Airq", before: dict[str, float], rows_now: int) -> None:
    """A sensor that a station never had is no finding, nor is one that a short answer lacks."""
    replay = Replay(airq)
    replay.well(body(dict.fromkeys(range(30), before)), BEFORE)
    ran = replay.run(body({n: {"RH": 1.0} for n in range(rows_now)}), hour(49))
    assert counts(ran, "sensors_gone") == [[]]
    assert not [line for line in lines(ran) if "error" in line]


def test_28_a_value_out_of_range_is_flagged_and_left_out(airq: "Airq") -> None:
    """A value that cannot be stays as reported, is flagged bad, and is in no daily mean, minimum, maximum or count."""
    readings = {n: {"PM2.5": 1e6 if n == 3 else 5.0 + n % 2, "CO": 1.0} for n in range(24)}
    replay = Replay(airq)
    ran = replay.run(body(readings), BEFORE)
    assert counts(ran, "rows_rejected", "hours_new") == [0, 24]
    hours = replay.export("hourly")
    assert [h["pm25"] for h in hours] == [values["PM2.5"] for values in readings.values()]
    assert [h["pm25_flag"] for h in hours] == ["bad" if n == 3 else "ok" for n in range(24)]
    assert [document["pm25_flag"] for document in stored(replay).values()] == [h["pm25_flag"] for h in hours]
    (day,) = replay.export("daily")
    kept = [values["PM2.5"] for n, values in readings.items() if n != 3]
    assert statistics.mean(values["PM2.5"] for values in readings.values()) > 40_000
    assert day["pm25_mean"] == pytest.approx(statistics.mean(kept), abs=1e-12)
    assert (day["pm25_min"], day["pm25_max"], day["pm25_hours"], day["co_hours"]) == (5.0, 6.0, 23, 24)


def test_28_real_negatives_are_kept_and_flagged(airq: "Airq") -> None:
    """The negative CO and O3 that these boards report count in the mean, and are flagged; no value has no flag."""
    readings = {n: {"CO": 0.5 + n / 100, "O3": 30.0 + n, "RH": 50.0 + n} for n in range(24)}
    readings[12] = {"CO": -1.01, "O3": -41.0}
    replay = Replay(airq)
    ran = replay.run(body(readings), BEFORE)
    assert counts(ran, "rows_rejected", "hours_new") == [0, 24]
    hours = replay.export("hourly")
    assert (hours[12]["co"], hours[12]["o3"], hours[12]["reasons"]) == (-1.01, -41.0, "co negative, o3 negative")
    for name, odd in (("co", "suspect"), ("o3", "suspect"), ("humidity", None), ("pm25", None)):
        usual = None if name == "pm25" else "ok"
        # O3 warms up in its first hours.
        assert [h[f"{name}_flag"] for h in hours[4:]] == [odd if n == 12 else usual for n in range(4, 24)]
    (day,) = replay.export("daily")
    assert (day["co_hours"], day["co_min"], day["o3_hours"], day["o3_min"]) == (24, -1.01, 24, -41.0)
    assert day["co_mean"] == pytest.approx(sum(hour["CO"] for hour in readings.values()) / 24, abs=1e-12)


@pytest.mark.parametrize("second", [29 / 8, 99.0], ids=["equal", "unequal"])
def test_29_the_same_hour_twice_is_one_row(airq: "Airq", second: float) -> None:
    """An hour that stands twice is one row, the later in the list, and counted; it is no revision."""
    given = [row(n) for n in range(30)] + [row(29, CO=second)]
    assert len(json.loads(rows(*given))["data"]) == 31
    replay = Replay(airq)
    ran = replay.run(rows(*given), BEFORE)
    assert counts(ran, "rows_duplicate", "rows_rejected", "hours_new") == [1, 0, 30]
    assert stored(replay)[hour(29)]["co"] == second
    assert [day["co_hours"] for day in replay.export("daily")] == [24, 6]
    assert replay.export("revisions") == []


def test_29_of_three_that_differ_the_last_wins_wherever_it_stands(airq: "Airq") -> None:
    """The later in the list wins also where the list is out of order, and a bad row among them is no hour."""
    bad = f'{{{TEN}, "CO": "x"}}'
    replay = Replay(airq)
    ran = replay.run(rows(row(10, CO=1.0), row(20), row(10, CO=2.0), row(5), row(10, CO=3.0), bad), BEFORE)
    assert counts(ran, "rows_duplicate", "rows_rejected", "hours_new") == [2, 1, 3]
    assert stored(replay)[hour(10)]["co"] == 3.0


@pytest.mark.parametrize("backwards", [True, False])
def test_30_the_order_of_rows_does_not_matter(airq: "Airq", captures_dir: Path, *, backwards: bool) -> None:
    """A payload that is shuffled, or runs backwards, gives the same tables and documents."""
    real = json.loads(gzip.decompress((captures_dir / "283164601_2023-12-10.json.gz").read_bytes()))
    given = [json.dumps(each) for each in real["data"][-500:]]
    other = given[::-1] if backwards else random.Random(1).sample(given, len(given))  # noqa: S311 -- no secret
    assert json.loads(other[-1])["timestamp"] != real["data"][-1]["timestamp"]
    replay = Replay(airq)
    replay.well(rows(*given), BEFORE, data="undisturbed")
    ran = replay.run(rows(*other), BEFORE)
    assert counts(ran, "hours_new", "rows_rejected", "rows_duplicate") == [len(given), 0, 0]
    assert_same(replay.state(), replay.state("undisturbed"))


@pytest.mark.parametrize("company", [[], ["5"]], ids=["fast", "row by row"])
def test_31_of_two_equal_keys_the_last_wins(airq: "Airq", company: list[str]) -> None:
    """Where a key stands twice in a row the last one counts, as everywhere in JSON, with bad rows about or not."""
    replay = Replay(airq)
    twice = [f'{{{TEN}, "CO": 1, "CO": 2}}', f'{{{TEN}, "timestamp": "2024-09-09 11:00:00", "CO": 3}}']
    ran = replay.run(rows(*twice, *company), BEFORE)
    assert counts(ran, "hours_new", "rows_duplicate", "rows_rejected") == [2, 0, len(company)]
    assert {time: document["co"] for time, document in stored(replay).items()} == {hour(10): 2.0, hour(11): 3.0}


NO_TIMES = [
    (None, "timestamp"),
    ("null", "null"),
    ('""', "RFC3339"),
    ('"yesterday"', "RFC3339"),
    ('"2024-09-09"', "RFC3339"),
    ('"09/09/2024 10:00"', "RFC3339"),
    ('"2024-02-30 10:00:00"', "RFC3339"),
    ('"2024-09-09 24:00:00"', "RFC3339"),
    ('"1725876000"', "RFC3339"),
    ("1725876000", "float"),
    ("true", "bool"),
    ('["2024-09-09 10:00:00"]', "array"),
    ('"2024-09-09 10:30:00"', "not on the hour"),
    ('"2024-09-09 10:00:00.001"', "not on the hour"),
    ('"2024-09-09T10:00:00+05:30"', "not on the hour"),
    ('"0001-01-01T00:00:00+05:00"', "outside the calendar"),
]


def test_32_a_time_that_is_none_costs_its_row(airq: "Airq") -> None:
    """A row without a whole hour is set aside with its reason; no hour is ever null."""
    replay = Replay(airq)
    bad = [f'{{"timestamp": {time}, "CO": 1.0}}' if time else '{"CO": 1.0}' for time, _ in NO_TIMES]
    ran = replay.run(rows(row(1), *bad, row(2)), BEFORE)
    assert counts(ran, "rows_rejected", "hours_new", "error") == [len(bad), 2, None]
    assert len([line for line in lines(ran) if "set aside" in line]) == 1
    rejected = replay.rejects()
    assert [its["position"] for its in rejected] == list(range(1, len(bad) + 1))
    for its, (time, reason) in zip(rejected, NO_TIMES, strict=True):
        assert its["key"] == ("timestamp" if time else "")
        assert reason in its["reason"]
    assert stored(replay).keys() == {hour(1), hour(2)}


def test_32_an_explicit_offset_is_converted(airq: "Airq") -> None:
    """A timestamp with an offset is the UTC hour that it means."""
    times = (
        "2024-09-09T10:00:00+02:00",
        "2024-09-09 14:30:00+05:30",
        "2024-09-09T10:00:00Z",
        "2024-09-09 00:00:00-11:00",
    )
    replay = Replay(airq)
    ran = replay.run(rows(*(f'{{"timestamp": "{time}", "CO": {n}}}' for n, time in enumerate(times))), BEFORE)
    assert counts(ran, "rows_rejected", "hours_new") == [0, 4]
    assert [document["co"] for document in stored(replay).values()] == [0.0, 1.0, 2.0, 3.0]
    assert list(stored(replay)) == [hour(8), hour(9), hour(10), hour(11)]


IMPOSSIBLE = [
    (FAULTY + timedelta(hours=1), "future"),
    (FAULTY + timedelta(hours=2), "future"),
    (datetime(2034, 9, 9, tzinfo=UTC), "future"),
    (datetime(9999, 12, 31, 23, tzinfo=UTC), "future"),
    (datetime(1999, 12, 31, 23, tzinfo=UTC), "before 2000"),
    (datetime(1, 1, 1, tzinfo=UTC), "before 2000"),
]


def test_33_an_impossible_hour_moves_no_mark(airq: "Airq") -> None:
    """An hour of the future, or from before 2000, is set aside, and the next run asks from where the data ends."""
    replay = Replay(airq)
    replay.well(KNOWN, BEFORE)
    stamps = [time.replace(tzinfo=None).isoformat(" ") for time, _ in IMPOSSIBLE]
    faulty = rows(row(29), *(f'{{"timestamp": "{stamp}", "CO": 1.0}}' for stamp in stamps), row(31))
    # The mark that a naive reader would go on from.
    assert max(each["timestamp"] for each in json.loads(faulty)["data"]) > "9999"
    ran = replay.run(faulty, FAULTY)
    assert counts(ran, "rows_rejected", "hours_new", "error") == [len(stamps), 1, None]
    assert counts(ran, "newest_hour") == ["2024-09-10T07:00:00Z"]
    rejected = replay.rejects()
    assert [(its["position"], its["key"]) for its in rejected] == [(n, "timestamp") for n in range(1, len(stamps) + 1)]
    assert all(reason in its["reason"] for its, (_, reason) in zip(rejected, IMPOSSIBLE, strict=True))
    assert stored(replay).keys() == {hour(n) for n in (*range(30), 31)}
    replay.well(COMPLETE, AFTER)
    assert replay.requests[0].query == {"start_date": "20240908-0700", "end_date": "20240910-1000"}
    assert_no_trace(replay)


NASTY = {
    "nul": "a\\u0000b",
    "surrogate": "a\\ud800b",
    "script": "<script>alert(1)</script>",
    "where": "$where",
    "path": "../../../../tmp/x",
    "escape": "\\u001b[31mred\\u001b]0;title\\u0007\\u009b2J",
    "override": "a\\u202egnp.exe\\u2066\\u200f",
    "lines": "a\\r\\nairq-etl: error: all is lost\\u2028\\u2029\\u0085b",
    "sql": "'); drop table hourly; --",
    "markup": "[bold red]a[/] {0} %s %(x)s",
    "long": "x" * 5000,
}


def assert_plain(ran: "Ran") -> None:
    """Nothing in the output that a terminal would obey."""
    for character in set(ran.out + ran.err) - {"\n"}:
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}, hex(ord(character))


def tree(root: Path) -> set[str]:
    """All files below, without the names that each run makes anew."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if "captures" not in path.parts}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_34_a_nasty_name_is_harmless(airq: "Airq", text: str) -> None:
    """Whatever a station's name or a row's key holds, no terminal, path or query is moved by it."""
    replay = Replay(airq)
    plain = rows(row(1), f'{{{TEN}, "CO": "x"}}')
    nasty = rows(
        row(1),
        f'{{"{text}": 5, {TEN}, "CO": "{text}"}}',
        header=f'"{text}": 1, "header": {{"station_name": "{text}", "{text}": []}}',
    )
    replay.run(plain, BEFORE, data="undisturbed")
    around = {path.name for path in airq.directory.parent.iterdir()}
    ran = replay.run(nasty, BEFORE)
    assert_plain(ran)
    assert counts(ran, "rows_rejected", "hours_new", "error") == [1, 1, None]
    assert any("data[1].CO" in said for said in warnings(ran))
    assert_plain(airq("transform", "--data-dir", "data", env={"AIRQ_STATIONS": "7"}))
    rejected = airq("export", "rejects", "--data-dir", "data")
    assert_plain(rejected)
    assert tree(replay.path()) == tree(replay.path("undisturbed"))
    assert {path.name for path in airq.directory.parent.iterdir()} == around
    assert_frame_equal(replay.state().tables["hourly"], replay.state("undisturbed").tables["hourly"])
    (station,) = replay.state().store["stations"]
    assert len(station["name"]) <= 200
    with closing(sqlite3.connect(replay.path() / "airq.db")) as store:
        query = "select count(*) from stations join hourly using (station_id) where name = ?"
        assert store.execute(query, [station["name"]]).fetchall() == [(1,)]
    assert replay.well(COMPLETE, AFTER).stations[0].hours_new == 32


def test_34_a_byte_order_mark_is_no_harm(airq: "Airq") -> None:
    """An answer that begins with a byte order mark is read as if it did not."""
    with pytest.raises(json.JSONDecodeError):
        json.loads((b"\xef\xbb\xbf" + KNOWN).decode())
    replay = Replay(airq)
    ran = replay.run(b"\xef\xbb\xbf" + KNOWN, BEFORE)
    assert (lines(ran), counts(ran, "hours_new")) == ([], [30])
    replay.well(KNOWN, BEFORE, data="undisturbed")
    assert_same(replay.state(), replay.state("undisturbed"))


def test_34_a_cut_answer_with_a_byte_order_mark_is_asked_again(airq: "Airq") -> None:
    """An answer that is cut short is worth asking again, whatever it begins with."""
    replay = Replay(airq)
    cut = b"\xef\xbb\xbf" + KNOWN[:-20]
    ran = replay.run(
        lambda request: Reply(body=cut if request.number == 0 else KNOWN), BEFORE, env={"AIRQ_RETRIES": "1"}
    )
    assert counts(ran, "retries", "hours_new") == [1, 30]


@pytest.mark.parametrize("bad", ["", ", 5"], ids=["fast", "row by row"])
def test_34_invalid_utf8_in_the_name_costs_the_name(airq: "Airq", bad: str) -> None:
    """A name that is not UTF-8 costs no row, with bad rows about or not; the capture keeps its bytes."""
    replay = Replay(airq)
    answer = rows(row(1), row(2) + bad).replace(b"SMART188", b"SMART\xff\xfe188")
    ran = replay.run(answer, BEFORE)
    assert_plain(ran)
    assert counts(ran, "hours_new") == [2]
    assert replay.bodies() == [answer]


def test_34_invalid_utf8_in_a_row_costs_the_row(airq: "Airq") -> None:
    """A row that is not UTF-8 is set aside and told; the others are stored, and the capture keeps its bytes."""
    replay = Replay(airq)
    replay.well(KNOWN, BEFORE)
    answer = rows(row(28), row(30), row(31)).replace(b'"RH"', b'"R\xff"', 2).replace(b'"R\xff"', b'"RH"', 1)
    ran = replay.run(answer, FAULTY)
    assert_plain(ran)
    assert counts(ran, "rows_rejected", "hours_new", "hours_revised", "error") == [1, 1, 0, None]
    assert [its["position"] for its in replay.rejects()] == [1]
    assert replay.bodies()[-1] == answer
    assert_no_trace(replay)
