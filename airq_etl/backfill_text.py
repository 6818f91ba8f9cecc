"""A backfill as text for people, 80 columns wide: what it would ask for, what came, and what is for ever."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from airq_etl.backfilling import Backfill, Gap, Outlook, hours_in
from airq_etl.sanity.wording import at, many, printable
from airq_etl.summary import WIDTH, written_text

MOST_SHOWN, MOST_SHOWN_FOR_EVER = 20, 3
NAME = 1  # the column that gives way where a row is too wide
NOTHING = "nothing to ask for: no hour is missing that the source may still give"


def outlook_text(outlook: Outlook) -> str:
    """The gaps that would be asked for, the longest first, then what is for ever."""
    lines = [NOTHING]
    if outlook.gaps:
        what = f"{many(hours_in(outlook.gaps), 'hour')} in {many(len(outlook.gaps), 'gap')}"
        lines = [
            f"{what} may still be had, with {many(outlook.requests, 'request')}:",
            *_gaps(outlook.gaps, MOST_SHOWN, requests=True),
        ]
    if outlook.captures_waiting:
        lines.append(
            f"{many(outlook.captures_waiting, 'capture')} not worked in yet: less may be missing than is said here"
        )
    return "\n".join([*lines, *_for_ever(outlook)])


def backfill_text(done: Backfill) -> str:
    """How many of the missing hours came, a line a station; what did not, and why; what the store was sent."""
    lines = [NOTHING]
    if done.stations:
        heading = ("station", "name", "missing", "came", "not given", "left")
        lines = _table(
            heading,
            [
                (
                    *(str(of.station_id), "failed" if of.error else of.name or ""),
                    *(f"{count:,}" for count in (of.missing, of.came, of.not_given, of.left)),
                )
                for of in done.stations
            ],
        )
    if done.unanswered:
        lines.append(
            f"{done.unanswered} of {many(done.before.requests, 'request')} got no good answer; "
            "the next `airq-etl backfill` asks again"
        )
    elif left := sum(of.left for of in done.stations):
        lines.append(f"{many(left, 'hour')} left may come late: the next run asks for what is new, or backfill")
    lines += _for_ever(done.after)
    if done.run.store is not None:
        lines.append(written_text(done.run))
    return "\n".join(lines)


def _for_ever(outlook: Outlook) -> list[str]:
    lines = []
    if outlook.older:
        lines += [
            f"for ever: {many(hours_in(outlook.older), 'hour')} older than the 365 days that the source keeps:",
            *_gaps(outlook.older, MOST_SHOWN_FOR_EVER),
        ]
    if outlook.not_given:
        lines += [
            f"for ever: {many(hours_in(outlook.not_given), 'hour')} that the source was asked for and did not give",
            "(`airq-etl backfill --again` asks once more):",
            *_gaps(outlook.not_given, MOST_SHOWN_FOR_EVER),
        ]
    return lines


def _gaps(gaps: Sequence[Gap], most: int, *, requests: bool = False) -> list[str]:
    """A table of the first gaps, and how many more there are."""
    heading = ("station", "name", "first missing", "last missing", "hours", *(["requests"] if requests else []))
    rows = [
        (
            *(str(gap.station_id), gap.name or "", at(gap.first), at(gap.last), f"{gap.hours:,}"),
            *([str(gap.requests)] if requests else []),
        )
        for gap in gaps[:most]
    ]
    more = [f"and {len(gaps) - most:,} more (--json has all)"] if len(gaps) > most else []
    return _table(heading, rows) + more


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side, counts to the right; a name that is too wide is cut, since the row must fit."""
    cells = [[printable(cell) for cell in row] for row in (heading, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    widths[NAME] = max(min(widths[NAME], WIDTH - sum(widths) - len(widths) + 1 + widths[NAME]), len(heading[NAME]))
    return [" ".join(_cell(*one) for one in zip(row, heading, widths, strict=True)).rstrip() for row in cells]


def _cell(cell: str, heading: str, width: int) -> str:
    if heading in {"station", "name", "first missing", "last missing"}:
        return set_cell_size(cell, width)
    return cell.rjust(width)
