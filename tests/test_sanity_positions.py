"""Where the stations are said to be, and what the ledger keeps of it."""

import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from airq_etl.ledger import FILE, Ledger, keep_station
from airq_etl.sanity import positions
from airq_etl.sanity.evidence import Evidence, Position
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.positions import Point, km
from airq_etl.stations import Station
from tests.evidence import NOW, OTHER, evidence, finder
from tests.frames import STATION, hour

find = finder(positions.CHECKS)
ABIDJAN = (5.35, -4.0)
KM = 1 / 111.195  # of latitude, in degrees

Places = Mapping[int, tuple[float | None, float | None]]


def stations(places: Places) -> dict[int, Station]:
    return {station_id: Station(latitude=north, longitude=east) for station_id, (north, east) in places.items()}


def given(said: Places, file: Places | None = None) -> Evidence:
    """What the API says, and the stations file, which wins."""
    known = stations(said) | stations(file or {})
    return evidence(known=known, said=stations(said), configured=frozenset(known))


def only(found: list[Finding]) -> Finding:
    (finding,) = found
    return finding


def north_of(distance: float, east: float = ABIDJAN[1]) -> tuple[float, float]:
    return ABIDJAN[0] + distance * KM, east


def test_distances() -> None:
    """Great circles: Abidjan to Accra, around the date line, and to the other side of the Earth."""
    assert km(Point(5.35, -4.0), Point(5.56, -0.2)) == pytest.approx(421, abs=1)
    assert km(Point(0, 179.5), Point(0, -179.5)) == pytest.approx(111.2, abs=0.1)
    assert km(Point(0, 0), Point(0, 180)) == pytest.approx(20015, abs=1)


# -- position-missing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [(None, None), (5.35, None), (0.0, 0.0), (0.0099, -0.0099)])
def test_a_station_without_a_place(place: tuple[float | None, float | None]) -> None:
    """No coordinates, or half of them, or 0/0, are none."""
    found = only(find("position-missing", given({STATION: place, OTHER: ABIDJAN})))
    assert (found.station_id, found.severity) == (STATION, "info")
    assert find("position-far", given({STATION: place, OTHER: ABIDJAN})) == []


def test_the_equator_is_a_place() -> None:
    """Only both numbers near nought are no place; a station that the settings do not list is left alone."""
    assert find("position-missing", given({STATION: (0.0, 9.5), OTHER: (51.5, 0.0), 7: (0.0, 0.011)})) == []
    gone = given({STATION: (None, None)})._replace(configured=frozenset({OTHER}))
    assert find("position-missing", gone) == []


# -- position-differs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("distance", "found"), [(0.99, 0), (1.01, 1)])
def test_file_and_api_differ(distance: float, found: int) -> None:
    """More than a kilometre apart: which of the two is right is to be seen."""
    differ = find("position-differs", given({STATION: north_of(distance)}, {STATION: ABIDJAN}))
    assert [finding.severity for finding in differ] == ["warning"] * found
    if differ:
        assert (
            differ[0].sentence
            == "the stations file has it at 5.3500, -4.0000, the API 1.0 km away, at 5.3591, -4.0000; the file wins"
        )


def test_a_mended_place_is_no_warning() -> None:
    """Where the API's place is plainly wrong (a sign, or far from all others) the file has mended it: that is known."""
    sign = given({STATION: (5.35, 4.0)}, {STATION: ABIDJAN})
    far = given({STATION: (5.35, 0.05), OTHER: ABIDJAN}, {STATION: north_of(3)})
    for mended in (sign, far):
        assert only(find("position-differs", mended)).severity == "info"
        assert find("position-far", mended) == []
    typo = given({STATION: ABIDJAN, OTHER: ABIDJAN}, {STATION: (5.35, 2.0)})
    assert only(find("position-differs", typo)).severity == "warning"


# -- position-far --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("distance", "found"), [(99, 0), (101, 1)])
def test_two_apart_from_each_other(distance: float, found: int) -> None:
    """Of two that lie over 100 km apart nobody knows which is right: one finding, which says so."""
    far = find("position-far", given({STATION: ABIDJAN, OTHER: north_of(distance)}))
    assert [(finding.station_id, finding.count) for finding in far] == [(None, 2)] * found
    if far:
        assert "nobody here knows which" in far[0].sentence


def test_the_two_of_the_captures() -> None:
    """SMART188 at 0.05 and SMART189 at +3.96 degrees east are 433 km apart; Abidjan is at neither."""
    found = only(find("position-far", given({STATION: (5.369346, 0.05), OTHER: (5.365334, 3.957688)})))
    assert found.sentence == (
        "station 283164601 (5.3693, 0.0500) and station 283181971 (5.3653, 3.9577) are 433 km apart: they are in two "
        "towns, or one of the places at least is wrong, and nobody here knows which"
    )


def test_of_two_one_may_be_known() -> None:
    """Where the stations file places one of two, the other is far from it, perhaps by a sign; if both, all is said."""
    said: Places = {STATION: (5.3693, 0.05), OTHER: (5.3653, 3.9577)}
    found = only(find("position-far", given(said, {STATION: ABIDJAN})))
    assert found.station_id == OTHER
    assert found.sentence == (
        "it is said to be at 5.3653, 3.9577, 881 km from station 283164601, which the stations file places: "
        "its longitude lacks a minus sign"
    )
    confirmed = given(said)._replace(placed=frozenset({STATION, OTHER}))
    assert find("position-far", confirmed) == []
    assert "a sign turned" in only(find("position-far", given({STATION: ABIDJAN, OTHER: (5.35, 4.0)}))).sentence


