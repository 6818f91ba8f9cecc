"""Sentences by their templates: an English one with holes is a regular expression, the French one fills them again.

A hole of the English template is `{hours:count}`: its name, and of which kind it is (`numbers.KINDS`, or one of
`parts.PARTS`, which are templates themselves; `list of` such is `a`, `a and b`, `a, b and 3 more`). `[has|have]` is
one of these words. In the French template `{hours}` is what stood there, turned; `{hours|manque|manquent}` agrees
with its number, and `{de name}` elides: `de CO`, `d'O3`.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from airq_etl.french.numbers import FIXED, Kind, is_many, number
from airq_etl.french.numbers import KINDS as OF_NUMBERS
from airq_etl.french.parts import PARTS, Pair

LIST_OF = "list of "
_HOLE = re.compile(r"\{(?P<name>\w+):(?P<kind>[\w ]+)\}|\[(?P<words>[^]]+)\]")
_FILL = re.compile(r"\{(?P<of>de )?(?P<name>\w+)(?:\|(?P<one>[^|}]*)\|(?P<more>[^}]*))?\}")
_VOWELS = "AEIOUaeiou"
_SPACED = {
    " :": f"{FIXED}:",
    " ;": f"{FIXED};",
    " %": f"{FIXED}%",
    "« ": f"«{FIXED}",
    " »": f"{FIXED}»",
    "'": "\u2019",
}
"""How French is set: written plainly in the templates, since no-break spaces are not to be seen there."""


class Template(NamedTuple):
    """An English sentence as a regular expression, the kinds of its holes by name, and the French one."""

    english: re.Pattern[str]
    kinds: dict[str, Kind]
    french: str

    def turn(self, text: str) -> str | None:
        """The French of a text; None where it is not this sentence."""
        found = self.english.fullmatch(text)
        if found is None:
            return None
        said = found.groupdict()
        turned = {name: kind.turn(said[name]) for name, kind in self.kinds.items()}
        return _FILL.sub(lambda fill: _filled(fill, said, turned), self.french)


def compiled(pairs: Iterable[Pair]) -> tuple[Template, ...]:
    """The templates of pairs of an English and a French sentence."""
    return tuple(
        Template(
            re.compile(_pattern(english, named=True), re.DOTALL),
            {hole["name"]: kind(hole["kind"]) for hole in _HOLE.finditer(english) if hole["name"]},
            typeset(french),
        )
        for english, french in pairs
    )


def first_of(found: Sequence[Template], text: str) -> str | None:
    """The French of a text by the first template that it is of."""
    return next((french for one in found if (french := one.turn(text)) is not None), None)


def typeset(text: str) -> str:
    """French text with the spaces and apostrophes that it is printed with."""
    for plain, set_ in _SPACED.items():
        text = text.replace(plain, set_)
    return text


@cache
def kind(name: str) -> Kind:
    """What a hole of this kind may hold; KeyError where there is none of the name."""
    if name.startswith(LIST_OF):
        return _list_of(kind(name.removeprefix(LIST_OF)))
    return _part(PARTS[name]) if name in PARTS else OF_NUMBERS[name]


def _pattern(english: str, *, named: bool) -> str:
    parts, at = [], 0
    for hole in _HOLE.finditer(english):
        parts.append(re.escape(english[at : hole.start()]))
        parts.append(_inside(hole, named=named))
        at = hole.end()
    return "".join([*parts, re.escape(english[at:])])


def _inside(hole: re.Match[str], *, named: bool) -> str:
    if hole["words"]:
        return f"(?:{'|'.join(map(re.escape, hole['words'].split('|')))})"
    opening = f"(?P<{hole['name']}>" if named else "(?:"
    return f"{opening}{kind(hole['kind']).pattern})"


def _filled(fill: re.Match[str], said: dict[str, str], turned: dict[str, str]) -> str:
    if fill["one"] is not None:
        return fill["more"] if is_many(said[fill["name"]]) else fill["one"]
    text = turned[fill["name"]]
    if not fill["of"]:
        return text
    return f"d\u2019{text}" if text.startswith(tuple(_VOWELS)) else f"de {text}"


def _part(pairs: Sequence[Pair]) -> Kind:
    pattern = "|".join(_pattern(english, named=False) for english, _ in pairs)
    found = compiled(pairs)
    return Kind(f"(?:{pattern})", lambda text: first_of(found, text) or "")


def _list_of(item: Kind) -> Kind:
    one = re.compile(rf"(?:(?P<item>{item.pattern})|(?P<more>[\d,]+) more)(?P<then>, | and |\Z)", re.DOTALL)
    pattern = f"{item.pattern}(?:(?:, | and ){item.pattern})*(?: and [\\d,]+ more)?"
    return Kind(pattern, lambda text: one.sub(lambda found: _listed(found, item), text))


def _listed(found: re.Match[str], item: Kind) -> str:
    others = f"{number(found['more'])} autre{'s' if is_many(found['more']) else ''}" if found["more"] else ""
    return f"{others or item.turn(found['item'])}{found['then'].replace(' and ', ' et ')}"
