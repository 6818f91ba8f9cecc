"""The page of a report: it asks nobody for anything, whatever the names in it; and it says all in either language."""

import ast
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import polars as pl
import pytest

from airq_etl import guidelines
from airq_etl.pipeline.reporting.write import write_page
from airq_etl.report import figures
from airq_etl.report.facts import Report
from airq_etl.report.french import FRENCH
from airq_etl.report.words import Words
from airq_etl.runs import State
from airq_etl.sanity.finding import SEVERITIES, Finding, Severity
from tests.browser import DESKTOP, PHONE, browser, opened
from tests.made_up_report import report_on, run_at
from tests.test_report_charts import NOW, made_up
from tests.years import hours_of, lively

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

SOURCE = Path(__file__).parents[1] / "airq_etl"
EVIL = "</script><script>document.title='taken'</script>\"'><img src=x onerror=alert(1)>{{7*7}}$where"
FINDINGS: tuple[tuple[str, Severity, int | None, str | None], ...] = (
    ("dead-sensor", "error", 1, "co"),
    ("incomplete-days", "info", 1, None),
    ("mass-revision", "warning", 1, None),
    ("step", "warning", 1, "no2"),
    ("silent-network", "warning", None, None),
)


@pytest.fixture(scope="module")
def chromium(program: "Callable[[str], str]") -> Iterator["Browser"]:
    with browser(program("chromium")) as found:
        yield found


def written(report: Report, directory: Path, language: str = "en") -> Path:
    target = directory / f"{language}.html"
    write_page(report, Words("fr" if language == "fr" else "en"), target)
    return target


def full(names: dict[int, str | None] | None = None) -> Report:
    """A report with something of everything in it."""
    findings = [
        Finding(
            check=check,
            severity=severity,
            station_id=station_id,
            sensor=sensor,
            first=NOW,
            last=NOW,
            count=1,
            sentence=f"{check} sentence",
            action="an action",
        )
        for check, severity, station_id, sensor in FINDINGS
    ]
    rows = pl.concat([hours_of(60 * 24, number, pm25=lively, co=lambda hour: lively(hour) / 10) for number in (1, 2)])
    runs = [run_at(NOW), run_at(NOW, "FAILED", "the API is <down>")]
    days = {NOW.date(): {"SUCCESS": 3, "FAILED": 1}}
    return report_on(rows, NOW, names=names, findings=findings, runs=runs, run_days=days)


class Scripts(HTMLParser):
    """The elements of a page, as an HTML parser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.links += [str(given[name]) for name in ("src", "href", "action", "data", "srcset") if name in given]
        if tag == "script":
            self.scripts.append((given, ""))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script" and self.scripts and not self.scripts[-1][1]:
            self.scripts[-1] = (self.scripts[-1][0], data)

    def of(self, name: str) -> str:
        (text,) = (text for given, text in self.scripts if given.get("id") == name)
        return text


def test_all_is_in_the_page(tmp_path: Path) -> None:
    """Nothing in it leads anywhere but to a place in it."""
    seen = Scripts(written(full(), tmp_path).read_text(encoding="utf-8"))
    assert seen.links
    assert [link for link in seen.links if not link.startswith("#")] == []
    assert not {"link", "img", "iframe", "object", "form"} & set(seen.tags)


def test_the_page_has_the_facts_of_the_json(tmp_path: Path) -> None:
    """What it draws from is what `report --json` prints."""
    import msgspec

    report = full()
    seen = Scripts(written(report, tmp_path).read_text(encoding="utf-8"))
    assert json.loads(seen.of("facts")) == json.loads(msgspec.json.encode(report))


def test_a_name_is_text_whatever_is_in_it(tmp_path: Path, chromium: "Browser") -> None:
    """Markup, templates and scripts in the name of a station are shown as they stand, and do nothing."""
    page = written(full({1: EVIL, 2: "\x00\u202e\x1b[2J"}), tmp_path)
    seen = Scripts(page.read_text(encoding="utf-8"))
    assert len(seen.scripts) == 5
    assert json.loads(seen.of("facts"))["stations"][0]["label"] == EVIL
    with opened(chromium, page) as shown:
        assert shown.page.title() == "Air quality report"
        assert shown.page.locator("summary h2").first.text_content() == EVIL
        assert shown.page.locator("main img").count() == 0
        assert shown.complaints == []


def test_it_opens_with_the_network_cut(tmp_path: Path, chromium: "Browser") -> None:
    """Every chart is drawn, nothing is asked for, nothing is complained of."""
    page = written(full(), tmp_path)
    with opened(chromium, page) as shown:
        assert shown.requests == [page.as_uri()]
        assert shown.complaints == []
        places = shown.page.locator(".chart").count()
        assert places == shown.page.locator(".chart svg").count() == 2 * len(figures.OF_A_SENSOR) * 2 + 2 + 4 + 1


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_nothing_is_wider_than_the_screen(tmp_path: Path, chromium: "Browser", size: dict[str, int]) -> None:
    """A table that is wide scrolls by itself; the page does not, on a phone either."""
    with opened(chromium, written(full(), tmp_path), viewport=size, is_mobile=size == PHONE) as shown:
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        widths = shown.page.evaluate(
            "[...document.querySelectorAll('.chart svg')].map(e => e.getBoundingClientRect().right)"
        )
        assert max(widths) <= size["width"]


def test_it_is_dark_where_the_reader_is(tmp_path: Path, chromium: "Browser") -> None:
    """By the reader's scheme, the other way by the button, and light on paper: page and charts."""
    colour = "getComputedStyle(document.body).color"
    line = "getComputedStyle(document.querySelector('.chart .mark-line path')).stroke"
    page = written(full(), tmp_path)
    with opened(chromium, page) as light, opened(chromium, page, color_scheme="dark") as dark:
        by_day = [light.page.evaluate(what) for what in (colour, line)]
        by_night = [dark.page.evaluate(what) for what in (colour, line)]
        assert by_day[0] != by_night[0]
        assert by_day[1] != by_night[1]
        dark.page.locator("#scheme").click()
        assert [dark.page.evaluate(what) for what in (colour, line)] == by_day
        dark.page.locator("#scheme").click()
        dark.page.emulate_media(media="print")
        assert dark.page.evaluate(line) == by_day[1]


