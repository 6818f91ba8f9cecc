"""Where the stations are said to be: whether that can be, and whether all who say it agree."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import combinations
from math import asin, cos, radians, sin, sqrt
from statistics import median
from typing import NamedTuple

from airq_etl.sanity.evidence import Check, Evidence, Position
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.wording import at, many
from airq_etl.stations import Station

SAME_KM = 1.0
NEAR_KM = 50.0
FAR_KM = 100.0
SPREAD = 5.0  # a network of many towns is wide: far is what lies five times as far out as half of it
NULL_ISLAND = 0.01
RECENT = timedelta(days=30)
EARTH_KM = 6371.0
ENOUGH = 3  # stations, of which two can outvote one
FILE = "the stations file (AIRQ_STATIONS_FILE)"


class Point(NamedTuple):
    """Degrees."""

    latitude: float
    longitude: float

    def __str__(self) -> str:
        return f"{self.latitude:.4f}, {self.longitude:.4f}"


def km(a: Point, b: Point) -> float:
    """The great-circle distance."""
    (north, east), (to_north, to_east) = (map(radians, point) for point in (a, b))
    half = sin((to_north - north) / 2) ** 2 + cos(north) * cos(to_north) * sin((to_east - east) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


def positions_missing(evidence: Evidence) -> Iterator[Finding]:
    """Stations without coordinates."""
    for station_id, station in _stations(evidence).items():
        if _point(station) is None:
            none = station.latitude is None or station.longitude is None
            yield Finding(
                check="position-missing",
                severity="info",
                station_id=station_id,
                count=1,
                sentence="nobody says where it is" if none else "it is said to be at 0, 0, which is open sea",
                action=f"give its latitude and longitude in {FILE}",
            )


def positions_differ(evidence: Evidence) -> Iterator[Finding]:
    """The stations file says one place, the API another; a warning unless the API's is plainly the wrong one."""
    places = _places(evidence)
    for station_id in sorted(_by_file(evidence) & places.keys()):
        given, said = places[station_id], _point(evidence.said.get(station_id, Station()))
        if said is None or km(given, said) <= SAME_KM:
            continue
        others = [point for other, point in places.items() if other != station_id]
        mended = _slip(said, [given]) or (_is_near(given, others, NEAR_KM) and not _is_near(said, others, FAR_KM))
        yield Finding(
            check="position-differs",
            severity="info" if mended else "warning",
            station_id=station_id,
            count=1,
            sentence=f"the stations file has it at {given}, the API {_far(given, said)} away, at {said}; the file wins",
            action="tell AirQino the right place" if mended else "see which of the two is right",
        )


def positions_far(evidence: Evidence) -> Iterator[Finding]:
    """Stations that lie where none of the network is; of two that lie apart nobody knows which is right."""
    places, right = _places(evidence), _by_file(evidence)
    if len(places) >= ENOUGH:
        yield from _astray(places, right)
    elif len(places) > 1:
        yield from _apart(evidence, places, right)


def _astray(places: dict[int, Point], right: set[int]) -> Iterator[Finding]:
    sure = [point for station_id, point in places.items() if station_id in right] or list(places.values())
    middle = Point(median(p.latitude for p in sure), median(p.longitude for p in sure))
    half = median(km(point, middle) for point in sure)
    for station_id, point in sorted(places.items()):
        distance = km(point, middle)
        if distance <= FAR_KM:
            continue
        slip = _slip(point, [p for p in sure if p != point])
        others = (other for number, other in places.items() if number != station_id)
        alone = distance > SPREAD * half and not _is_near(point, others, FAR_KM)
        if slip or (alone and station_id not in right):
            yield _lost(station_id, point, f"{distance:,.0f} km from the middle of the stations", slip)


def _apart(evidence: Evidence, places: dict[int, Point], right: set[int]) -> Iterator[Finding]:
    (one, here), (two, there) = sorted(places.items())
    if km(here, there) <= FAR_KM or {one, two} <= right:
        return
    for station_id, point, other, reference in ((one, here, two, there), (two, there, one, here)):
        if other in right:
            distance = f"{_far(point, reference)} from {_called(evidence, other)}, which the stations file places"
            yield _lost(station_id, point, distance, _slip(point, [reference]))
            return
    slips = _slip(here, [there]) or _slip(there, [here])
    hint = "; a sign turned, or the two numbers swapped, would bring them together" if slips else ""
    yield Finding(
        check="position-far",
        severity="warning",
        count=2,
        sentence=(
            f"{_called(evidence, one)} ({here}) and {_called(evidence, two)} ({there}) are {_far(here, there)} apart: "
            f"they are in two towns, or one of the places at least is wrong, and nobody here knows which{hint}"
        ),
        action=f"give their latitude and longitude in {FILE}",
    )


def _called(evidence: Evidence, station_id: int) -> str:
    return evidence.known[station_id].name or f"station {station_id}"


