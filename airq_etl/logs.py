"""Logging on stderr: one event a line, as text or as JSON, and no secret in any of them."""

import json
import logging
import platform
import sys
import traceback
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, quote_plus

import airq_etl
from airq_etl.runs import State

LOGGER = logging.getLogger("airq_etl")
HIDDEN = "***"
SHORTEST_HIDDEN = 4  # hiding every "a" would hide nothing, and garble the rest
ECS_VERSION = "8.11.0"  # of the Elastic Common Schema, whose field names JSON has

Action = Literal["run-started", "run-ended", "step-ended"]
# Elastic knows no half success: whoever looks for failures is to find a run that lacks a station.
OUTCOMES: dict[State, str] = {"SUCCESS": "success", "PARTIAL": "failure", "FAILED": "failure"}


class Redaction(logging.Filter):
    """Replaces the values of secrets by stars, in the message and in a traceback; notes of which run a record is."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[str] = set()
        self.run_id: str | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it always passes."""
        record.msg, record.args = self.hide(record.getMessage()), None
        record.run_id = self.run_id
        return True

    def hide(self, text: str) -> str:
        """The text without the secrets."""
        # The longest first: a shorter one may be a part of it.
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text


class TextFormatter(logging.Formatter):
    """`airq-etl: message`, with the level before it where it is a warning or an error."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback above it where the record has one."""
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return f"{_stack(record)}airq-etl: {level}{_one_line(record.getMessage())}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the field names of the Elastic Common Schema."""

    def __init__(self, *, verbose: bool) -> None:
        super().__init__()
        self._verbose = verbose

    def format(self, record: logging.LogRecord) -> str:
        """One line; `event.duration` in nanoseconds, the stack trace of an error only where verbose."""
        event = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "log.level": record.levelname.lower(),
            "message": _one_line(record.getMessage()),
            "ecs.version": ECS_VERSION,
            "log.logger": record.name,
            "process.pid": record.process,
            "service.name": "airq-etl",
            "service.version": airq_etl.__version__,
            "host.hostname": platform.node(),
            "labels.run_id": getattr(record, "run_id", None),
            **getattr(record, "fields", {}),
            **self._error(record),
        }
        return json.dumps({name: value for name, value in event.items() if value is not None})

    def _error(self, record: logging.LogRecord) -> dict[str, str]:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return {}
        said = {"error.type": type(error).__name__, "error.message": _one_line(REDACTION.hide(str(error)))}
        return said | ({"error.stack_trace": _stack(record)} if self._verbose else {})


REDACTION = Redaction()


def start(*, verbose: bool, quiet: bool, as_json: bool) -> None:
    """Log to stderr: warnings where quiet, everything where verbose; of other libraries their warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(verbose=verbose) if as_json else TextFormatter())
    handler.addFilter(REDACTION)
    if not as_json and not verbose:
        handler.addFilter(lambda record: not hasattr(record, "fields"))  # events: a terminal has the result
    LOGGER.handlers[:] = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)
    # Theirs would stand on stderr as they come, secrets and all.
    logging.getLogger().handlers[:] = [handler]
    logging.captureWarnings(capture=True)


def hide(secrets: Iterable[str]) -> None:
    """Never show these values, nor as they stand in a URL, in JSON, or in Python's quotes."""
    forms = {form for secret in secrets for form in _forms(secret)}
    REDACTION.secrets.update(form for form in forms if len(form) >= SHORTEST_HIDDEN)


def of_run(run_id: str) -> None:
    """From here on, what is logged is of this run."""
    REDACTION.run_id = run_id


def event(  # noqa: PLR0913 -- the fields of an event
    action: Action,
    what: str,
    state: State,
    duration_s: float | None = None,
    *,
    step: str | None = None,
    exit_code: int | None = None,
    error: str = "",
) -> None:
    """Log that a run or a step of it began or ended, and with which `error`; as text only where verbose."""
    fields: dict[str, Any] = {"event.action": action, "labels.state": state, "labels.step": step}
    lasted = ""
    fields |= {"process.exit_code": exit_code, "error.message": error or None}
    if action != "run-started":
        fields["event.outcome"] = OUTCOMES.get(state, "unknown")
    if duration_s is not None:
        fields["event.duration"] = round(duration_s * 1e9)
        lasted = f" after {duration_s:.1f} s"
    # What fails is to be found by its level, and is not to be left out where quiet.
    level = logging.ERROR if action == "run-ended" and error else logging.INFO
    LOGGER.log(level, "%s: %s%s", what, state, lasted, extra={"fields": fields})


def last_words(message: str, code: int) -> None:
    """Log, as JSON, the failure that ends the process, which is the exception at hand."""
    LOGGER.error("%s", message, exc_info=sys.exception(), extra={"fields": {"process.exit_code": code}})


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (repr(secret)[1:-1], ascii(secret)[1:-1])


def _stack(record: logging.LogRecord) -> str:
    """The traceback of a record, without secrets; empty where it has none."""
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    return REDACTION.hide("".join(traceback.format_exception(record.exc_info[1])))


def _one_line(text: str) -> str:
    return " ".join(text.split())