def test_a_day_is_told_where_one_points_at_it(tmp_path: Path, chromium: "Browser") -> None:
    """With its value, its unit and the hours under it."""
    with opened(chromium, written(made_up(), tmp_path)) as shown:
        chart = shown.page.locator("[id='1-pm25-calendar'] .chart svg .mark-rect path")
        chart.first.scroll_into_view_if_needed()
        chart.first.hover()
        said = shown.page.locator("#tip")
        said.wait_for(state="visible")
        assert re.fullmatch(r"2024-01-\d\d: \d+\.\d µg/m³, 24 / 24 h", said.text_content() or "")


def test_many_stations_are_folded(tmp_path: Path, chromium: "Browser") -> None:
    """The overview is drawn, a station when it is asked for: by its name in the table as well."""
    with opened(chromium, written(made_up(5), tmp_path)) as shown:
        assert shown.page.locator(".station .chart svg").count() == 0
        shown.page.locator(".now a").nth(3).click()
        shown.page.wait_for_selector("[id='station-4'] .chart svg")
        assert shown.page.locator("details[open]").count() == 1
        assert shown.complaints == []


def test_a_finding_stands_beside_its_chart(tmp_path: Path) -> None:
    """Once, beside the one that it concerns; one of no chart at the head of its station, one of no station above."""
    text = written(full(), tmp_path).read_text(encoding="utf-8")
    body = text.partition("<main>")[2].partition('<script type="application/json"')[0]
    assert sorted(re.findall(r"([\w-]+) sentence", body)) == sorted(check for check, *_ in FINDINGS)
    places: dict[str, str] = {}
    for name, inside in re.findall(r'<figure[^>]* id="([\w-]+)">(.*?)</figure>', body, re.DOTALL):
        places |= dict.fromkeys(re.findall(r"([\w-]+) sentence", inside), name)
    assert places == {"dead-sensor": "1-co-daily", "incomplete-days": "1-pm25-completeness"}


def test_a_run_that_failed_says_why(tmp_path: Path) -> None:
    """In its own words, as text."""
    text = written(full(), tmp_path).read_text(encoding="utf-8")
    assert "the API is &lt;down&gt;" in text


def test_a_report_without_a_day_is_a_page(tmp_path: Path, chromium: "Browser") -> None:
    """A period in which there is nothing, and no run."""
    rows = hours_of(24, 1, pm25=lively)
    page = written(report_on(rows, NOW, names={2: "silent"}), tmp_path)
    with opened(chromium, page) as shown:
        assert shown.complaints == []


def said() -> set[str]:
    """Every text that the report says, read off its source; with those that are made of data."""
    texts = {f"{{count}} {severity}" for severity in SEVERITIES} | {"{count} errors", "{count} warnings", *SEVERITIES}
    texts |= {category.name for category in guidelines.CATEGORIES} | set(get_args(State)) | {"WHO", "EU"}
    for path in (SOURCE / "report").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            texts |= set(_texts(node))
    page = (SOURCE / "deploy" / "report.html").read_text(encoding="utf-8")
    return texts | set(re.findall(r'say\("([^"]*)"', page)) | set(re.findall(r"say\('([^']*)'", page))


def _texts(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    # A kind of chart has a title and a note; its name, which comes first, is said nowhere.
    spoken = node.args[1:] if name == "Kind" else node.args if name in {"say", "quoted", "self"} else []
    yield from (its.value for its in spoken if isinstance(its, ast.Constant) and isinstance(its.value, str))


def test_all_that_is_said_is_said_in_french() -> None:
    """No English text is without its French, and no French without its English; the holes are the same."""
    # What is told of the highest days is put together in a loop.
    looped = {text for text in FRENCH if text.startswith("{sensor}: ") and "{value}" in text}
    assert len(looped) == 2
    assert FRENCH.keys() == said() | looped
    for text, french in FRENCH.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", french)), text


def test_french_has_its_punctuation() -> None:
    """No line breaks before a colon; decimals have a comma, thousands a narrow space, days their order."""
    say = Words("fr")
    assert say("{sensor}: daily means", sensor="CO") == "CO\u00a0: moyennes journalières"
    assert say.number(-1234.56, 1) == "\u22121\u202f234,6"
    assert say.number(-0.04, 1) == "0,0"
    assert say.day(NOW.date()) == "01/03/2024"
    assert Words().number(-1234.56, 1) == "\u22121,234.6"


def test_a_page_in_french_says_nothing_in_english(tmp_path: Path, chromium: "Browser") -> None:
    """Of its own words; what findings and runs say is marked where it stays English."""
    with opened(chromium, written(full(), tmp_path, "fr")) as shown:
        assert shown.page.evaluate("document.documentElement.lang") == "fr"
        words = shown.page.evaluate(
            "(() => { document.querySelectorAll('[lang=en], script, style').forEach(e => e.remove());"
            " return document.body.innerText; })()"
        )
    assert not re.findall(r"\b(the|of|and|hours|days|valid|mean|with)\b", words.replace("airq-etl export", ""))
