"""Logging on stderr: one event a line, as text or as JSON, and no secret in any of them."""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

LOGGER = logging.getLogger("airq_etl")
HIDDEN = "***"
SHORTEST_HIDDEN = 4  # hiding every "a" would hide nothing, and garble the rest


class Redaction(logging.Filter):
    """Replaces the values of secrets by stars, in the message and in a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it always passes."""
        record.msg, record.args = self.hide(record.getMessage()), None
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
        """One line."""
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return f"airq-etl: {level}{_one_line(record.getMessage())}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the field names of the Elastic Common Schema."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        event = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "log.level": record.levelname.lower(),
            "message": _one_line(record.getMessage()),
            "log.logger": record.name,
            "process.pid": record.process,
        }
        return json.dumps(event)


REDACTION = Redaction()


def start(*, verbose: bool, quiet: bool, as_json: bool) -> None:
    """Log to stderr: warnings where quiet, everything where verbose."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    handler.addFilter(REDACTION)
    LOGGER.handlers[:] = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)


def hide(secrets: Iterable[str]) -> None:
    """Never show these values."""
    REDACTION.secrets.update(secret for secret in secrets if len(secret) >= SHORTEST_HIDDEN)


def _one_line(text: str) -> str:
    return " ".join(text.split())
