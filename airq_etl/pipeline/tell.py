"""Who is told how a run went: the dead man's switch, Prometheus, and people after so many bad runs in a row.

All of it happens when the run has let go of its lock: a target that hangs holds up no other run.
"""

import logging
import platform
from collections.abc import Iterator
from contextlib import contextmanager

from airq_etl import alerts, ledger_runs
from airq_etl.errors import AirqError, LockedError, PartialError, StoppedError, StoreError
from airq_etl.ledger import FILE, Ledger, remember
from airq_etl.pipeline.signals import stoppable
from airq_etl.results import Problem, Result
from airq_etl.settings import Settings

log = logging.getLogger(__name__)

ALERT = "alert"  # remembered in the ledger: the exit code that people were told of, "0" when all is well
LONGEST_S = 4 * alerts.LONGEST_S


@contextmanager
def told(settings: Settings, result: Result) -> Iterator[None]:
    """Tell how the run in the block ends, which fills in `result`; nothing where a signal or another run stopped it."""
    try:
        yield
    except (LockedError, StoppedError):
        raise
    except Exception as error:
        result.exit_code = error.exit_code if isinstance(error, AirqError) else 1
        result.problems.append(Problem(str(error) or type(error).__name__, result.exit_code))
        _of_the_end(settings, result)
        raise
    else:
        _of_the_end(settings, result)


def of_the_start(settings: Settings) -> None:
    """Tell that a run begins."""
    if settings.ping_url:
        alerts.ping(settings.ping_url, "start")


def _of_the_end(settings: Settings, result: Result) -> None:
    with stoppable(LONGEST_S):
        if settings.ping_url:
            alerts.ping(settings.ping_url, "fail" if result.exit_code else "success")
        if settings.metrics_file is None and not settings.alert_urls:
            return
        try:
            with _ledger(settings) as ledger:
                _write_metrics(settings, ledger, result)
                _alert(settings, ledger, result)
        except StoreError:
            # Without a ledger nobody knows what was told before: better twice than never.
            if result.exit_code:
                _send(settings, result, "airq-etl: a bad run", f"{result.started_at:%Y-%m-%d %H:%M}")


def _ledger(settings: Settings) -> Ledger:
    """The ledger that the run has left; this is no place to make one."""
    if not (settings.data_dir / FILE).is_file():
        raise StoreError(f"there is no ledger in {settings.data_dir}")
    return Ledger(settings.data_dir)


def _write_metrics(settings: Settings, ledger: Ledger, result: Result) -> None:
    if settings.metrics_file is None:
        return
    from airq_etl import metrics

    try:
        metrics.write(settings.metrics_file, result, ledger_runs.last_success(ledger, result.command))
    except OSError as error:
        log.warning("AIRQ_METRICS_FILE: %s cannot be written: %s", settings.metrics_file, error.strerror)


def _alert(settings: Settings, ledger: Ledger, result: Result) -> None:
    """Tell people of the N-th bad run in a row, once, once more where it gets worse than partial, and of its end."""
    before = int(ledger.meta(ALERT) or 0)
    bad = ledger_runs.bad_runs(ledger, result.command) if result.exit_code else []
    worse = before in {0, PartialError.exit_code} and result.exit_code not in {0, before}
    if result.exit_code and worse and len(bad) >= settings.alert_after:
        title = f"airq-etl: {len(bad)} bad {'run' if len(bad) == 1 else 'runs'} in a row"
        sent = _send(settings, result, title, f"{bad[-1]:%Y-%m-%d %H:%M}")
    elif before and not result.exit_code:
        sent = _send(settings, result, "airq-etl: runs are good again", "")
    else:
        return
    if sent:
        with ledger.transaction() as db:
            remember(db, ALERT, str(result.exit_code))


def _send(settings: Settings, result: Result, title: str, since: str) -> bool:
    said = (
        "\n".join(problem.message for problem in result.problems)
        or f"The run of {result.started_at:%Y-%m-%d %H:%M} UTC"
    )
    text = f"{said}\nSince {since} UTC. Next: airq-etl run -v" if since else said
    return alerts.send(settings.alert_urls, title, f"{text}\nData: {settings.data_dir} on {platform.node()}")