TOWN: dict[int, tuple[float, float]] = {n: north_of(n) for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("place", "slip"),
    [
        ((5.35, 4.0), ": its longitude lacks a minus sign"),
        ((-5.35, -4.0), ": its latitude has a minus sign too many"),
        ((-4.0, 5.35), ": its latitude and longitude are swapped"),
        ((5.35, 0.05), ""),
    ],
)
def test_one_astray(place: tuple[float, float], slip: str) -> None:
    """One of several that lies far from their middle is named, and the slip of the pen that explains it."""
    found = only(find("position-far", given(TOWN | {STATION: place})))
    assert (found.station_id, found.severity) == (STATION, "warning")
    assert found.sentence.partition("of the stations")[2] == slip


@pytest.mark.parametrize(("distance", "found"), [(102, 0), (104, 1)])
def test_a_hundred_kilometres_are_far(distance: float, found: int) -> None:
    """Within 100 km of another (here 3 km north) a station is not alone, and nothing is said."""
    assert len(find("position-far", given(TOWN | {STATION: north_of(distance)}))) == found


def test_two_astray_by_the_same_slip() -> None:
    """Two that lack their minus sign lie beside each other, and are found all the same."""
    found = find("position-far", given(TOWN | {STATION: (5.35, 4.0), OTHER: (5.36, 4.01)}))
    assert [finding.station_id for finding in found] == [STATION, OTHER]


def test_a_network_of_many_towns() -> None:
    """A wide network has no stray: not where stations lie apart as a rule, nor where a town has two."""
    wide = {n: north_of(200 * n) for n in range(1, 6)}
    assert find("position-far", given(wide)) == []
    assert find("position-far", given(TOWN | {STATION: north_of(300), OTHER: north_of(310)})) == []


# -- position-moved ------------------------------------------------------------------------------------------------


def told(*places: tuple[float, float], days: int = 0) -> Evidence:
    history = [Position(STATION, *place, hour(100 * n), hour(100 * n + 50)) for n, place in enumerate(places, start=1)]
    return evidence(positions=tuple(history), now=history[-1].first + timedelta(days=days))


@pytest.mark.parametrize(("distance", "found"), [(0.99, 0), (1.01, 1)])
def test_a_station_that_was_moved(distance: float, found: int) -> None:
    """The API has had it in places more than a kilometre apart: since when, and how far."""
    moved = find("position-moved", told(ABIDJAN, north_of(distance)))
    assert len(moved) == found
    if moved:
        assert moved[0].severity == "warning"
        assert moved[0].sentence.startswith("the API has had it at 5.3591, -4.0000 since 2024-09-17 08:00, 1.0 km from")


@pytest.mark.parametrize(("days", "severity"), [(30, "warning"), (31, "info")])
def test_after_a_month_a_move_is_history(days: int, severity: str) -> None:
    """An old move is for the reader of the series to know."""
    assert only(find("position-moved", told(ABIDJAN, north_of(20), days=days))).severity == severity


def test_a_place_that_was_missing_is_no_move() -> None:
    """From 0/0, or from none, to a place is no move."""
    assert find("position-moved", told((0.0, 0.0), ABIDJAN)) == []


# -- the ledger ----------------------------------------------------------------------------------------------------


def test_the_ledger_keeps_every_place(tmp_path: Path) -> None:
    """Each place that the API gave, with when it first and last did, whatever the order of the answers."""
    here, there = stations({1: (5.36935, 0.05), 2: (5.36512, -3.95769)}).values()
    jitters = Station(latitude=5.36938, longitude=0.05001)
    answers = [(here, 5), (there, 30), (jitters, 20), (here, 1), (here, 9), (there, 40), (Station(name="x"), 50)]
    with Ledger(tmp_path) as ledger:
        for order in (answers, answers[::-1]):
            with ledger.transaction() as db:
                for station, number in order:
                    keep_station(db, STATION, station, hour(number))
            assert ledger.positions() == (
                Position(STATION, 5.369, 0.05, hour(1), hour(20)),
                Position(STATION, 5.365, -3.958, hour(30), hour(40)),
            )


def test_a_ledger_without_places_gets_them(tmp_path: Path) -> None:
    """A ledger of the layout before knows the newest place of each station: the history begins with it."""
    with Ledger(tmp_path) as ledger, ledger.transaction() as db:
        keep_station(db, STATION, Station(latitude=5.3, longitude=-4.0), hour(3))
        keep_station(db, OTHER, Station(), hour(3))
    with sqlite3.connect(tmp_path / FILE) as db:
        for column in ("duration_s", "host", "settings", "mirrored_to"):
            db.execute(f"alter table runs drop column {column}")
        db.execute("alter table steps drop column duration_s")
        db.executescript("drop table positions; pragma user_version = 2")
    db.close()
    with Ledger(tmp_path) as ledger:
        assert ledger.positions() == (Position(STATION, 5.3, -4.0, hour(3), hour(3)),)


def test_no_history() -> None:
    """Without a history nothing has moved."""
    assert find("position-moved", evidence(now=NOW)) == []
