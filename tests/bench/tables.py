"""Tables of plain text, aligned, in 80 columns."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence

WIDTH = 80
HEADS = {
    "cpu_s": ("CPU s", 1.0, 2),
    "wall_s": ("wall s", 1.0, 2),
    "rss_mb": ("peak MB", 1.0, 0),
    "wire_bytes": ("wire kB", 1e-3, 1),
    "requests": ("requests", 1.0, 0),
    "cpu_station": ("CPU ms/st", 1e3, 1),
    "ideal_s": ("L/c s", 1.0, 2),
    "extract_s": ("extr. s", 1.0, 2),
    "transform_s": ("tran. s", 1.0, 2),
    "load_s": ("load s", 1.0, 2),
    "forecast_s": ("fore. s", 1.0, 2),
    "sanity_check_s": ("look s", 1.0, 2),
    "over_ideal": ("extr./L", 1.0, 2),
    "rows": ("written", 1.0, 0),
    "rows_s": ("docs/s", 1.0, 0),
    "cpu_ms": ("CPU ms", 1.0, 2),
    "size_mb": ("page MB", 1.0, 1),
    "cpu_less_start_s": ("CPU-start", 1.0, 3),
    "heap_mb": ("heap MB", 1.0, 0),
    "source_cpu_s": ("source s", 1.0, 2),
}
"""Of each quantity that is measured: how a column is headed, units included; what it is multiplied by; decimals."""


def of_medians(medians: Mapping[str, Mapping[str, float]], columns: Sequence[str]) -> list[str]:
    """A row a case, with these quantities of it."""
    rows = [[_number(case.get(name), *HEADS[name][1:]) for name in columns] for case in medians.values()]
    return aligned(["", *(HEADS[name][0] for name in columns)], list(medians), rows)


def of_ratios(ratios: Mapping[str, Mapping[str, float]]) -> list[str]:
    """A row a comparison, with what is compared."""
    columns = list(dict.fromkeys(name for ratio in ratios.values() for name in ratio))
    rows = [[_ratio(ratio.get(name)) for name in columns] for ratio in ratios.values()]
    return aligned(
        ["", *(HEADS[name][0].split()[0] if name in HEADS else name for name in columns)], list(ratios), rows
    )


def aligned(head: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of at most 80 columns: a name to the left, numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(head[1:], *rows, strict=True)]
    room = WIDTH - sum(width + 2 for width in widths)
    first = min(max(map(len, names), default=0), room)
    lines = []
    for name, cells in zip((head[0], *names), (head[1:], *rows), strict=True):
        numbers = "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        lines.append(f"{name[:first]:<{first}}{numbers}")
    return lines


def wrapped(notes: Iterable[str]) -> list[str]:
    """Notes in lines of 80 columns."""
    return [line for note in notes for line in textwrap.wrap(note, WIDTH, subsequent_indent="  ")]


def _number(value: float | None, factor: float, decimals: int) -> str:
    return "" if value is None else f"{value * factor:,.{decimals}f}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
