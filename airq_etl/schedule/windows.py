"""Windows: a task for its Task Scheduler, as XML (MS-TSCH 2.5)."""

import re
import subprocess
from xml.sax.saxutils import escape

from airq_etl.errors import UsageError
from airq_etl.schedule.plan import Entry, Plan
from airq_etl.schedule.template import render

# Task Scheduler puts environment variables, and the arguments of a start, in their place.
_REPLACED = re.compile(r"%[^%]+%|\$\(")


def entries(plan: Plan) -> list[Entry]:
    """`NAME.xml`, for `schtasks /Create /XML`. UsageError where a path would be read as a variable."""
    program, *words = plan.words()
    for word in (program, *words):
        if _REPLACED.search(word):
            raise UsageError(f"{word}: Task Scheduler would replace what is between %, or after $, in it; rename it")
    minutes, seconds = divmod(plan.ended_s, 60)
    text = render(
        "windows.xml",
        quoted,
        plan=plan,
        program=program,
        arguments=subprocess.list2cmdline(words),
        start=f"2026-01-01T00:{plan.minute:02}:00Z",
        interval=f"PT{plan.every}H",
        limit=f"PT{minutes}M{seconds}S",
    )
    return [Entry(f"{plan.name}.xml", text)]


def quoted(value: object) -> str:
    """A text in XML, in letters that are the same in every encoding: readers differ in which they expect."""
    return escape(str(value)).encode("ascii", "xmlcharrefreplace").decode()