def _lost(station_id: int, point: Point, distance: str, slip: str) -> Finding:
    return Finding(
        check="position-far",
        severity="warning",
        station_id=station_id,
        count=1,
        sentence=f"it is said to be at {point}, {distance}{': ' if slip else ''}{slip}",
        action=f"give its latitude and longitude in {FILE}",
    )


def positions_moved(evidence: Evidence) -> Iterator[Finding]:
    """Stations that the API has placed in spots more than a kilometre apart; a warning for 30 days."""
    history: dict[int, list[Position]] = {}
    for position in sorted(evidence.positions, key=lambda p: (p.station_id, p.first)):
        if _point(position) is not None:
            history.setdefault(position.station_id, []).append(position)
    for station_id, told in history.items():
        moves = [(a, b) for a, b in combinations(told, 2) if _between(a, b) > SAME_KM]
        if moves:
            before, after = max(moves, key=lambda move: (move[1].first, _between(*move)))
            yield Finding(
                check="position-moved",
                severity="warning" if evidence.now - after.first <= RECENT else "info",
                station_id=station_id,
                first=before.first,
                last=after.last,
                count=len(told),
                sentence=(
                    f"the API has had it at {_point(after)} since {at(after.first)}, {_between(before, after):,.1f} km "
                    f"from {_point(before)} before; it has named {many(len(told), 'place')} in all"
                ),
                action="ask whether the station was moved: its series is then that of two places",
            )


def _between(a: Position, b: Position) -> float:
    here, there = _point(a), _point(b)
    return 0.0 if here is None or there is None else km(here, there)


def _stations(evidence: Evidence) -> dict[int, Station]:
    """What is known of the stations in the settings."""
    wanted = evidence.configured or evidence.known.keys()
    return {station_id: evidence.known[station_id] for station_id in sorted(evidence.known.keys() & wanted)}


def _places(evidence: Evidence) -> dict[int, Point]:
    points = {station_id: _point(station) for station_id, station in _stations(evidence).items()}
    return {station_id: point for station_id, point in points.items() if point is not None}


def _point(station: Station | Position) -> Point | None:
    """Where a station is; None where it is not known, or 0/0, which is what is said of one that was not placed."""
    if station.latitude is None or station.longitude is None:
        return None
    point = Point(station.latitude, station.longitude)
    return None if max(map(abs, point)) < NULL_ISLAND else point


def _by_file(evidence: Evidence) -> set[int]:
    """The stations that the stations file places: those it is said of, and those that the API has elsewhere."""
    said = {station_id: _point(station) for station_id, station in evidence.said.items()}
    places = _places(evidence)
    return {s for s, point in places.items() if s in evidence.placed or (evidence.said and said.get(s) != point)}


def _is_near(point: Point, others: Iterable[Point], most_km: float) -> bool:
    return any(km(point, other) <= most_km for other in others)


def _slip(point: Point, right: list[Point]) -> str:
    """The slip of the pen that, mended, brings a far point near to a right one; "" where none does."""
    north, east = point
    slips = {
        _sign("longitude", east): Point(north, -east),
        _sign("latitude", north): Point(-north, east),
        "its latitude and longitude are swapped": Point(east, north),
    }
    could = {slip: mended for slip, mended in slips.items() if abs(mended.latitude) <= 90}  # noqa: PLR2004 -- the pole
    return next((slip for slip, mended in could.items() if _is_near(mended, right, NEAR_KM)), "")


def _sign(name: str, degrees: float) -> str:
    return f"its {name} lacks a minus sign" if degrees > 0 else f"its {name} has a minus sign too many"


def _far(a: Point, b: Point) -> str:
    distance = km(a, b)
    return f"{distance:,.0f} km" if distance >= 10 else f"{distance:,.1f} km"  # noqa: PLR2004 -- metres matter near by


CHECKS: tuple[Check, ...] = (
    Check(
        "position-missing",
        "a station of which nobody says where it is",
        "no latitude or longitude, or 0/0",
        "0/0 is what a device that was never placed reports",
        positions_missing,
    ),
    Check(
        "position-differs",
        "the stations file and the API have a station in different places",
        f"over {SAME_KM:.0f} km; info where the API's place is plainly wrong",
        "the stations file wins",
        positions_differ,
    ),
    Check(
        "position-far",
        "a station that is said to be where none of the network is",
        f"over {FAR_KM:.0f} km from the middle, and alone there or explained by a sign or a swap",
        "the API has had both stations of Abidjan (5.35, -4.00) in the Gulf of Guinea: 0.05 and +3.96 degrees",
        positions_far,
    ),
    Check(
        "position-moved",
        "a station that the API has had in several places",
        f"over {SAME_KM:.0f} km apart; info after 30 days",
        "a device that is moved keeps its id",
        positions_moved,
    ),
)
