"""Telling others: a ping for a dead man's switch, and alerts by any service that Apprise knows.

Neither may hold a run up or fail it: each has a few seconds, all services the same few, and its trouble is one warning.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from airq_etl import logs
from airq_etl.sanity.finding import Severity

log = logging.getLogger(__name__)

LONGEST_S = 20.0
PING_TIMEOUT_S = 10.0

# Apprise's words for a severity.
_KINDS: dict[Severity | None, str] = {None: "success", "info": "info", "warning": "warning", "error": "failure"}

Event = Literal["start", "success", "fail"]
_PATHS: dict[Event, str] = {"start": "/start", "success": "", "fail": "/fail"}


def ping(url: str, event: Event) -> bool:
    """Ping a dead man's switch in the manner of healthchecks.io; whether it answered well."""

    def get() -> None:
        import httpx

        # Without httpx's own words, which may quote the URL.
        with httpx.stream("GET", url.rstrip("/") + _PATHS[event], timeout=PING_TIMEOUT_S) as response:
            if not response.is_success:
                raise RuntimeError(f"status {response.status_code}")

    return _try({"AIRQ_PING_URL: the ping was not taken": get})


def send(urls: Sequence[str], title: str, text: str, severity: Severity | None = None) -> bool:
    """Send a message to each of these Apprise URLs; whether any took it. No secret is in what is sent.

    `severity` is the worst that it tells of, None where all is well again; services that have colours show it.
    """
    title, text = logs.REDACTION.hide(title), logs.REDACTION.hide(text)
    return _try(
        {
            f"AIRQ_ALERT_URLS: the alert was not sent to URL {number}": _sending(url, title, text, severity)
            for number, url in enumerate(urls, 1)
        }
    )


def _sending(url: str, title: str, text: str, severity: Severity | None) -> Callable[[], None]:
    def notify() -> None:
        try:
            import apprise
        except ImportError as error:
            raise RuntimeError("apprise is not installed (the extra `alerts` brings it)") from error
        # What it would print names the URLs, which are secrets.
        apprise_log = logging.getLogger("apprise")
        apprise_log.addHandler(logging.NullHandler())
        apprise_log.propagate = False
        alert = apprise.Apprise()
        if not alert.add(url):
            raise RuntimeError("it is no URL that Apprise understands")
        if not alert.notify(title=title, body=text, notify_type=_KINDS[severity], body_format="text"):
            raise RuntimeError("the service did not take it")

    return notify


def _try(actions: Mapping[str, Callable[[], None]]) -> bool:
    """Do things that may hang, side by side for a few seconds; whether any came to its end, a warning for each other.

    The keys say what did not happen, in that warning.
    """
    troubles = {what: [f"no end within {LONGEST_S:.0f} s"] for what in actions}
    # Daemons: what hangs in one is left behind.
    threads = [
        threading.Thread(target=_attempt, args=(action, troubles[what]), daemon=True)
        for what, action in actions.items()
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + LONGEST_S
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
    found = {what: left[0] for what, trouble in troubles.items() if (left := list(trouble))}
    for what, said in found.items():
        log.warning("%s: %s", what, said)
    return len(found) < len(actions)


def _attempt(action: Callable[[], None], trouble: list[str]) -> None:
    try:
        action()
        trouble.clear()
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is not the run's
        trouble[:] = [str(error) or type(error).__name__]
