"""Alerts as a message for people: what is wrong since when, what to do next, and what is well again."""

from collections.abc import Sequence

from airq_etl.sanity.wording import at, printable
from airq_etl.watch import Alert, KnownAlert

MOST_TOLD = 10
LONGEST_TITLE = 90
LONGEST_SENTENCE = 600


def title(opened: Sequence[KnownAlert], cleared: Sequence[KnownAlert]) -> str:
    """One line: the worst that opened, else what was wrong and nobody knew, else what is well again."""
    past = [one for one in cleared if one.told_at is None]
    if opened:
        more = f" (and {len(opened) - 1} more)" if len(opened) > 1 else ""
        return f"airq-etl: {_cut(opened[0].alert.sentence, LONGEST_TITLE - len(more))}{more}"
    if past:
        return f"airq-etl: {_cut(past[0].alert.sentence, LONGEST_TITLE)}"
    if any(one.alert.kind == "bad-run" for one in cleared):
        return "airq-etl: runs are good again"
    if len(cleared) == 1:
        return f"airq-etl: well again: {_cut(cleared[0].alert.sentence, LONGEST_TITLE)}"
    return f"airq-etl: {len(cleared):,} alerts cleared"


def message(opened: Sequence[KnownAlert], cleared: Sequence[KnownAlert], where: str) -> str:
    """A paragraph an alert, the worst first, and at the end `where` to look."""
    paragraphs = [_opened(one.alert) for one in opened[:MOST_TOLD]]
    if len(opened) > MOST_TOLD:
        paragraphs.append(f"... and {len(opened) - MOST_TOLD} more: airq-etl status")
    paragraphs += [_cleared(one) for one in cleared[:MOST_TOLD]]
    if len(cleared) > MOST_TOLD:
        paragraphs.append(f"... and {len(cleared) - MOST_TOLD} more cleared")
    return "\n\n".join([*paragraphs, where])


def _opened(alert: Alert) -> str:
    sentence = _cut(alert.sentence, LONGEST_SENTENCE)
    return f"{alert.severity.upper()}: {sentence}\nSince {at(alert.since)} UTC. Next: {alert.action}"


def _cleared(one: KnownAlert) -> str:
    span = f"From {at(one.alert.since)} to {at(one.cleared_at)} UTC"
    sentence = _cut(one.alert.sentence, LONGEST_SENTENCE)
    if one.told_at is None:
        return f"{one.alert.severity.upper()}, over by now: {sentence}\n{span}. Next: {one.alert.action}"
    return f"WELL AGAIN: {sentence}\n{span}"


def _cut(text: str, longest: int) -> str:
    text = printable(text)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
