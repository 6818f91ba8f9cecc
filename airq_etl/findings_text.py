"""Findings as text for people, 80 columns wide, the worst first; what each check is.

Names come from the API and may hold anything: what is no printable character becomes a space.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import rich.table
import rich.text

from airq_etl.sanity.evidence import Check
from airq_etl.sanity.finding import Finding, Severity, subject
from airq_etl.sanity.wording import many, printable
from airq_etl.summary import WIDTH, counts_text, rendered
from airq_etl.verdict import Verdict

MARGIN = 9  # of the severity's word
COLOURS: Mapping[Severity, str] = {"error": "bold red", "warning": "yellow", "info": "cyan"}
TABLES = "tables"  # the place that goes without saying


def verdict_text(verdict: Verdict, *, coloured: bool = False, failing_only: bool = False) -> str:
    """A paragraph a finding, by severity and station, then the totals; one line where there is none.

    With `failing_only` the others are only counted.
    """
    findings = verdict.failing() if failing_only else verdict.findings
    table = _grid(MARGIN)
    for finding in sorted(findings, key=lambda f: (list(COLOURS).index(f.severity), f.station_id or 0)):
        word = rich.text.Text(finding.severity.upper(), style=COLOURS[finding.severity])
        table.add_row(word, rich.text.Text(told(finding, verdict)))
        table.add_row("", rich.text.Text(printable(f"-> {finding.action}")))
        table.add_row("", "")
    return rendered([*([table] if findings else []), _last_line(verdict)], coloured=coloured)


def told(finding: Finding, verdict: Verdict) -> str:
    """A finding as a sentence: where, what, and in brackets the check, the place and the period."""
    name = None if finding.station_id is None else verdict.name(finding.station_id)
    aside = [finding.check, None if finding.place == TABLES else "in the store", period(finding)]
    return printable(f"{subject(finding, name)}{finding.sentence} ({', '.join(filter(None, aside))})")


def period(finding: Finding) -> str:
    """From when to when a finding is, in UTC; empty where it has no period."""
    ends = [_time(time) for time in dict.fromkeys((finding.first, finding.last)) if time is not None]
    return " to ".join(ends)


def checks_text(checks: Iterable[Check]) -> str:
    """What each check looks for, from which value on, and by which source."""
    table = _grid(len("  threshold "))
    for check in checks:
        table.add_row(rich.text.Text("check"), rich.text.Text(check.name))
        for heading, text in (("looks for", check.what), ("threshold", check.threshold), ("source", check.source)):
            table.add_row(rich.text.Text(f"  {heading}"), rich.text.Text(printable(text)))
        table.add_row("", "")
    return rendered([table])


def _last_line(verdict: Verdict) -> str:
    looked = f"{verdict.hours:,} hours and {verdict.days:,} days of {many(len(verdict.stations), 'station')}"
    if verdict.first is not None and verdict.last is not None:
        looked += f", {_time(verdict.first)} to {_time(verdict.last)} UTC"
    by = f"{many(len(verdict.checks), 'check')} of {looked}, in the tables"
    by += f" and in {verdict.store}" if verdict.store else ""
    if not verdict.findings:
        return printable(f"{'all is well' if verdict.hours else 'nothing was there to find fault with'}: {by}")
    return printable(f"{counts_text(verdict.counts)}: {by}; `airq-etl sanity-check --list` says what each looks for")


def _time(time: datetime | date) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if isinstance(time, datetime) else f"{time:%Y-%m-%d}"


def _grid(margin: int) -> rich.table.Table:
    table = rich.table.Table.grid(padding=0)
    table.add_column(width=margin)
    table.add_column(width=WIDTH - margin)
    return table
