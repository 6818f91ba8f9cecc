"""That what is said in English has its French: of findings wherever a test makes some, of any text."""

import re
from collections.abc import Iterable

from airq_etl.french import check_in_french, in_french
from airq_etl.sanity.finding import Finding

# What no French text has, outside of commands in backticks and of what is quoted.
ENGLISH = re.compile(
    r"\b(the|of|is|are|was|were|and|from|its|it|them|they|with|than|more|has|have|not|no|by|to|for|or|so|hours?|days?)\b"
)
AS_IT_IS = re.compile(r"\d{6,}:\S+|`[^`]*`|«[^»]*»|\"[^\"]*\"|'[^']*'")
# A plain space before these, a straight apostrophe, and numbers as the English write them.
ILL_SET = re.compile(r" [:;%»]|(?<![\w-])-\d|« |\d (?:mg/m³|µg/m³|°C|km|h)\b|'|(?<!PM)\d\.\d|\d{4}-\d\d")


def in_both(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, each of which can be told in French."""
    found = list(findings)
    for finding in found:
        assert check_in_french(finding.check) != finding.check, f"{finding.check}: see airq_etl/french/titles.py"
        for text in (finding.sentence, finding.action):
            assert faults(text) == [], f"{text} -> {in_french(text)}: see airq_etl/french"
    return found


def faults(text: str) -> list[str]:
    """What is wrong with the French of a text: that there is none, what of it is still English, what is ill set."""
    french = in_french(text)
    if french is None:
        return ["no French"]
    own = AS_IT_IS.sub("", french)
    return [*ENGLISH.findall(own), *ILL_SET.findall(own)]
