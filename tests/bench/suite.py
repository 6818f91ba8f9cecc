"""What a benchmark is given, and what it gives: samples, medians, ratios, as a table and as JSON."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.bench import machine
from tests.bench.costs import Sample, Samples, median
from tests.bench.tables import of_medians, of_ratios, wrapped

COST = ("cpu_s", "wall_s", "rss_mb")
FETCHING = (*COST, "requests", "wire_bytes")


class Asked(NamedTuple):
    """What is asked of a benchmark: rounds, sizes, a small try or not, its usual sizes; a directory to work in."""

    rounds: int
    stations: tuple[int, ...]
    small: bool
    usual: tuple[int, ...]
    directory: Path

    def sizes(self, small: tuple[int, ...]) -> tuple[int, ...]:
        """How many stations: those asked for, else `small` ones, or the usual."""
        return self.stations or (small if self.small else self.usual)

    def place(self, name: str) -> Path:
        """A new directory within the one to work in."""
        made = self.directory / name
        made.mkdir()
        return made


class Outcome(NamedTuple):
    """What was measured: samples by case, ratios of medians by comparison, and what to know of them.

    `views` are the tables to show: a title, how the names of its cases begin, and its columns.
    """

    samples: Samples
    ratios: dict[str, Sample]
    views: tuple[tuple[str, str, tuple[str, ...]], ...]
    notes: tuple[str, ...] = ()


Measure = Callable[[Asked], Outcome]


def by_size(asked: Asked, sizes: tuple[int, ...], of: Callable[[Asked, int, Path], Samples]) -> Samples:
    """The samples of each size, which has a directory of its own; the names of their cases begin with it."""
    every = ((count, of(asked, count, asked.place(str(count)))) for count in sizes)
    return {f"{count}: {what}": found for count, samples in every for what, found in samples.items()}


def ratio(medians: Mapping[str, Sample], one: str, other: str, names: tuple[str, ...] = COST) -> Sample:
    """How many times the other's the quantities of one case are."""
    mine, its = medians[one], medians[other]
    return {name: mine[name] / its[name] for name in names if its.get(name) and name in mine}


def medians(samples: Samples) -> dict[str, Sample]:
    """The medians of each case."""
    return {case: median(rounds) for case, rounds in samples.items()}


def shown(name: str, sentence: str, outcome: Outcome) -> str:
    """The tables of a benchmark."""
    of_cases = medians(outcome.samples)
    least, most = (of(len(rounds) for rounds in outcome.samples.values()) for of in (min, max))
    taken = f"medians of {most}" if least == most else f"medians of {least} to {most}"
    lines = [*wrapped([f"{name}: {sentence}; {taken}"])]
    for title, begins, columns in outcome.views:
        cut = begins if begins.endswith(" ") else ""
        cases = {case.removeprefix(cut): of_cases[case] for case in of_cases if case.startswith(begins)}
        present = [column for column in columns if any(column in case for case in cases.values())]
        lines += ["", *([title] if title else []), *of_medians(cases, present)]
    if outcome.ratios:
        lines += ["", "ratios", *of_ratios(outcome.ratios)]
    return "\n".join([*lines, "", *wrapped([*outcome.notes, machine.line(machine.described())])])


def written(name: str, sentence: str, asked: Asked, outcome: Outcome) -> str:
    """All of it, as JSON."""
    of_cases = medians(outcome.samples)
    told = {
        "benchmark": name,
        "measures": sentence,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.described(),
        "rounds": asked.rounds,
        "small": asked.small,
        "cases": {case: {"median": of_cases[case], "samples": rounds} for case, rounds in outcome.samples.items()},
        "ratios": outcome.ratios,
        "notes": outcome.notes,
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
