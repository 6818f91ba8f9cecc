"""What the report says, in English or French: the English text is the key of the French one.

Numbers, days and times are written as their readers do: `1,234.5` and `2023-12-06`, `1 234,5` and `06/12/2023`.
"""

import re
from datetime import date, datetime
from typing import Literal, NamedTuple

from airq_etl.french import in_french
from airq_etl.report.french import FRENCH

Language = Literal["en", "fr"]
NARROW, NO_BREAK = "\u202f", "\u00a0"
PUNCTUATION = re.compile(r" (?=[:;%»])|(?<=«) ")
"""What French has a space before (after), at which no line breaks."""
NONE = "\u2013"
TO = "\u2013"
MINUS = "\u2212"
HOURS_OF_TWO_DAYS = 48


class Words(NamedTuple):
    """One language."""

    language: Language = "en"

    def __call__(self, text: str, **fill: object) -> str:
        """A text of the report, with its holes filled."""
        said = text if self.language == "en" else PUNCTUATION.sub(NO_BREAK, FRENCH[text])
        return said.format(**fill) if fill else said

    @property
    def colon(self) -> str:
        """What stands before what is said of something."""
        return f"{NO_BREAK}:" if self.language == "fr" else ":"

    def finding(self, text: str) -> str:
        """The sentence of a finding, or what to do about it; in English where it is not known in this language."""
        return text if self.language == "en" else in_french(text) or text

    def is_said(self, text: str) -> bool:
        """Whether it is known in this language."""
        return self.language == "en" or self.finding(text) != text

    def number(self, value: float | None, places: int = 0) -> str:
        """A number to so many places; a dash where there is none."""
        if value is None:
            return NONE
        text = f"{value:,.{places}f}"
        if not float(text.replace(",", "")):
            # Rounded to zero, it has no sign.
            text = text.removeprefix("-")
        if self.language == "fr":
            text = text.replace(",", NARROW).replace(".", ",")
        return text.replace("-", MINUS)

    def percent(self, value: float | None, places: int = 0) -> str:
        """A share that is in per cent."""
        return NONE if value is None else f"{self.number(value, places)}{NO_BREAK}%"

    def day(self, day: date | None) -> str:
        """A day."""
        if day is None:
            return NONE
        return f"{day:%d/%m/%Y}" if self.language == "fr" else f"{day:%Y-%m-%d}"

    def time(self, time: datetime | None) -> str:
        """A time to the minute, in UTC."""
        return NONE if time is None else f"{self.day(time.date())} {time:%H:%M}"

    def age(self, hours: float) -> str:
        """How long ago something was."""
        if hours < 0:
            return self("ahead")
        if hours < 1.5:  # noqa: PLR2004 -- 90 min
            return f"{self.number(hours * 60)} min"
        if hours < HOURS_OF_TWO_DAYS:
            return f"{self.number(hours)} h"
        return self("{days} days", days=self.number(hours / 24))

    def seconds(self, seconds: float | None) -> str:
        """A duration."""
        return NONE if seconds is None else f"{self.number(seconds, 1)} s"
