"""One run in full, as text of at most 80 columns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from airq_etl.runs import RunRecord, StationRecord, StepRecord
from airq_etl.sanity.wording import printable
from airq_etl.status_facts import stations_worst_first
from airq_etl.status_view import (
    DURATION,
    MOST_STATIONS,
    NAME,
    STATE,
    STEP,
    Cell,
    grid,
    left_out,
    state_text,
    station_text,
)
from airq_etl.status_words import seconds_text
from airq_etl.summary import rendered

if TYPE_CHECKING:
    import rich.console


def run_text(run: RunRecord, names: Mapping[int, str], *, coloured: bool = False, all_stations: bool = False) -> str:
    """All that is recorded of a run; of the stations the worst of each step, unless `all_stations` are asked for."""
    parts: list[rich.console.RenderableType] = [grid([STEP, None], _facts(run))]
    for step in run.steps:
        parts += ["", grid([STEP, None], _step(step))]
        shown = stations_worst_first(step.stations)
        most = None if all_stations else MOST_STATIONS
        if shown:
            parts.append(grid([2, NAME, STATE, DURATION, None], [_station(one, names) for one in shown[:most]]))
        if most is not None and len(shown) > most:
            parts.append(f"  {left_out([station.state for station in shown[most:]])}")
    return rendered(parts, coloured=coloured)


def _facts(run: RunRecord) -> Iterator[Sequence[Cell]]:
    yield "run", run.run_id
    yield "command", run.command
    yield "state", state_text(run.state)
    yield "began", f"{run.started_at:%Y-%m-%d %H:%M:%S} UTC"
    if run.ended_at is not None:
        yield "ended", f"{run.ended_at:%Y-%m-%d %H:%M:%S} UTC"
    if run.duration_s is not None:
        yield "took", seconds_text(run.duration_s)
    if run.exit_code is not None:
        yield "exit code", str(run.exit_code)
    if run.message:
        yield "message", printable(run.message)
    yield "process", printable(f"{run.pid} on {run.host or 'a host that is not known'}")
    yield "version", run.version
    if run.settings is not None:
        yield "settings", f"{run.settings} (another where settings differ)"


def _step(step: StepRecord) -> Iterator[Sequence[Cell]]:
    took = "" if step.duration_s is None else f", {seconds_text(step.duration_s)}"
    began = "" if step.started_at is None else f", began {step.started_at:%H:%M:%S} UTC"
    yield step.step, state_text(step.state).append(f"{took}{began}", style="")
    if step.counts:
        yield "", _counts(step.counts)
    if step.message:
        yield "", printable(step.message)


def _station(station: StationRecord, names: Mapping[int, str]) -> Sequence[Cell]:
    name = station_text(station.station_id, names.get(station.station_id))
    told = "; ".join(filter(None, (_counts(station.counts), station.message)))
    return "", name, state_text(station.state), seconds_text(station.duration_s), printable(told)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
