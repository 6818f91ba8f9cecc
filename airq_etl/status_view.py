"""How the hourly job stands, as text of at most 80 columns.

Names and messages come from elsewhere and may hold anything: what is no printable character becomes a space.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import rich.console
import rich.table
import rich.text

from airq_etl.findings_text import COLOURS
from airq_etl.runs import INTERRUPTED, State
from airq_etl.sanity.wording import many, printable
from airq_etl.status_facts import HOURS_SHOWN, Pace, RunStands, StationStands, Status, StepStands, worst_first
from airq_etl.status_words import age_text, bytes_text, counted, seconds_text, when
from airq_etl.summary import WIDTH, counts_text, rendered
from airq_etl.windows import HOUR

MOST_STATIONS = 20
LONGEST = 150  # of a step's message; --run has it whole
MARGIN = 11  # of the words before the facts
STATE, DURATION, STEP, NAME, HOUR_AND_AGE = 10, 9, 13, 22, 18
STYLES = {"OK": "green", "FAILED": "bold red", "RUNNING": "cyan"} | dict.fromkeys(
    ("SLOW", "PARTIAL", "RETRY"), "yellow"
)

Cell = str | rich.text.Text


def status_text(status: Status, *, home: str = "", coloured: bool = False, all_stations: bool = False) -> str:
    """The screen; of the stations the worst, unless `all_stations` are asked for; the `home` directory is `~`."""
    parts: list[rich.console.RenderableType] = [_head(status, home), ""]
    parts.append(grid([MARGIN, None], [*_runs(status), *_rest(status)]))
    if status.alerts:
        parts += ["", grid([STATE, None], _alerts(status))]
    if status.steps:
        parts += ["", _steps(status.steps)]
    if status.stations:
        parts += ["", *_stations(status, None if all_stations else MOST_STATIONS)]
    return rendered(parts, coloured=coloured)


def _head(status: Status, home: str) -> str:
    where = status.data_dir
    where = f"~{where.removeprefix(home)}" if home and where.startswith(f"{home}/") else where
    return printable(f"airq-etl on {status.host}, {where}, {status.now:%Y-%m-%d %H:%M:%S} UTC")


def _runs(status: Status) -> Iterator[Sequence[Cell]]:
    if status.pace is None:
        yield "today", "no `run` yet; next: airq-etl run"
    else:
        yield "today", _today(status.pace)
        yield "7 days", _week(status.pace)
    if status.at_work is not None:
        yield "at work", _at_work(status.at_work, status)
    if status.last is not None:
        yield "last run", _last(status.last, status)
    if status.last_good is not None:
        ago = age_text(status.now - status.last_good)
        yield "last good", f"{when(status.last_good, status.now)}, {ago} ago"
    if status.pace is not None:
        yield "next due", _due(status.pace.next_due, status)


def _today(pace: Pace) -> str:
    bad = {state: count for state, count in pace.today.items() if state not in {"SUCCESS", "RUNNING"}}
    told = "".join(f", {count} {state}" for state, count in bad.items())
    return f"{pace.done} of {pace.expected} runs done since {pace.since:%H:%M} UTC (hourly at :{pace.minute:02}){told}"


def _week(pace: Pace) -> str:
    runs = many(sum(pace.week.values()), "run")
    return f"{runs}, none has ended" if pace.good_percent is None else f"{pace.good_percent:g} % of {runs} good"


def _at_work(run: RunStands, status: Status) -> str:
    step = f", at {run.step}" if run.step else ""
    since = f"{run.command} {run.run_id} since {when(run.started_at, status.now)}"
    return f"{since} ({seconds_text(run.duration_s)}){step}"


def _last(run: RunStands, status: Status) -> rich.text.Text:
    usual = "" if run.usual_s is None else f" (usual {seconds_text(run.usual_s)})"
    told = [f"{run.run_id} of {when(run.started_at, status.now)}"]
    told += [] if run.duration_s is None else [f"{seconds_text(run.duration_s)}{usual}"]
    told += [] if run.exit_code is None else [f"exit code {run.exit_code}"]
    told += [f"failed: {', '.join(run.failed)}"] if run.failed else []
    if run.message == INTERRUPTED:
        told[0] = f"({INTERRUPTED}) {told[0]}"
        told.append("the next run takes up what is left")
    elif run.message and not any(step.message and step.message in run.message for step in status.steps):
        # What a step said stands beside the step.
        told.append(run.message)
    return rich.text.Text.assemble(state_text(run.state, slow=run.slow), printable(f" {', '.join(told)}"))


def _due(due: datetime, status: Status) -> str:
    late = status.now - due
    if late <= timedelta(0):
        return f"{when(due, status.now)} UTC"
    if late <= HOUR:
        return f"{when(due, status.now)} UTC, {age_text(late)} ago"
    return f"cron has not called since {when(due - HOUR, status.now)} UTC; see its log"


def _rest(status: Status) -> Iterator[Sequence[Cell]]:
    disk = status.disk
    if told := counts_text(status.findings):
        yield "findings", f"{told} open; airq-etl sanity-check shows them"
    sizes = {"captures": disk.captures, "tables": disk.tables, "store": disk.store, "ledger": disk.ledger}
    used = ", ".join(f"{name} {bytes_text(size)}" for name, size in sizes.items() if size is not None)
    yield "disk", used
    yield "free", bytes_text(disk.free)
    for reason in status.unwell:
        yield "not well", rich.text.Text(printable(reason), style="bold red")
    for note in status.notes:
        yield "note", printable(note)


def _steps(steps: Iterable[StepStands]) -> rich.table.Table:
    rows: list[Sequence[Cell]] = [("step", "state", "took", "usual", "")]
    for step in steps:
        said = counted(step.step, step.counts) if step.counts or step.state == "SUCCESS" else ""
        told = "; ".join(filter(None, (said, _shortened(step.message))))
        durations = (seconds_text(step.duration_s), seconds_text(step.usual_s))
        rows.append((step.step, state_text(step.state, slow=step.slow), *durations, printable(told)))
    return grid([STEP, STATE, DURATION, DURATION, None], rows)


def _shortened(message: str) -> str:
    return message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"


def _stations(status: Status, most: int | None) -> Iterator[rich.console.RenderableType]:
    stations = worst_first(status.stations)
    rows: list[Sequence[Cell]] = [("station", "state", "took", "newest hour", "age", f"last {HOURS_SHOWN} h")]
    widths = [NAME, STATE, DURATION, HOUR_AND_AGE, DURATION, None]
    for station in stations[:most]:
        rows.append(_station(station, status))
        if station.message:
            yield grid(widths, rows, cut=True)
            yield grid([2, None], [("", printable(station.message))])
            rows = []
    if rows:
        yield grid(widths, rows, cut=True)
    if most is not None and len(stations) > most:
        yield left_out([station.state for station in stations[most:]])


def _station(station: StationStands, status: Status) -> Sequence[Cell]:
    newest = station.newest_hour
    return (
        station_text(station.station_id, station.name),
        "-" if station.state is None else state_text(station.state),
        seconds_text(station.duration_s),
        "-" if newest is None else f"{newest:%Y-%m-%d %H:%M}",
        "-" if newest is None else age_text(status.now - newest),
        "-" if station.hours_of_24 is None else f"{station.hours_of_24}/{HOURS_SHOWN}",
    )


def station_text(station_id: int, name: str | None) -> str:
    """A station by its id, which every command takes, and its name, which others may have as well."""
    return printable(f"{station_id} {name or ''}".rstrip())


def left_out(states: Sequence[State | None]) -> str:
    """How many stations are not shown, and how they are."""
    counts = Counter("never asked" if state is None else str(state_text(state)) for state in states)
    if counts.keys() == {"OK"}:
        return f"and {len(states):,} more, all OK"
    told = ", ".join(f"{count:,} {state}" for state, count in counts.items())
    return f"and {len(states):,} more: {told}; --all shows them"


def _alerts(status: Status) -> Iterator[Sequence[Cell]]:
    for known in status.alerts:
        alert = known.alert
        word = rich.text.Text(alert.severity.upper(), style=COLOURS[alert.severity])
        yield word, printable(f"since {when(alert.since, status.now)}: {alert.sentence}")
        yield "", printable(f"-> {alert.action}")


def state_text(state: State, *, slow: bool = False) -> rich.text.Text:
    """A state as it is shown: SUCCESS is OK, or SLOW."""
    word = ("SLOW" if slow else "OK") if state == "SUCCESS" else state
    return rich.text.Text(word, style=STYLES.get(word, ""))


def one_line(text: str) -> rich.text.Text:
    """The text, cut to fit a line."""
    line = rich.text.Text(printable(text))
    line.truncate(WIDTH, overflow="ellipsis")
    return line


def grid(widths: Sequence[int | None], rows: Iterable[Sequence[Cell]], *, cut: bool = False) -> rich.table.Table:
    """Columns of these widths, with the blank that parts them (None: what is left); the rest is wrapped, or `cut`."""
    table = rich.table.Table.grid(padding=(0, 1, 0, 0))
    left = WIDTH - sum(width for width in widths if width is not None)
    for width in widths:
        table.add_column(
            width=(left + 1 if width is None else width) - 1, no_wrap=cut, overflow="ellipsis" if cut else "fold"
        )
    for row in rows:
        table.add_row(*(rich.text.Text(cell) if isinstance(cell, str) else cell for cell in row))
    return table
