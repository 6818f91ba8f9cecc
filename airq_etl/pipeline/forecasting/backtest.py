"""What forecasts of the past would have been, and how they would have done."""

from collections.abc import Callable, Collection
from pathlib import Path

from airq_etl.forecast.outlook import Backtest
from airq_etl.settings import Settings
from airq_etl.windows import Days


def run_backtest(  # noqa: PLR0913 -- what a backtest is of
    settings: Settings,
    days: Days,
    stations: Collection[int],
    horizon: int,
    output: Path | None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Every hour of `days` an origin."""
    raise NotImplementedError
