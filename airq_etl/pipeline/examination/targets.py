"""Who is told: alerts, metrics, the dead man's switch. Nothing is sent unless asked for."""

import importlib.util
import logging
import platform
import tempfile

from airq_etl import alerts
from airq_etl.checkup import Remark
from airq_etl.sanity.wording import many
from airq_etl.settings import Settings

INSTALL = "pip install '.[alerts]', beside airq-etl"


def look_at_targets(settings: Settings, *, send_test: bool) -> list[Remark]:
    """Whether those who are to be told can be; with `send_test` each alert URL is sent a message."""
    remarks = [*_alerts(settings, send_test=send_test), *_metrics(settings)]
    if all(remark.status == "ok" for remark in remarks):
        targets = {
            many(len(settings.alert_urls), "alert URL"): settings.alert_urls,
            "the metrics file": settings.metrics_file,
            "the dead man's switch": settings.ping_url,
        }
        told = ", ".join(name for name, there in targets.items() if there)
        said = f"set: {told}" if told else "nobody is told: no AIRQ_ALERT_URLS, AIRQ_PING_URL, AIRQ_METRICS_FILE"
        remarks.append(Remark("alerts", "ok", said))
    return remarks


def _alerts(settings: Settings, *, send_test: bool) -> list[Remark]:
    if not settings.alert_urls:
        return [_nobody()] if send_test else []
    if importlib.util.find_spec("apprise") is None:
        return [Remark("alerts", "failed", "AIRQ_ALERT_URLS is set, and apprise is not installed", INSTALL)]
    urls = dict(enumerate(settings.alert_urls, 1))
    bad = [number for number, url in urls.items() if not _is_understood(url)]
    remarks = [_not_understood(number) for number in bad]
    if send_test:
        remarks += [_sent(number, url) for number, url in urls.items() if number not in bad]
    return remarks


def _nobody() -> Remark:
    return Remark("alerts", "warning", "there is nobody to send a test to", "set AIRQ_ALERT_URLS")


def _not_understood(number: int) -> Remark:
    said = f"AIRQ_ALERT_URLS: URL {number} is none that Apprise understands"
    return Remark("alerts", "failed", said, "it looks like mailto://user:password@host, slack://...")


def _is_understood(url: str) -> bool:
    import apprise

    # What it would print names the URLs, which are secrets.
    log = logging.getLogger("apprise")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    return bool(apprise.Apprise().add(url))


def _sent(number: int, url: str) -> Remark:
    text = f"airq-etl doctor on {platform.node()} sends this. Alerts will come the same way."
    if alerts.send([url], "airq-etl: a test", text):
        return Remark("alerts", "ok", f"URL {number} took a test message")
    return Remark("alerts", "failed", f"AIRQ_ALERT_URLS: URL {number} did not take a test message", "-v says more")


def _metrics(settings: Settings) -> list[Remark]:
    if settings.metrics_file is None:
        return []
    if settings.metrics_file.is_dir():
        said = f"AIRQ_METRICS_FILE: {settings.metrics_file} is a directory"
        return [Remark("alerts", "failed", said, "name a file in it, like airq_etl.prom")]
    folder = settings.metrics_file.absolute().parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return []
    except OSError as error:
        said = f"AIRQ_METRICS_FILE: {folder} cannot be written ({error.strerror})"
        return [Remark("alerts", "failed", said, "make it, and let whoever runs airq-etl write there")]
