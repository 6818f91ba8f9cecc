"""How findings say numbers, times and lists."""

import math
from collections.abc import Sequence
from datetime import date, datetime

from airq_etl.sensors import BY_COLUMN

MOST_LISTED = 4
LEAST_SHARE = 0.001


def many(count: int, what: str) -> str:
    """A count of things: `1 hour`, `1,234 hours`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def at(time: object) -> str:
    """An hour (UTC) as `2023-04-22 00:00`, a day as `2023-04-22`."""
    if isinstance(time, datetime):
        return f"{time:%Y-%m-%d %H:%M}"
    return f"{time:%Y-%m-%d}" if isinstance(time, date) else "of no known time"


def listed(names: Sequence[str], most: int = MOST_LISTED) -> str:
    """Names in a row: `a`, `a and b`, `a, b and 3 more`."""
    shown = [*names] if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def percent(share: float) -> str:
    """A share as `6.9 %`; 100 % is said of all alone, and 0 % of none: `99.9 %`, `under 0.1 %`."""
    if 0 < share < LEAST_SHARE:
        return "under 0.1 %"
    rounded = round(share * 100, 1)
    return f"{rounded if share >= 1 else min(rounded, 99.9):g} %"


def sensor(column: str) -> str:
    """A sensor as people know it, by the API's key: `PM2.5`."""
    return BY_COLUMN[column].key


def number(value: float, column: str) -> str:
    """A sensor's value with its unit: `-0.53 mg/m³`."""
    return f"{plain(value)} {BY_COLUMN[column].unit}"


def plain(value: float) -> str:
    """A value to three significant digits, or to the whole where it is large: `0.0`, `-0.526`, `26.4`, `-999`."""
    if value == 0:
        return "0.0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}" if decimals else whole


def printable(text: str) -> str:
    """The text without characters that a terminal or XML would take for something else."""
    return "".join(character if character.isprintable() else " " for character in text)
