"""A checkup as text for people, 80 columns wide."""

import textwrap
from collections.abc import Mapping

import rich.color
import rich.style

from airq_etl.checkup import Checkup, Remark, Status
from airq_etl.summary import WIDTH

COLOURS: Mapping[Status, str] = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "cyan"}
STATUS_WIDTH, MARGIN = 9, 22  # of the status, and of the status and the name of the check


def checkup_text(checkup: Checkup, *, coloured: bool = False, failing_only: bool = False) -> str:
    """A paragraph a remark, then the verdict; with `failing_only` what failed and what is warned of, or nothing."""
    shown = [r for r in checkup.checks if not failing_only or r.status in {"failed", "warning"}]
    if failing_only and not shown:
        return ""
    paragraphs = [_paragraph(remark, coloured=coloured) for remark in shown]
    return "\n".join([*paragraphs, *([] if failing_only else [""]), _verdict(checkup)])


def _paragraph(remark: Remark, *, coloured: bool) -> str:
    word = remark.status.upper() if remark.status == "failed" else remark.status
    head = f"{word:<{STATUS_WIDTH}}{remark.check:<{MARGIN - STATUS_WIDTH}}"
    lines = _wrapped(remark.sentence, "")
    if remark.action:
        lines += _wrapped(remark.action, "-> ")
    text = f"\n{' ' * MARGIN}".join(lines)
    if coloured:
        style = rich.style.Style.parse(COLOURS[remark.status])
        head = head.replace(word, style.render(word, color_system=rich.color.ColorSystem.STANDARD), 1)
    return head + text


def _wrapped(text: str, mark: str) -> list[str]:
    # Names and paths may hold anything: what is no printable character becomes a space.
    clean = "".join(character if character.isprintable() else " " for character in text)
    hanging = " " * len(mark)
    return textwrap.wrap(clean, WIDTH - MARGIN, initial_indent=mark, subsequent_indent=hanging, break_on_hyphens=False)


def _verdict(checkup: Checkup) -> str:
    counts = checkup.counts
    words = {"failed": "failed", "warning": "warning" if counts["warning"] == 1 else "warnings", "skipped": "skipped"}
    told = [f"{counts[status]} {word}" for status, word in words.items() if counts[status]]
    return ", ".join(told) or "all is well"
