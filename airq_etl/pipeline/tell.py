"""Who is told how a run went: the dead man's switch, Prometheus, and people where something is wrong.

It happens beside the run, or when it has let go of its lock: a target that hangs holds up no run. Nor does it change
how the run ended, whatever becomes of it: its trouble is a warning.
"""

import logging
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airq_etl import alerts
from airq_etl.errors import AirqError, LockedError, StoppedError, StoreError, UsageError
from airq_etl.ledger import FILE, Ledger
from airq_etl.pipeline import alerting
from airq_etl.pipeline.mirror import mirror
from airq_etl.pipeline.signals import stoppable
from airq_etl.results import Problem, Result
from airq_etl.settings import Settings
from airq_etl.watched import Extent

if TYPE_CHECKING:
    import polars as pl

log = logging.getLogger(__name__)

LONGEST_S = 4 * alerts.LONGEST_S


class Start:
    """The ping of a run's start, which goes out while the run goes on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pinging: threading.Thread | None = None

    def tell(self) -> None:
        """Tell that the run begins."""
        if self._settings.ping_url:
            self._pinging = threading.Thread(target=alerts.ping, args=(self._settings.ping_url, "start"), daemon=True)
            self._pinging.start()

    def wait(self) -> None:
        """Wait for its answer: who hears of the end first would take the run for one that goes on."""
        if self._pinging is not None:
            self._pinging.join()


@contextmanager
def told(settings: Settings, result: Result, extent: Extent) -> Iterator[Start]:
    """Tell how the run in the block ends, which fills in `result`; nothing where a signal or another run stopped it."""
    start = Start(settings)
    try:
        yield start
    except (LockedError, StoppedError):
        raise
    except Exception as error:
        result.exit_code = error.exit_code if isinstance(error, AirqError) else 1
        result.problems.append(Problem(str(error) or type(error).__name__, result.exit_code))
        _of_the_end(settings, result, extent, start)
        raise
    else:
        _of_the_end(settings, result, extent, start)


def _of_the_end(settings: Settings, result: Result, extent: Extent, start: Start) -> None:
    try:
        with stoppable(LONGEST_S):
            start.wait()
            _tell_all(settings, result, extent)
    except StoreError:
        log.warning("telling how the run ended took longer than %.0f s; the next run tells the rest", LONGEST_S)


def _tell_all(settings: Settings, result: Result, extent: Extent) -> None:
    if settings.ping_url:
        alerts.ping(settings.ping_url, "fail" if result.exit_code else "success")
    now = result.ended_at or result.started_at
    try:
        with _ledger(settings) as ledger:
            with _harmless("the alerts are not judged"):
                alerting.judge(settings, ledger, result.run_id, now, extent)
            with _harmless("the metrics are not written"):
                _write_metrics(settings, ledger, result)
            with _harmless("the alerts are not told"):
                alerting.tell(settings, ledger, result.run_id, now)
            mirror(settings, ledger, result)
    except StoreError as error:
        # Without a ledger nobody knows what was told before: better twice than never.
        log.debug("the alerts are not known: %s", error)
        if result.exit_code and settings.alert_urls:
            said = "\n".join(problem.message for problem in result.problems)
            where = f"Next: airq-etl doctor\nData: {settings.data_dir} on {platform.node()}"
            alerts.send(settings.alert_urls, "airq-etl: a bad run", f"{said}\n{where}", "error")


@contextmanager
def _harmless(what: str) -> Iterator[None]:
    """What nobody foresaw costs a warning, and nothing that comes after it."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        log.warning("%s: %s: %s (-v shows where)", what, type(error).__name__, error)
        log.debug("where it broke", exc_info=True)


def _ledger(settings: Settings) -> Ledger:
    """The ledger that the run has left; this is no place to make one."""
    try:
        there = (settings.data_dir / FILE).is_file()
    except OSError as error:
        raise StoreError(f"{settings.data_dir} cannot be read: {error.strerror}") from error
    if not there:
        raise StoreError(f"there is no ledger in {settings.data_dir}")
    return Ledger(settings.data_dir)


def _scores(settings: Settings) -> "pl.DataFrame | None":
    """How the forecasts of the last 28 days turned out; None where nobody can tell."""
    from airq_etl.pipeline.forecasting.known import scores_known

    try:
        return scores_known(settings)
    except UsageError:
        return None  # none has been made yet
    except AirqError as error:
        log.warning("the scores of forecasts are not in the metrics: %s", error)
        return None


def _write_metrics(settings: Settings, ledger: Ledger, result: Result) -> None:
    if settings.metrics_file is None:
        return
    from airq_etl import metrics

    try:
        metrics.write(
            settings.metrics_file, ledger, result, _scores(settings) if metrics.forecast_stations(result) else None
        )
    except OSError as error:
        log.warning("AIRQ_METRICS_FILE: %s cannot be written: %s", settings.metrics_file, error.strerror)
