"""What findings and forecasts say, in French.

Their sentences are composed in English, by many hands. Each is known here by a template that has a French one beside
it (see `templates`); what stands in its holes is turned with it. Keys of sensors, symbols of units, names, settings
and commands stay as they are.
"""

from functools import cache

from airq_etl.french.templates import Template, compiled, first_of
from airq_etl.french.titles import TITLES


def in_french(text: str) -> str | None:
    """The French of a sentence or an action of a finding, or of the reason for a forecast that is not there.

    None where it has none. It is set with no-break spaces (U+00A0, U+202F), minus signs (U+2212) and curly apostrophes.
    """
    return first_of(_all(), text)


def check_in_french(name: str) -> str:
    """A short title of a check (`dead-sensor`: capteur mort), without a capital; its name where it has none."""
    return TITLES.get(name, name)


@cache
def _all() -> tuple[Template, ...]:
    # Read where the first text is turned: nobody else waits for them.
    from airq_etl.french.pairs import PAIRS

    return compiled(PAIRS)
