"""How findings say numbers, hours and lists."""

from collections.abc import Sequence
from datetime import datetime

from airq_etl.sensors import BY_COLUMN

MOST_LISTED = 4


def many(count: int, what: str) -> str:
    """`1 hour`, `1,234 hours`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def at(time: datetime) -> str:
    """`2023-04-22 00:00`."""
    return f"{time:%Y-%m-%d %H:%M}"


def listed(names: Sequence[str], most: int = MOST_LISTED) -> str:
    """`a`, `a and b`, `a, b and 3 more`."""
    shown = [*names] if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def percent(part: float, whole: float) -> str:
    """`12 %`, `1.4 %`; below a thousandth `under 0.1 %`; never 100 % where something lacks."""
    share = 100 * part / whole
    if 0 < share < 0.1:  # noqa: PLR2004 -- as the docstring says
        return "under 0.1 %"
    if 99 < share < 100:  # noqa: PLR2004
        return f"{min(share, 99.9):.1f} %"
    return f"{share:.1f} %" if share < 10 else f"{share:.0f} %"  # noqa: PLR2004


def sensor(column: str) -> str:
    """A sensor as people know it, by the API's key: `PM2.5`."""
    return BY_COLUMN[column].key
