"""How the French write what stands in a sentence beside its words: numbers, values with units, times, counts.

A thousand is set off by a narrow no-break space, a decimal by a comma, a unit by a no-break space; days are
`22/04/2023`. Symbols of units and keys of sensors are the same in both languages.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from airq_etl.sensors import BY_KEY, SENSORS

NARROW, FIXED = "\u202f", "\u00a0"
"""No-break spaces: between thousands; before a colon, a semicolon, a unit and a per cent sign."""
MINUS = "\u2212"

NUMBER = r"-?[\d,]*\d(?:\.\d+)?(?:e[+-]\d+)?"
AT_LEAST_MANY = 2  # zero, one and what lies between are singular

NOUNS: Mapping[str, tuple[str, str]] = {
    "hour": ("heure", "heures"),
    "missing hour": ("heure manquante", "heures manquantes"),
    "good hour": ("heure valide", "heures valides"),
    "day": ("jour", "jours"),
    "row": ("ligne", "lignes"),
    "time": ("fois", "fois"),
    "answer": ("réponse", "réponses"),
    "place": ("position", "positions"),
    "more sensor": ("autre capteur", "autres capteurs"),
}
"""What is counted, as `sanity.wording.many` is told it: of one, and of more."""

# The units that are words.
_UNITS = {"counts": "unités brutes", "index": "(indice)"}
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_NONE = "aucune valeur"
_VALUES = {"none": _NONE, "yes": "oui", "no": "non"}


class Kind(NamedTuple):
    """What may stand in a hole of a template: a regular expression without groups, and how it is turned."""

    pattern: str
    turn: Callable[[str], str]


def number(text: str) -> str:
    """`-1,234.5` in French."""
    return text.replace(",", NARROW).replace(".", ",").replace("-", MINUS)


def quantity(text: str) -> str:
    """A number with its unit."""
    value, _, unit = text.partition(" ")
    return f"{number(value)}{FIXED}{_UNITS.get(unit, unit)}"


def share(text: str) -> str:
    """`6.9 %`, or `under 0.1 %`."""
    below = "moins de " if text.startswith("under ") else ""
    return below + quantity(text.removeprefix("under "))


def count(text: str) -> str:
    """`1 day`, `24 hours and 1 day`."""
    return " et ".join(map(_count, text.split(" and ")))


def _count(text: str) -> str:
    value, _, noun = text.partition(" ")
    forms = NOUNS.get(noun) or NOUNS[noun.removesuffix("s")]
    return f"{number(value)} {forms[is_many(value)]}"


def is_many(text: str) -> bool:
    """Whether what a text names is plural in French: two or more, several counts, several names."""
    found = re.match(NUMBER, text)
    return " and " in text or (found is not None and abs(float(found[0].replace(",", ""))) >= AT_LEAST_MANY)


def time(text: str) -> str:
    """`2023-04-22`, or `2023-04-22 11:00`."""
    if not text[0].isdigit():
        return "(date inconnue)"
    day, _, hour = text.partition(" ")
    return f"{'/'.join(reversed(day.split('-')))} {hour}".rstrip()


def month(text: str) -> str:
    """`2023-04`."""
    year, _, of_it = text.partition("-")
    return f"{_MONTHS[int(of_it) - 1]} {year}"


def point(text: str) -> str:
    """Latitude and longitude, which a comma could no longer part."""
    return f"{FIXED}/{FIXED}".join(map(number, text.split(", ")))


def value(text: str) -> str:
    """What a cell of a table holds: a number with its unit or without, yes or no, none; as it is where it is text."""
    if re.fullmatch(f"none {_UNIT}", text):
        return _NONE
    if re.fullmatch(_QUANTITY, text):
        return quantity(text)
    return number(text) if re.fullmatch(NUMBER, text) else _VALUES.get(text, text)


def _any_of(words: Mapping[str, object] | set[str]) -> str:
    # The longest first: PM2.5 is no PM2.
    return f"(?:{'|'.join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))})"


_AT = r"(?:\d{4}-\d\d-\d\d(?: \d\d:\d\d)?|of no known time)"
_UNIT = _any_of({sensor.unit for sensor in SENSORS} | {"h", "km"})
_QUANTITY = f"{NUMBER} {_UNIT}"
_COUNT = rf"[\d,]+ {_any_of(NOUNS)}s?"
_DEGREES = r"-?\d+\.\d{4}"


def _as_it_is(text: str) -> str:
    return text


KINDS: Mapping[str, Kind] = {
    "n": Kind(NUMBER, number),
    "quantity": Kind(_QUANTITY, quantity),
    "share": Kind(rf"(?:under )?{NUMBER} %", share),
    "count": Kind(f"{_COUNT}(?: and {_COUNT})?", count),
    "at": Kind(_AT, time),
    "month": Kind(r"\d{4}-\d\d", month),
    "point": Kind(f"{_DEGREES}, {_DEGREES}", point),
    "value": Kind(".+?", value),
    "key": Kind(_any_of(BY_KEY), _as_it_is),
    "quoted": Kind(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", _as_it_is),
    "text": Kind(".+?", _as_it_is),
}
"""What may stand in a hole, by the name that a template gives it."""
