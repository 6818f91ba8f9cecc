"""Trials of challengers as text for people, 80 columns wide."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len, set_cell_size

from airq_etl.forecast.gate import COVERED_80, COVERED_95, PROMOTED_BY
from airq_etl.forecast.trial import Challenge, Trial
from airq_etl.sanity.wording import many, printable, sensor
from airq_etl.summary import WIDTH

HEADING = f"{'':8} {'over':<8} {'gain':>5} {'at least':>8} {'pinball':>7} {'80 %':>5} {'95 %':>5}"
LEGEND = (
    f"per cent, over {PROMOTED_BY} days; promoted where the gain in error is above 0 at the least, pinball loss is no "
    f"higher, and the bounds hold {COVERED_80[0]:g} to {COVERED_80[1]:g} and {COVERED_95[0]:g} to {COVERED_95[1]:g} % "
    "of the hours"
)


def challenge_text(done: Challenge) -> str:
    """A line a series, by station: what the challenger gains over who serves, and whether it is promoted."""
    if not done.trials:
        return "no challenger to try: none of the stations has hours"
    lines = []
    for station_id, trials in groupby(done.trials, lambda trial: trial.station_id):
        name = printable(f"{station_id} {done.names.get(station_id, '')}").rstrip()
        lines += [set_cell_size(name, min(cell_len(name), WIDTH)), *_table([*trials])]
    fitted = sum(trial.fitted for trial in done.trials)
    lines += _wrapped(f"{many(fitted, 'model')} fitted; {LEGEND}" if fitted else f"no model was due; {LEGEND}")
    if done.store is not None:
        written = [f"{count:,} {name}" for name, count in done.documents.items() if count]
        lines += _wrapped(f"{done.store}: {', '.join(written) + ' written' if written else 'up to date'}")
    return "\n".join(lines)


def _table(trials: Sequence[Trial]) -> list[str]:
    rows = [_row(trial) for trial in trials if trial.over is not None]
    return [*([HEADING] if rows else []), *rows, *_unjudged(trials)]


def _row(trial: Trial) -> str:
    found = trial.evidence
    numbers = f"{_number(found.gain):>5} {_number(found.gain_low):>8} {_number(found.pinball):>7}"
    numbers += f" {_number(found.coverage80):>5} {_number(found.coverage95):>5}"
    over = (trial.over or "").partition(" ")[0]
    verdict = trial.verdict if trial.serves else f"no: {trial.verdict}"
    return f"{_series(trial):<8} {over:<8} {numbers}  {verdict}"


def _unjudged(trials: Sequence[Trial]) -> Iterator[str]:
    """What was not judged, with its reason once for all horizons."""
    unjudged = [trial for trial in trials if trial.over is None]
    for (column, verdict), some in groupby(unjudged, lambda trial: (trial.sensor, trial.verdict)):
        ahead = ", ".join(f"+{trial.horizon}" for trial in some)
        yield from _wrapped(f"{sensor(column)} {ahead} not judged: {verdict}")


def _series(trial: Trial) -> str:
    return f"{sensor(trial.sensor):<5} +{trial.horizon}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{round(value, 1) + 0.0:.1f}"  # no -0.0


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
