"""The command line of the benchmarks."""

import argparse
import importlib
import os
import signal
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.costs import FailedError
from tests.bench.progress import say
from tests.bench.suite import Asked, Measure, shown, written
from tests.bench.tables import WIDTH


class Benchmark(NamedTuple):
    """What one measures; how many minutes it takes, about, on two cores; the stations it has where none are named."""

    sentence: str
    minutes: int
    stations: tuple[int, ...] = ()


BENCHMARKS = {
    "hourly": Benchmark("an hourly run of 2 stations, 100 ms away, against what others do in it", 3),
    "decode": Benchmark("one answer of a whole year decoded, checked, and made daily means", 1),
    "first_year": Benchmark("the first full year: extract, transform and load, apart and together", 10, (2, 100)),
    "growth": Benchmark("an hourly run of many stations, 100 ms away, 32 at a time", 15, (100, 1_000)),
    "daily": Benchmark("daily means and flags of station-years, against pandas and DuckDB", 3, (10, 100)),
    "stores": Benchmark("documents a second into both stores: new, the same, changed", 10, (10,)),
    "start": Benchmark("how long commands take that do little, against a bare Python", 1),
    "forecast": Benchmark("a forecast at once, an hour and a day later, and with models fitted anew", 2, (2,)),
    "report": Benchmark("the page, the facts, and a page of one station", 10, (100,)),
    "sanity": Benchmark("each sanity check over station-years", 1, (10,)),
}
ROUNDS = 5
INTERRUPTED = 128 + signal.SIGINT


def asked_for() -> argparse.Namespace:
    """The command line; what cannot be is refused before anything is measured."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        usage="%(prog)s [NAME ...] [OPTIONS]",
        description="Measures; asserts nothing. NAME is one of " + ", ".join(BENCHMARKS) + ".",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all of them without")
    parser.add_argument("--list", action="store_true", help="say what each measures, of how many stations")
    parser.add_argument("--rounds", type=_many, metavar="N", help=f"of which medians are taken ({ROUNDS})")
    parser.add_argument("--stations", type=_sizes, default=(), metavar="N,N,...", help="of how many (see --list)")
    parser.add_argument("--out", default="bench-results", metavar="DIR", help="where JSON goes (bench-results)")
    parser.add_argument("--small", action="store_true", help="the smallest sizes, one round: whether it works")
    asked = parser.parse_args()
    asked.names = list(dict.fromkeys(asked.names)) or list(BENCHMARKS)
    for name in asked.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}; --list says what there is")
        if asked.stations and not BENCHMARKS[name].stations:
            parser.error(f"--stations: {name} is not of so many stations; --list says which are")
    if not asked.list:
        asked.out = _place(asked.out, parser)
    return asked


def _many(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(_many(part) for part in text.replace("_", "").split(",")))


def _place(text: str, parser: argparse.ArgumentParser) -> Path:
    """The directory that results go to, which is made."""
    try:
        Path(text).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {text}: {error.strerror}")
    if not text or not os.access(text, os.W_OK):
        parser.error(f"--out {text!r}: name a directory that can be written to")
    return Path(text)


def listed() -> str:
    """What there is, in 80 columns."""
    lines = []
    for name, (sentence, minutes, stations) in BENCHMARKS.items():
        sizes = f"; of {', '.join(f'{count:,}' for count in stations)} (--stations)" if stations else ""
        told = f"{name:<11} {sentence}{sizes}; {minutes} min"
        lines.append(textwrap.fill(told, WIDTH, subsequent_indent=" " * 12))
    return "\n".join(lines)


def run(name: str, given: argparse.Namespace) -> None:
    """Measure, show, and write down."""
    benchmark, began = BENCHMARKS[name], time.monotonic()
    rounds = given.rounds or (1 if given.small else ROUNDS)
    say(f"{name}: " + ("begun" if given.small else f"begun; {ROUNDS} rounds take some {benchmark.minutes} min"))
    measure: Measure = importlib.import_module(f"tests.bench.{name}").measure
    with tempfile.TemporaryDirectory(prefix=f"airq-bench-{name}-") as place:
        asked = Asked(rounds, given.stations, given.small, benchmark.stations, Path(place))
        outcome = measure(asked)
    print(shown(name, benchmark.sentence, outcome), flush=True)  # noqa: T201 -- what it is for
    told = given.out / f"{name}.json"
    told.write_text(written(name, benchmark.sentence, asked, outcome), encoding="utf-8")
    say(f"{name}: done in {time.monotonic() - began:.0f} s; its samples are in {told}")


def main() -> None:
    """All that is asked for, one after the other."""
    given = asked_for()
    if given.list:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads may have seen enough
        print(listed())  # noqa: T201
        return
    # What was started is ended, and what lies about removed, then as well.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda told, _: sys.exit(128 + told))
    for number, name in enumerate(given.names):
        if number:
            print(flush=True)  # noqa: T201
        try:
            run(name, given)
        except (FailedError, OSError) as error:
            sys.exit(f"{name}: {error}")
        except KeyboardInterrupt:
            say(f"{name}: stopped; nothing of it is written down")
            sys.exit(INTERRUPTED)
