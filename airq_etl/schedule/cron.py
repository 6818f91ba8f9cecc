"""cron: lines for a user's crontab."""

import re
import shlex

from airq_etl.errors import UsageError
from airq_etl.schedule.plan import Entry, Plan
from airq_etl.schedule.template import render

SANITY_CHECK_AT, REPORT_AFTER = "47 6", 5
_ALTERED = re.compile(r"\\[\\%]")


def entries(plan: Plan) -> list[Entry]:
    """The block of a crontab, between two lines that mark it."""
    return [Entry(f"{plan.name}.cron", block(plan))]


def marks(name: str) -> tuple[str, str]:
    """The first line and the last line of the block."""
    return f"# >>> {name} >>>", f"# <<< {name} <<<"


def block(plan: Plan) -> str:
    """The block: what cron does not give a job, the hourly line, and more to switch on."""
    first, last = marks(plan.name)
    values = {
        "first": first,
        "last": last,
        "run": _run(plan),
        "sanity_check": command(plan.words("sanity-check")),
        "report": command(plan.words("report")),
        "report_minute": (plan.minute + REPORT_AFTER) % 60,
        "sanity_check_at": SANITY_CHECK_AT,
        "plan": plan,
    }
    return render("crontab", lambda word: command([str(word)]), **values)


def command(words: list[str]) -> str:
    """A command for /bin/sh in a crontab, where a bare percent sign ends it.

    UsageError for what cron alters on the way, quoted or not.
    """
    for word in words:
        if _ALTERED.search(word):
            raise UsageError(rf"{word}: cron takes a \ away that stands before another, or before a %; rename it")
    return shlex.join(words).replace("%", r"\%")


def _run(plan: Plan) -> str:
    if plan.log_file is None:
        return command(plan.words())
    log = command([str(plan.log_file)])
    return f"{command([*plan.words(quiet=False), '--log-format', 'json'])} >/dev/null 2>>{log}"
