"""Durations, sizes and counts in words, as `status` says them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from airq_etl.sanity.finding import SEVERITIES
from airq_etl.summary import counts_text, forecasts_text

MINUTE_S, HOUR_S = 60, 3600

# How a count of a step is said: of one, and of more.
EXTRACT: Mapping[str, tuple[str, str]] = {
    "answers": ("answer", "answers"),
    "requests": ("request", "requests"),
    "retries": ("retry", "retries"),
}
TRANSFORM: Mapping[str, tuple[str, str]] = {
    "rows_read": ("row", "rows"),
    "hours_new": ("new hour", "new hours"),
    "hours_settled": ("settled", "settled"),
    "hours_revised": ("revised", "revised"),
    "rows_rejected": ("rejected", "rejected"),
    "rows_duplicate": ("duplicate", "duplicates"),
    "values_missing": ("value missing", "values missing"),
    "days_changed": ("day", "days"),
}


def seconds_text(seconds: float | None) -> str:
    """A duration in at most eight columns: `12.3 s`, `12.3 min`, `2.5 h`."""
    if seconds is None:
        return "-"
    if seconds < 100:  # noqa: PLR2004 -- 99.9 s
        return f"{seconds:.1f} s"
    return f"{seconds / MINUTE_S:.1f} min" if seconds < 100 * MINUTE_S else f"{seconds / HOUR_S:.1f} h"


def age_text(age: timedelta) -> str:
    """How long ago, in at most eight columns: `31 min`, `5 h`, `12 days`; `ahead` where a clock was wrong."""
    seconds = age.total_seconds()
    if seconds < 0:
        return "ahead"
    if seconds < 90 * MINUTE_S:
        return f"{seconds // MINUTE_S:.0f} min"
    return f"{seconds // HOUR_S:.0f} h" if seconds < 48 * HOUR_S else f"{seconds // (24 * HOUR_S):.0f} days"


def bytes_text(size: float) -> str:
    """A size in decimal units: `312 B`, `9.2 kB`, `1.5 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if round(size, 1) < 1000:  # noqa: PLR2004 -- what makes the next unit
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def when(time: datetime, now: datetime) -> str:
    """A time (UTC), without its day where that is today."""
    return f"{time:%H:%M}" if time.date() == now.date() else f"{time:%Y-%m-%d %H:%M}"


def counted(step: str, counts: Mapping[str, int]) -> str:
    """What a step counted, without what there was none of."""
    if step == "extract":
        wire, body = (counts.get(name, 0) for name in ("wire_bytes", "body_bytes"))
        sizes = [bytes_text(wire), f"{bytes_text(body)} unpacked"] if wire else [bytes_text(body)] if body else []
        return ", ".join([*_said(EXTRACT, counts), *sizes])
    if step == "transform":
        return ", ".join(_said(TRANSFORM, counts)) or "nothing was waiting"
    if step == "forecast":
        return forecasts_text(counts) or "nothing new"
    if step == "sanity-check":
        return counts_text({name: counts.get(name, 0) for name in SEVERITIES}) or "all is well"
    written = [f"{count:,} {name}" for name, count in counts.items() if count]
    return f"{', '.join(written)} written" if written else "up to date"


def _said(words: Mapping[str, tuple[str, str]], counts: Mapping[str, int]) -> Sequence[str]:
    there = {name: counts.get(name, 0) for name in words}
    return [f"{count:,} {words[name][count != 1]}" for name, count in there.items() if count]
