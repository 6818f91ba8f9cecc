"""airq-etl with a step of forecasts that breaks where the data say so; stands before the command line of a test."""

import sys
from collections.abc import Collection

from airq_etl.errors import StoreError
from airq_etl.forecast.outlook import Outlooks
from airq_etl.lake import HOURLY
from airq_etl.pipeline.forecasting import make
from airq_etl.pipeline.job import Job
from airq_etl.pipeline.recording import step

REFUSE, CRASH, HANG = 76.0, 77.0, 78.0  # a CO that it ends at, one that it cannot bear, one that it never ends with


def _forecast(work: Job, stations: Collection[int]) -> Outlooks:
    with step(work, "forecast"):
        there = set(work.lake.read(HOURLY)["co"])
        if REFUSE in there:
            raise StoreError("the store is made up; try again")
        if CRASH in there:
            raise ZeroDivisionError("made up")
        while HANG in there:
            pass
    return Outlooks(run_id=work.result.run_id, made_at=work.now, made=len(stations))


if __name__ == "__main__":
    make.forecast = _forecast  # type: ignore[assignment]

    from airq_etl.cli import main

    # Before us stand the words that would start the command without us.
    sys.argv[1:] = sys.argv[sys.argv.index("airq_etl") + 1 :]
    main()
