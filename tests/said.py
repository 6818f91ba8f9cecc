"""All that findings and forecasts can say in English, read off the source: each sentence in each of its forms.

An expression that makes a sentence is followed to its texts: through branches, names, parameters (to whoever calls),
functions, module constants. Functions that word a value are called. What cannot be followed is filled in from
`FILLED`, by its source text; where it stands there neither, that is an error which names it.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import product
from math import prod
from pathlib import Path
from random import Random
from typing import NamedTuple

import polars as pl

import airq_etl
from airq_etl.forecast import gate
from airq_etl.sanity import positions, saying, wording

PACKAGE = Path(airq_etl.__file__).parent
PASSED_ON = {"sanity.saying.error"}  # says what it is told to, and is read at those who tell it
MOST = 300  # forms of one expression; where there are more, some of them

HOURS = [date(2023, 4, 22), datetime(2023, 4, 22, 11)]  # noqa: DTZ001 -- as text it has no zone
QUANTITIES = ((-0.526, "co"), (1234.0, "pm25"), (0.0, "humidity"), (407.9, "internal_temperature"), (12.0, "voc"))
LENGTHS = (1, 2, 5)
ROWS = [saying.rows_of(pl.Series(range(hours)), pl.Series(range(days))) for hours, days in ((1, 0), (24, 1), (0, 2))]
NAMED_MODELS = [gate.LINEAR, gate.DAMPED, gate.PERSISTENCE, gate.CHALLENGER]

HERE, THERE = (str(positions.Point(*degrees)) for degrees in ((5.3693, -4.0001), (-5.3693, 4.0001)))

# What an expression says, by its function and its source text.
FILLED: dict[str, list[str]] = {
    "_apart: here": [HERE],
    "_apart: there": [THERE],
    "_called: evidence.known[station_id].name": ["Abidjan (port)"],
    "_called: station_id": ["283164601"],
    "_duplicates: station_id": ["283164601"],
    "_finer: names[0]": ["PM2.5"],
    "_finer: names[1]": ["PM10"],
    "_first: LEAST // DAY": ["14"],
    "_first: serving": [*NAMED_MODELS, gate.NOBODY],
    "_future_hours: rows": ROWS,
    "_jump: BY_COLUMN[name].key": ["O3", "RH"],
    "_lasting: len(silent)": ["2"],
    "_lost: point": [HERE],
    "_mean_said: sensor.key": ["T. int.", "O3"],
    "_moves: BY_COLUMN[most['sensor']].unit": ["mg/m³"],
    "_moves: most['day']": ["2023-04-22"],
    "_not_at_site: stretch.first": ["2023-01-20"],
    "_not_at_site: stretch.last": ["2023-02-13"],
    "_rejected: why": ["Expected `float | null`, got `str`"],
    "_said: BY_COLUMN[sensor].key": ["T"],
    "_short_days: day": ["2023-04-22"],
    "_short_days: evidence.rules.min_hours": ["18"],
    "_short_days: hours": ["3"],
    "_stale: usual_h": ["40"],
    "_stand: YOUNG // DAY": ["14"],
    "_steps: rows[0]['day']": ["2023-02-14"],
    "_unknown_station: rows": ROWS,
    "_values: BY_COLUMN[name].key": ["O3", "RH"],
    "_values: name": ["co_mean"],
    "_what_to_do: stretch.returns": ["2023-02-14"],
    "choose: serving": NAMED_MODELS,
    "fault: BY_COLUMN[sensor].unit": ["mg/m³", "µg/m³"],
    "positions_differ: given": [HERE],
    "positions_differ: said": [THERE],
    "positions_moved: _point(after)": [HERE],
    "positions_moved: _point(before)": [THERE],
    "unknown_keys: repr(key)": [repr("PM4"), repr("it's")],
}


def _quantities(function: Callable[[float, str], str]) -> list[str]:
    return [function(value, column) for value, column in QUANTITIES]


WORDED: dict[str, list[str]] = {
    "at": [wording.at(time) for time in HOURS],
    "percent": [wording.percent(share) for share in (0.0001, 0.069, 1.0)],
    "sensor": ["PM2.5", "T. int."],
    "number": _quantities(wording.number),
    "plain": [wording.plain(value) for value in (-0.526, 26.4, 1234.0)],
    "value": [
        saying.value(*given) for given in ((None, "mg/m³"), (1234.5, "mg/m³"), (17, ""), (True, ""), ("n/a", ""))
    ],
    "rows_of": ROWS,
    # What it says depends on where the stations are: a place of each slip of the pen, and one of none.
    "_slip": [
        positions._slip(positions.Point(*said), [positions.Point(*right)])  # noqa: SLF001 -- what it says is read here
        for said, right in (
            ((5.0, 4.0), (5.0, -4.0)),
            ((5.0, -4.0), (5.0, 4.0)),
            ((5.0, 14.0), (-5.0, 14.0)),
            ((-5.0, 14.0), (5.0, 14.0)),
            ((5.0, 24.0), (24.0, 5.0)),
            ((5.0, 4.0), (60.0, 60.0)),
        )
    ],
}


class Place(NamedTuple):
    """Where an expression stands: a module, and the function in it (None: outside of all)."""

    module: str
    function: ast.FunctionDef | None

    def __str__(self) -> str:
        return f"{self.module}.{self.function.name}" if self.function else self.module


class Module:
    """A module's source: its functions, its constants, where each imported name comes from."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.tree = ast.parse(source)
        self.functions = {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}
        self.imports = {
            alias.name: str(node.module).removeprefix("airq_etl.")
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def nodes(self) -> Iterator[tuple[ast.AST, Place]]:
        """Every node, and where it stands."""
        inside = {node: function for function in self.functions.values() for node in ast.walk(function)}
        yield from ((node, Place(self.name, inside.get(node))) for node in ast.walk(self.tree))


class Reader:
    """What expressions of some modules can say."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.modules = {name: Module(name, source) for name, source in sources.items()}
        self.used: set[str] = set()

    def texts(self, node: ast.expr, place: Place) -> list[str]:
        """All that an expression can say, or a part of it where that is much; AssertionError where it is not known."""
        key = f"{place.function.name if place.function else place.module}: {ast.unparse(node)}"
        if key in FILLED:
            self.used.add(key)
            return FILLED[key]
        found = self._read(node, place)
        assert found is not None, f"{place}, line {node.lineno}: what does {ast.unparse(node)} say? see tests/said.py"
        return list(dict.fromkeys(found))

    def _read(self, node: ast.expr, place: Place) -> list[str] | None:
        found: list[str] | None
        match node:
            case ast.Constant(value=None) | ast.Attribute(attr="reason"):
                found = []  # that of another is read where it is made
            case ast.Constant(value=value):
                found = [str(value)]
            case ast.JoinedStr():
                found = self._joined(node, place)
            case ast.Subscript(value=ast.Name(id=name)):
                found = self._values(name, place)
            case ast.Name():
                found = self._named(node, place)
            case ast.Call():
                found = self._called(node, place)
            case _:
                found = self._put_together(node, place)
        return found

    def _put_together(self, node: ast.expr, place: Place) -> list[str] | None:
        match node:
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return ["".join(form) for form in _combined([self.texts(left, place), self.texts(right, place)])]
            case ast.IfExp(body=body, orelse=orelse):
                return self.texts(body, place) + self.texts(orelse, place)
            case ast.BoolOp(op=ast.Or(), values=values):
                return [text for value in values for text in self.texts(value, place)]
        return None

    def _joined(self, node: ast.JoinedStr, place: Place) -> list[str]:
        parts = [self._part(part, place) for part in node.values]
        shown = [ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else "" for part in node.values]
        found = _combined(parts)
        for at, part in enumerate(node.values):
            # A branch by a text that stands there too (`{': ' if slip else ''}{slip}`) goes with it.
            match part:
                case ast.FormattedValue(value=ast.IfExp(test=ast.Name(id=name), body=body)) if name in shown:
                    by, then = shown.index(name), self.texts(body, place)
                    found = [form for form in found if bool(form[by]) == (form[at] in then)]
        return ["".join(form) for form in found]

    def _part(self, part: ast.expr, place: Place) -> list[str]:
        if isinstance(part, ast.FormattedValue):
            spec = "".join(self.texts(part.format_spec, place)) if part.format_spec else ""
            return _formatted(spec) if spec else self.texts(part.value, place)
        return self.texts(part, place)

    def _called(self, node: ast.Call, place: Place) -> list[str] | None:
        match node:
            case ast.Call(func=ast.Name(id="many"), args=[_, what]):
                return [wording.many(count, text) for text in self.texts(what, place) for count in (1, 1234)]
            case ast.Call(func=ast.Name(id="listed"), args=[names]):
                return [wording.listed(form) for form in self._lists(names, place)]
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(separator)), attr="join"), args=[names]):
                return [separator.join(form) for form in self._lists(names, place)]
            case ast.Call(func=ast.Name(id=name)) if name in WORDED:
                return WORDED[name]
            case ast.Call(func=ast.Name(id=name)):
                returned = self._returned(name, place)
                return None if returned is None else [text for value, at in returned for text in self.texts(value, at)]
        return None

    def _returned(self, name: str, place: Place) -> list[tuple[ast.expr, Place]] | None:
        """What a function returns, each with its place; None where it is not among those read."""
        module = self.modules.get(self.modules[place.module].imports.get(name, place.module))
        function = None if module is None else module.functions.get(name)
        if module is None or function is None:
            return None
        at = Place(module.name, function)
        return [(node.value, at) for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]

    def _lists(self, node: ast.expr, place: Place) -> list[tuple[str, ...]]:
        """Lists of texts, each in a few lengths."""
        match node:
            case ast.List(elts=elements):
                return _combined([self.texts(element, place) for element in elements])
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                texts = self.texts(element, place)
            case ast.Call(func=ast.Name(id="map"), args=[ast.Name() as function, _]):
                texts = self.texts(ast.copy_location(ast.Call(function, [], []), node), place)
            case ast.IfExp(body=body, orelse=orelse):
                return self._lists(body, place) + self._lists(orelse, place)
            case ast.Name(id=name):
                parts = [self._lists(value, place) for value in self._assigned(name, place, node)]
                return [sum(form, ()) for form in product(*parts) if any(form)]
            case _:
                raise AssertionError(f"{place}, line {node.lineno}: what list is {ast.unparse(node)}?")
        return [
            tuple(texts[n % len(texts)] for n in range(begin, begin + length))
            for length in LENGTHS
            for begin in range(len(texts))
        ]

    def _named(self, node: ast.Name, place: Place) -> list[str] | None:
        name, assigned = node.id, self._assigned(node.id, place, node)
        if assigned:
            return [text for value in assigned for text in self.texts(value, place)]
        if place.function is not None and name in (names := [argument.arg for argument in _arguments(place.function)]):
            return self._passed(place, names.index(name), name)
        module = self.modules.get(self.modules[place.module].imports.get(name, ""))
        elsewhere = Place(module.name if module else place.module, None)
        constants = self._assigned(name, elsewhere)
        return [text for value in constants for text in self.texts(value, elsewhere)] if constants else None

    def _passed(self, place: Place, number: int, name: str) -> list[str]:
        """What callers give for a parameter of a function."""
        function = place.function.name if place.function else ""
        found = []
        for module in self.modules.values():
            if module.name == place.module or module.imports.get(function) == place.module:
                for node, at in module.nodes():
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
                        given = [*node.args[number : number + 1], *(k.value for k in node.keywords if k.arg == name)]
                        found += [text for value in given for text in self.texts(value, at)]
        assert found, f"nobody calls {place} with a {name}"
        return found

    def _assigned(self, name: str, place: Place, use: ast.AST | None = None) -> list[ast.expr]:
        """The expressions that a name is given in its function before it is used, or in its module."""
        module = [node for node in self.modules[place.module].tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
        found: list[ast.expr] = []
        for node in _reaching(place.function.body if place.function else module, use):
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    found.append(value)
                case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                    found.append(value)
                case ast.AugAssign(target=ast.Name(id=target), value=value) if target == name:
                    found.append(value)
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                    names = [ast.unparse(target) for target in targets]
                    if name in names:
                        found += self._element(value, names.index(name), place)
        return found

    def _element(self, value: ast.expr, number: int, place: Place) -> list[ast.expr]:
        """The expressions that may stand at a place of a tuple."""
        match value:
            case ast.Tuple(elts=elements):
                return [elements[number]]
            case ast.IfExp(body=body, orelse=orelse):
                return [*self._element(body, number, place), *self._element(orelse, number, place)]
            case ast.GeneratorExp(elt=element):
                return [element]
            case ast.Call(func=ast.Name(id=name)):
                returned = self._returned(name, place) or []
                return [one for found, at in returned for one in self._element(found, number, at)]
        return []

    def _values(self, name: str, place: Place) -> list[str] | None:
        """The values of a module's dictionary."""
        for value in self._assigned(name, Place(place.module, None)):
            if isinstance(value, ast.Dict):
                return [text for one in value.values for text in self.texts(one, place)]
        return None


def sources() -> dict[str, str]:
    """The modules that say what is read here, by name."""
    paths = [*PACKAGE.glob("sanity/*.py"), *PACKAGE.glob("forecast/*.py"), PACKAGE / "forecast_text.py"]
    names = {path: ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in sorted(paths)}
    return {name: path.read_text(encoding="utf-8") for path, name in names.items()}


def all_said(reader: Reader) -> dict[str, list[str]]:
    """What its modules say, by where they say it: sentences and actions of findings, reasons of forecasts."""
    found: dict[str, list[str]] = {}
    for module in reader.modules.values():
        for node, place in module.nodes():
            said = _said(node, module.name)
            if said is not None and str(place) not in PASSED_ON:
                found.setdefault(f"{place}, line {said.lineno}", []).extend(filter(None, reader.texts(said, place)))
    return found


def _said(node: ast.AST, module: str) -> ast.expr | None:
    """The expression that is said, where a node is the one that says it."""
    if module.startswith("sanity."):
        return node.value if isinstance(node, ast.keyword) and node.arg in {"sentence", "action"} else None
    match node:
        case ast.keyword(arg="reason", value=value):
            return value
        case ast.Call(func=ast.Name(id="Choice"), args=[_, value, *_]):
            return value
        case ast.Assign(targets=[ast.Attribute(attr="reason")], value=value):
            return value
        case ast.BoolOp(op=ast.Or(), values=[ast.Attribute(attr="reason"), *_]):
            return node
    return None


def _reaching(statements: Sequence[ast.stmt], use: ast.AST | None) -> Iterator[ast.stmt]:
    """The statements after which one may come to the use; not those of a branch that is left for good before."""
    for statement in statements:
        yield statement
        for block in (getattr(statement, "body", []), getattr(statement, "orelse", [])):
            inside = any(use is node for one in block for node in ast.walk(one))
            if block and (inside or not isinstance(block[-1], ast.Return | ast.Raise | ast.Continue)):
                yield from _reaching(block, use)


def _arguments(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _formatted(spec: str) -> list[str]:
    if "%Y" in spec:
        return [format(HOURS[1], spec)]
    return [format(number, spec) for number in ((1, 1234) if spec == "," else (1, 1234, -0.5))]


def _combined(parts: list[list[str]]) -> list[tuple[str, ...]]:
    """Forms of which each part is one of its texts: all of them, or so many that each text stands in one."""
    assert all(parts), f"one of {parts} says nothing"
    if prod(map(len, parts)) <= MOST:
        return list(product(*parts))
    dice = Random(0)  # noqa: S311 -- a choice of forms
    longest = max(map(len, parts))
    covering = [tuple(part[n % len(part)] for part in parts) for n in range(longest)]
    return covering + [tuple(dice.choice(part) for part in parts) for _ in range(MOST - longest)]
