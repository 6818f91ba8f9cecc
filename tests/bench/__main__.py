"""How long things take, for anyone to see: `python -m tests.bench [NAME ...]`; `--list` says what there is."""

import argparse
import importlib
import signal
import sys
import tempfile
from pathlib import Path

from tests.bench.costs import FailedError
from tests.bench.suite import Asked, Measure, shown, written

BENCHMARKS = {
    "hourly": "an hourly run of 2 stations, 100 ms away, against what others do in it",
    "decode": "one answer of a whole year decoded, checked, and made daily means",
    "first_year": "the first full year: extract, transform and load, apart and together",
    "growth": "an hourly run at 100 and 1,000 stations, 100 ms away, 32 at a time",
    "daily": "daily means and flags of 10 and 100 station-years, against pandas and DuckDB",
    "stores": "documents a second into both stores: new, the same, changed",
    "start": "how long commands take that do little, against a bare Python",
    "forecast": "a forecast at once, an hour and a day later, and with models fitted anew",
    "report": "the page, the facts, and a page of one station",
    "sanity": "each sanity check over ten station-years",
}
ROUNDS = 5


def asked_for() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures; asserts nothing.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all of them without")
    parser.add_argument("--list", action="store_true", help="say what each measures")
    parser.add_argument("--rounds", type=_many, metavar="N", help=f"of which medians are taken ({ROUNDS})")
    parser.add_argument("--stations", type=_sizes, default=(), metavar="N,N,...", help="sizes, where it has any")
    parser.add_argument("--out", type=Path, default=Path("bench-results"), metavar="DIR", help="where JSON goes")
    parser.add_argument("--small", action="store_true", help="the smallest sizes, one round: whether it works")
    asked = parser.parse_args()
    for name in asked.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    return asked


def _many(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(_many(part) for part in text.replace("_", "").split(","))


def run(name: str, given: argparse.Namespace) -> None:
    """Measure, show, and write down."""
    rounds = given.rounds or (1 if given.small else ROUNDS)
    measure: Measure = importlib.import_module(f"tests.bench.{name}").measure
    with tempfile.TemporaryDirectory(prefix=f"airq-bench-{name}-") as place:
        asked = Asked(rounds, given.stations, given.small, Path(place))
        outcome = measure(asked)
    print(shown(name, BENCHMARKS[name], asked, outcome), flush=True)  # noqa: T201 -- what it is for
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / f"{name}.json").write_text(written(name, BENCHMARKS[name], asked, outcome), encoding="utf-8")


def main() -> None:
    """All that is asked for, one after the other."""
    given = asked_for()
    if given.list:
        print("\n".join(f"{name:<11} {sentence}" for name, sentence in BENCHMARKS.items()))  # noqa: T201
        return
    # What was started is ended, and what lies about removed, then as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for number, name in enumerate(given.names or BENCHMARKS):
        if number:
            print()  # noqa: T201
        try:
            run(name, given)
        except FailedError as error:
            sys.exit(f"{name}: {error}")


if __name__ == "__main__":
    main()
