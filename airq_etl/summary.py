"""Results as text for people: tables of at most 80 columns, without colour."""

import io
import textwrap
from collections.abc import Callable, Iterable, Mapping

import polars as pl
import rich.console
import rich.table

from airq_etl.results import Result, StationResult

WIDTH = 80

Columns = dict[str, Callable[[StationResult], str]]


ASKED: Columns = {
    "requests": lambda station: str(station.requests),
    "retries": lambda station: str(station.retries),
    "kB": lambda station: f"{station.wire_bytes / 1000:.1f}",
}
HOURS: Columns = {
    "new": lambda station: str(station.hours_new),
    "settled": lambda station: str(station.hours_settled),
    "revised": lambda station: str(station.hours_revised),
    "rejected": lambda station: str(station.rows_rejected),
    "days": lambda station: str(station.days_changed),
}


def result_text(result: Result) -> str:
    """One line a station, then where the answers are and what the store was sent."""
    lines = []
    if result.stations:
        lines.append(hours_text(result, traffic=any(station.requests for station in result.stations)))
    elif result.command != "load":
        lines.append("nothing was waiting")
    if result.capture is not None and result.command == "extract":
        lines.append(f"kept in {result.capture}; next: airq-etl transform")
    if result.store is not None:
        lines.append(_wrapped(written_text(result)))
    if told := forecasts_text(result.forecasts):
        lines.append(f"forecast: {told}; `airq-etl forecast` shows them")
    if any(result.findings.values()):
        lines.append(
            _wrapped(
                f"sanity-check of the last days: {counts_text(result.findings)}; `airq-etl sanity-check` shows all"
            )
        )
    return "\n".join(lines)


def written_text(result: Result) -> str:
    """What the store was sent."""
    written = [f"{count:,} {name}" for name, count in result.documents.items() if count]
    return f"{result.store}: " + (", ".join(written) + " written" if written else "up to date")


def _wrapped(line: str) -> str:
    """The line in as many as 80 columns ask for; a long path stays whole."""
    return textwrap.fill(line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def counts_text(counts: Mapping[str, int]) -> str:
    """How many findings there are of each severity: `1 error, 3 warnings`."""
    return ", ".join(
        f"{count:,} {severity}{'s' if count > 1 and severity != 'info' else ''}"
        for severity, count in counts.items()
        if count
    )


def forecasts_text(counts: Mapping[str, int]) -> str:
    """How many forecasts are new, of how many the hour has come, how many sensors have none: `16 made, 2 withheld`."""
    return ", ".join(f"{counts[name]:,} {name}" for name in ("made", "scored", "withheld") if counts.get(name))


def _name(station: StationResult) -> str:
    return "failed" if station.error else station.name or ""


def hours_text(result: Result, *, traffic: bool) -> str:
    """One line a station: hours by what came of them and, with `traffic`, what was asked."""
    columns: Columns = {"station": lambda station: str(station.station_id), "name": _name}
    if result.command != "extract":
        columns |= HOURS
    if traffic:
        columns |= ASKED
    table = _table(*columns)
    for station in result.stations:
        table.add_row(*(cell(station) for cell in columns.values()))
    return rendered([table])


def daily_text(days: pl.DataFrame, min_hours: int) -> str:
    """Daily means of PM2.5 and CO, each with the hours under it; `days` are rows of the daily table."""
    table = _table("station", "day", "PM2.5 µg/m³", "hours", "CO mg/m³", "hours", "AQI", "")
    for day in days.iter_rows(named=True):
        few = min(day["pm25_hours"], day["co_hours"]) < min_hours
        table.add_row(
            str(day["station_id"]),
            f"{day['day']:%Y-%m-%d}",
            _number(day["pm25_mean"], 1),
            str(day["pm25_hours"]),
            _number(day["co_mean"], 2),
            str(day["co_hours"]),
            _number(day["pm25_aqi"], 0),
            "" if day["final"] and not few else "not over yet" if not day["final"] else "too few hours",
        )
    return rendered([table])


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _table(*headings: str) -> rich.table.Table:
    table = rich.table.Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        left = heading in {"station", "name", "day", ""}
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    return table


def rendered(parts: Iterable[rich.console.RenderableType], *, coloured: bool = False) -> str:
    """The parts below each other, 80 columns wide; what looks like markup in them is taken as it stands."""
    console = rich.console.Console(
        file=io.StringIO(),
        width=WIDTH,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
        no_color=not coloured,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().split("\n")).rstrip("\n")
