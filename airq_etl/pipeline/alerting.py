"""After a run: which alerts open, stay and clear, and who is told of them."""

import logging
import platform
from datetime import datetime

from airq_etl import alert_text, alerts, ledger_runs, open_alerts, watch
from airq_etl.errors import AirqError
from airq_etl.lake import Lake
from airq_etl.ledger import Ledger
from airq_etl.open_findings import open_findings
from airq_etl.pipeline.recent import recent
from airq_etl.runs import RunRecord
from airq_etl.settings import Settings
from airq_etl.watched import Extent, Facts, Recent, Thresholds

log = logging.getLogger(__name__)


def judge(settings: Settings, ledger: Ledger, run_id: str, now: datetime, extent: Extent) -> None:
    """Record which alerts a run that has ended opens and clears."""
    run = ledger_runs.run_of(ledger, run_id)
    if run is None:
        return
    facts, limits = _facts(settings, ledger, run, now, extent), thresholds(settings)
    found, before = watch.alerts(facts, limits), open_alerts.open_alerts(ledger)
    open_alerts.record(ledger, found, lambda alert: watch.is_unseen(alert, facts), now=now, run_id=run_id)
    past = watch.past(facts, limits)
    # Of what is open already a run before this one has told, whose end is news by itself.
    if past and past.identity not in {known.alert.identity for known in before}:
        open_alerts.record_past(ledger, past, now=now, run_id=run_id, telling=bool(settings.alert_urls))


def tell(settings: Settings, ledger: Ledger, run_id: str, now: datetime) -> None:
    """Tell people what is news to them; what no service took is told after the next run."""
    news = open_alerts.news(ledger)
    if not settings.alert_urls or not (news.opened or news.cleared):
        return
    where = f"airq-etl run {run_id} on {platform.node()}, data in {settings.data_dir}; all of it: airq-etl status"
    told = [*news.opened, *(one for one in news.cleared if one.told_at is None)]
    kind = told[0].alert.severity if told else None
    text = alert_text.message(news.opened, news.cleared, where)
    if alerts.send(settings.alert_urls, alert_text.title(news.opened, news.cleared), text, kind):
        open_alerts.mark_told(ledger, news, now)


def thresholds(settings: Settings) -> Thresholds:
    """From where on something is wrong, by these settings."""
    return Thresholds(
        after=settings.alert_after,
        slow=settings.alert_slow,
        records_percent=settings.alert_records,
        rejected_percent=settings.alert_rejected,
        minute=settings.alert_minute,
        overdue_h=settings.alert_overdue_h,
    )


def _facts(settings: Settings, ledger: Ledger, run: RunRecord, now: datetime, extent: Extent) -> Facts:
    return Facts(
        run=run,
        now=now,
        bad=ledger_runs.bad_runs(ledger, run.command, until=run.run_id),
        bad_because=ledger_runs.last_bad_message(ledger, run.command, until=run.run_id),
        failures=ledger_runs.failures(ledger, run.command),
        usual_s=ledger_runs.usual_s(ledger, run.command, before=run.run_id),
        usual_rows=ledger_runs.usual_rows(ledger, run.command, before=run.run_id),
        good_before=ledger_runs.last_success(ledger, run.command, before=run.run_id),
        first_run=ledger_runs.first_run(ledger, run.command),
        recent={} if extent.of_days else _recent(settings, now),
        findings=[(known.finding, known.opened_at) for known in open_findings(ledger)],
        names={i: name for i, said in ledger.stations().items() if (name := settings.station(i, said).name)},
        extent=extent,
    )


def _recent(settings: Settings, now: datetime) -> dict[int, Recent]:
    try:
        return recent(Lake(settings.data_dir), settings, settings.stations, now)
    except AirqError as error:
        log.debug("how much of the last day has come is not known: %s", error)
        return {}
