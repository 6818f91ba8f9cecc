"""Findings as JUnit XML, as Jenkins and GitLab read it: a test case a check.

Both read one failure of a test case, so that it holds all findings of its check.
"""

from collections.abc import Sequence
from datetime import UTC
from xml.etree import ElementTree as ET

from airq_etl.findings_text import told
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.wording import printable
from airq_etl.verdict import Verdict

SUITE = "airq-etl sanity-check"
CLASS = "airq-etl"


def junit(verdict: Verdict) -> bytes:
    """The document; findings below the bar (`fail_on`) are the output of their test case, and no failure."""
    failing, every = verdict.failing(), verdict.findings
    suite = ET.Element(
        "testsuite",
        name=SUITE,
        tests=str(len(verdict.checks)),
        failures=str(len({finding.check for finding in failing})),
        errors="0",
        skipped="0",
        # The schema knows no zone.
        timestamp=f"{verdict.now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
    )
    for name in verdict.checks:
        case = ET.SubElement(suite, "testcase", classname=CLASS, name=name)
        bad = [finding for finding in failing if finding.check == name]
        if bad:
            more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
            message = f"{told(bad[0], verdict)}{more}"
            ET.SubElement(case, "failure", type=bad[0].severity, message=message).text = _lines(bad, verdict)
        rest = [finding for finding in every if finding.check == name and finding not in bad]
        if rest:
            ET.SubElement(case, "system-out").text = _lines(rest, verdict)
    ET.indent(suite)
    # Python's types say that this may be text as well.
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True)) + b"\n"


def _lines(findings: Sequence[Finding], verdict: Verdict) -> str:
    return "\n".join(
        f"{finding.severity}: {told(finding, verdict)}\n-> {printable(finding.action)}" for finding in findings
    )
