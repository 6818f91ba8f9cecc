"""Who is told how a run went: the dead man's switch, Prometheus, and people after so many bad runs in a row."""

import logging
import platform

from airq_etl import alerts
from airq_etl.ledger import Ledger, remember
from airq_etl.results import Result
from airq_etl.settings import Settings

log = logging.getLogger(__name__)

ALERT = "alert"  # remembered in the ledger: "open" while people have been told of bad runs
FIRST_SIGNAL = 128


def of_the_start(settings: Settings) -> None:
    """Tell that a run begins."""
    if settings.ping_url:
        alerts.ping(settings.ping_url, "start")


def of_the_end(settings: Settings, ledger: Ledger, result: Result) -> None:
    """Tell how a run ended; of one that a signal stopped nothing is told."""
    if result.exit_code > FIRST_SIGNAL:
        return
    if settings.metrics_file is not None:
        _write_metrics(settings, ledger, result)
    if settings.ping_url:
        alerts.ping(settings.ping_url, "fail" if result.exit_code else "success")
    if settings.alert_urls:
        _alert(settings, ledger, result)


def _write_metrics(settings: Settings, ledger: Ledger, result: Result) -> None:
    from airq_etl import metrics

    assert settings.metrics_file is not None  # noqa: S101 -- the caller looked
    try:
        metrics.write(settings.metrics_file, result, ledger.last_success(result.command))
    except OSError as error:
        log.warning("AIRQ_METRICS_FILE: %s cannot be written: %s", settings.metrics_file, error.strerror)


def _alert(settings: Settings, ledger: Ledger, result: Result) -> None:
    """Tell people of the N-th bad run in a row, once, and of the first good one after that."""
    bad = ledger.bad_runs(result.command)
    told = ledger.meta(ALERT) == "open"
    where = f"{settings.data_dir} on {platform.node()}"
    if bad and not told and len(bad) >= settings.alert_after:
        title = f"airq-etl: {len(bad)} bad {'run' if len(bad) == 1 else 'runs'} in a row"
        since, message = bad[-1]
        text = f"{message or 'see the log'}\nSince {since} UTC, in {where}. Next: airq-etl run -v"
    elif told and not bad:
        title, text = "airq-etl: runs are good again", f"The run of {result.started_at:%Y-%m-%d %H:%M} UTC, in {where}."
    else:
        return
    if alerts.send(settings.alert_urls, title, text):
        with ledger.transaction() as db:
            remember(db, ALERT, "open" if bad else "closed")
