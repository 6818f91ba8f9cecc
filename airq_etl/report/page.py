"""The page: a template filled with the facts, in one language; one file that asks nobody for anything."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import jinja2
import markupsafe
import msgspec

from airq_etl import guidelines
from airq_etl.report import SHOWN, figures
from airq_etl.report.charts.sheet import NAMES, PLACES
from airq_etl.report.facts import Guideline, Report, Run, StationFacts
from airq_etl.report.ink import PAGE, css
from airq_etl.report.now import STALE
from airq_etl.report.series import Score, Year
from airq_etl.report.words import NONE, TO, Words
from airq_etl.sanity.finding import SEVERITIES, Finding
from airq_etl.sanity.wording import printable
from airq_etl.sensors import BY_COLUMN
from airq_etl.windows import HOUR

UNFOLDED = 3
"""So many stations are shown in full; of more the overview, and each when it is asked for."""


class Parts(NamedTuple):
    """What the page is put together from: template, style, scripts (the charts' library, then ours), locale of d3."""

    template: str
    style: str
    scripts: Sequence[str]
    locale: Any


def page(report: Report, say: Words, compiled: Callable[[dict[str, Any]], dict[str, Any]], parts: Parts) -> str:
    """The HTML of a report; `compiled` makes Vega of Vega-Lite."""
    network = list(figures.of_the_network(report, say))
    of_stations = {its.station_id: list(figures.of_a_station(its, report, say)) for its in report.stations}
    runs = figures.of_runs(say)
    every = [*network, *(figure for of in of_stations.values() for figure in of), *([runs] if report.runs else [])]
    charts = figures.specifications([figure.name for figure in every], report, PAGE, say)
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(parts.template).render(
        _Sayings(say, report).names(),
        say=say,
        report=report,
        network=network,
        figures=of_stations,
        runs_figure=runs,
        folded=len(report.stations) > UNFOLDED,
        stale_h=STALE / HOUR,
        style=markupsafe.Markup(css() + parts.style),  # noqa: S704 -- ours
        facts=embedded(report),
        charts=embedded({name: compiled(chart) for name, chart in charts.items()}),
        locale=embedded(parts.locale),
        scripts=[markupsafe.Markup(script.replace("</script", "<\\/script")) for script in parts.scripts],  # noqa: S704 -- ours
    )


def embedded(value: object) -> markupsafe.Markup:
    """JSON that can stand inside a script element whatever names are in it."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return markupsafe.Markup(text)  # noqa: S704 -- escaped above


class _Sayings(NamedTuple):
    """What the template asks for beside the facts."""

    say: Words
    report: Report

    def names(self) -> dict[str, Any]:
        """All of them by name."""
        asked = (
            *("told", "tongue", "key", "places", "rank", "doubtful", "next_hour", "counts", "summary", "sentences"),
            *("elsewhere", "about_revisions", "years", "scores", "span", "state_of", "period", "counted"),
        )
        return {name: getattr(self, name) for name in asked} | {
            "title": self.say("Air quality report"),
            "lead": self.lead(),
            "source": self.say("the tables") if self.report.source == "tables" else printable(self.report.source),
            "pairs": [(compared, pair) for compared in self.report.compared for pair in compared.pairs],
        }

    def lead(self) -> str:
        """Of what the report is."""
        if self.report.first_day is None:
            return self.say("No day in this period.")
        names = [station.label for station in self.report.stations]
        shown = ", ".join(names) if len(names) <= UNFOLDED else self.say("{count} stations", count=len(names))
        return self.say(
            "{stations}, {first} to {last}.",
            stations=printable(shown),
            first=self.say.day(self.report.first_day),
            last=self.say.day(self.report.last_day),
        )

    def told(self, text: str) -> str:
        """What a finding says, in the language of the page where it is known."""
        return self.say.finding(printable(text))

    def tongue(self, text: str) -> str | markupsafe.Markup:
        """The attribute of a text that stays English in a page that is not."""
        return "" if self.say.is_said(text) else markupsafe.Markup(' lang="en"')

    @staticmethod
    def key(sensor: str) -> str:
        """A sensor as people know it."""
        return BY_COLUMN[sensor].key if sensor in BY_COLUMN else sensor

    @staticmethod
    def places(sensor: str) -> int:
        """To how many places its values are written."""
        return PLACES[sensor]

    @staticmethod
    def rank(aqi: int) -> int:
        """The number of an index's category, the cleanest first."""
        return guidelines.CATEGORIES.index(guidelines.category(aqi))

    @staticmethod
    def doubtful(station: StationFacts) -> bool:
        """Whether the sanity check says that the CO of a station is worth nothing, or has drifted."""
        return figures.is_doubted(station, "co")

    @staticmethod
    def counts(findings: Sequence[Finding]) -> list[tuple[str, int]]:
        """How many findings there are of each severity, without those there are none of."""
        counted = [(severity, sum(its.severity == severity for its in findings)) for severity in SEVERITIES]
        return [(severity, count) for severity, count in counted if count]

    def counted(self, severity: str, count: int) -> str:
        """A count of findings."""
        many = "{count} info" if severity == "info" else f"{{count}} {severity}s"
        return self.say(f"{{count}} {severity}" if count == 1 else many, count=self.say.number(count))

    def next_hour(self, station: StationFacts) -> str:
        """The first forecast that is not over, with its bounds."""
        outlook = station.pm25.outlook
        if outlook is None or not outlook.points:
            return NONE
        first = outlook.points[0]
        low, high = (self.say.number(value, 1) for value in (first.lo80, first.hi80))
        return f"{self.say.number(first.median, 1)} ({low} {TO} {high})"

    def summary(self, station: StationFacts) -> str:
        """What is known of a station, in a line."""
        if not station.days:
            return self.say("no day in this period")
        return self.say(
            "station {id}, {first} to {last}, {valid} valid days of PM2.5, {co} of CO",
            id=station.station_id,
            first=self.say.day(station.days[0]),
            last=self.say.day(station.days[-1]),
            valid=self.say.number(station.pm25.valid_days),
            co=self.say.number(station.co.valid_days),
        )

    def sentences(self, station: StationFacts) -> Iterator[str]:
        """The highest days, and why there is no forecast."""
        for name in SHOWN:
            facts, places = getattr(station, name), PLACES[name]
            for highest, text in (
                (facts.highest, "{sensor}: highest daily mean of a valid day {value} {unit}, on {day}."),
                (
                    facts.highest_of_all if facts.highest_of_all != facts.highest else None,
                    "{sensor}: {value} {unit} on {day} is higher, of {hours} of {expected} hours: not valid.",
                ),
            ):
                if highest is not None:
                    yield self.say(
                        text,
                        sensor=NAMES[name],
                        value=self.say.number(highest.mean, places + 1 if name == "pm25" else places),
                        unit=facts.unit,
                        day=self.say.day(highest.day),
                        **({} if highest == facts.highest else {"hours": highest.hours, "expected": highest.expected}),
                    )
            if facts.outlook is not None and not facts.outlook.points:
                reason = self.told(facts.outlook.reason or "")
                yield self.say("{sensor}: no forecast: {reason}.", sensor=NAMES[name], reason=reason)

    def elsewhere(self, station: StationFacts) -> list[Finding]:
        """The findings that stand beside no chart or table."""
        return [
            its for its in station.findings if figures.place_of(its) is None and its.check not in figures.OF_REVISIONS
        ]

    @staticmethod
    def about_revisions(station: StationFacts) -> list[Finding]:
        """The findings about what the source rewrote."""
        return [its for its in station.findings if its.check in figures.OF_REVISIONS]

    def years(self, station: StationFacts) -> list[tuple[str, Guideline, Year]]:
        """The years of both sensors."""
        return [
            (its.sensor, its, year) for its in self.report.guidelines for year in getattr(station, its.sensor).years
        ]

    @staticmethod
    def scores(station: StationFacts) -> list[tuple[str, str, Score]]:
        """How the forecasts of both sensors turned out."""
        both = (getattr(station, name) for name in SHOWN)
        return [(facts.sensor, facts.unit, score) for facts in both for score in facts.scores]

    def span(self, first: datetime, last: datetime) -> str:
        """From when to when."""
        return self.say.time(first) if first == last else f"{self.say.time(first)} {TO} {self.say.time(last)}"

    def period(self, finding: Finding) -> str:
        """From when to when a finding is; empty where it has no period."""
        ends = dict.fromkeys(time for time in (finding.first, finding.last) if time is not None)
        return f" {TO} ".join(
            self.say.time(time) if isinstance(time, datetime) else self.say.day(time) for time in ends
        )

    @staticmethod
    def state_of(run: Run) -> str:
        """How a run's state is coloured."""
        return {"SUCCESS": "good", "PARTIAL": "partial", "RUNNING": "info", "PENDING": "info"}.get(run.state, "failed")
