"""What findings and forecasts say has its French, all of it, and good French."""

import re
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from airq_etl import hourly, payload
from airq_etl.forecast.service import fault
from airq_etl.french import check_in_french, in_french
from airq_etl.french.numbers import NOUNS
from airq_etl.french.pairs import PAIRS
from airq_etl.french.parts import PARTS
from airq_etl.french.templates import compiled
from airq_etl.french.titles import TITLES
from airq_etl.sanity.checks import CHECKS
from tests import said
from tests.evidence import OTHER, evidence
from tests.frames import STATION, captured, hour
from tests.translated import faults, in_both

BY_DECODER = "why rejected"  # said by the decoder, not by a check
COMMAND = re.compile(r"`[a-z][^`]*`|\b[A-Z_]{5,}\b|--[a-z-]+")
HOLE = re.compile(r"\{(?:de )?(\w+)[:|}]")


@cache
def all_said() -> dict[str, list[str]]:
    return said.all_said(said.Reader(said.sources()))


def ill_said(found: dict[str, list[str]]) -> dict[str, tuple[str, list[str]]]:
    """Where something is said that has no French or a bad one: the first such text, and what is wrong."""
    ill = {where: [(text, wrong) for text in texts if (wrong := faults(text))] for where, texts in found.items()}
    return {where: texts[0] for where, texts in ill.items() if texts}


# -- completeness ---------------------------------------------------------------------------------------------------


def test_all_that_can_be_said_has_its_french() -> None:
    """Every sentence and action of a finding and every reason for a forecast, in each of its forms."""
    assert ill_said(all_said()) == {}


def test_everything_that_says_something_is_read() -> None:
    """What finds nothing to read would not miss any French either: each check and each reason is among it."""
    silent = [where for where, texts in all_said().items() if not texts]
    assert [where.partition(",")[0] for where in silent] == [
        "forecast.ahead._outlook",  # a reason that a standing has
        "forecast.ahead._reason",
        "forecast.gate.choose",  # the same model serves as before
        "forecast.standing._stand",  # a reason that a choice has
    ]
    assert sum(map(len, all_said().values())) > 2000


def test_findings_are_made_where_they_are_read() -> None:
    """No module makes findings but those that are looked at here, and the one that reads back what was kept."""
    made = re.compile(r"\bFinding\(\n|\bFinding\(\w")
    makers = {
        path.relative_to(said.PACKAGE) for path in said.PACKAGE.rglob("*.py") if made.search(path.read_text("utf-8"))
    }
    assert {str(path) for path in makers if path.parts[0] != "sanity"} == {"open_findings.py"}


def test_nothing_is_filled_in_in_vain() -> None:
    """What the look takes for granted stands in the source, at the place that it is said of."""
    reader = said.Reader(said.sources())
    said.all_said(reader)
    assert set(said.FILLED) == reader.used


@pytest.mark.parametrize(
    ("module", "english", "reworded"),
    [
        ("sanity.coverage", "are missing, in {gap}", "are lacking, in {gap}"),
        ("sanity.coverage", '"no value of ', '"without value: '),
        ("sanity.saying", "the first is", "the oldest is"),
        ("sanity.follows", '"number of hours"', '"hour count"'),
        ("sanity.stuck", "have the sensor replaced", "replace the sensor"),
        ("sanity.integrity", "find out who wrote them", "ask who wrote them"),
        ("forecast.service", "it is dead:", "it died:"),
        ("forecast.gate", "the first to serve", "first of all"),
        ("forecast_text", "it has no values", "nothing came"),
    ],
)
def test_a_reworded_sentence_is_missed(module: str, english: str, reworded: str) -> None:
    """The look itself can fail: a sentence that the source says otherwise has no French until it is given one."""
    sources = said.sources()
    assert english in sources[module]
    changed = sources | {module: sources[module].replace(english, reworded)}
    assert ill_said(said.all_said(said.Reader(changed))) != {}


def test_what_cannot_be_read_is_named() -> None:
    """A sentence made in a way that is not followed is an error, and not left out."""
    sources = said.sources()
    changed = sources["sanity.stuck"].replace("sentence=_same(name, row)", "sentence=row['said']")
    with pytest.raises(AssertionError, match=r"sanity\.stuck\._flat, line \d+: what does row\['said'\] say"):
        said.all_said(said.Reader(sources | {"sanity.stuck": changed}))


def test_no_french_is_left_over() -> None:
    """What nobody says any more in English has no template, and no part of one."""
    texts = {text for texts in all_said().values() for text in texts}
    for english, _ in PAIRS:
        (template,) = compiled([(english, "")])
        assert any(template.turn(text) is not None for text in texts), english
    everything = "\n".join(texts)
    for name, pairs in PARTS.items():
        for (english, _), (template,) in ((pair, compiled([pair])) for pair in pairs if name != BY_DECODER):
            assert template.english.pattern == "" or re.search(template.english.pattern, everything), (
                f"{name}: {english}"
            )
    for noun in NOUNS:
        assert re.search(rf"\d {noun}s?\b", everything), noun


@pytest.mark.parametrize(("english", "french"), [*PAIRS, *(pair for pairs in PARTS.values() for pair in pairs)])
def test_nothing_is_lost_on_the_way(english: str, french: str) -> None:
    """What stands in the English holes stands in the French ones."""
    assert set(HOLE.findall(english)) == set(HOLE.findall(french))
    assert COMMAND.findall(english) == COMMAND.findall(french)


def test_every_check_has_a_title() -> None:
    """And every title is that of a check; they are all different."""
    assert set(TITLES) == {check.name for check in CHECKS}
    assert len(set(TITLES.values())) == len(TITLES)
    assert check_in_french("dead-sensor") == "capteur mort"
    assert check_in_french("of-tomorrow") == "of-tomorrow"


def test_what_is_unknown_has_none() -> None:
    """A text that nobody says, and one that only begins or ends like a known one."""
    known = "see the sensor"
    assert in_french(known) == "contrôler le capteur"
    for text in ("", "the sky is blue", f"{known} at once", f"do {known}", known.upper(), f"{known}\n"):
        assert in_french(text) is None


# -- real rows, real hours ------------------------------------------------------------------------------------------

BAD_ROWS = (
    *(
        '{"CO": 1.0}',
        '{"timestamp": "yesterday"}',
        '{"timestamp": 7}',
        '{"timestamp": "2024-09-09 00:00:00", "CO": "x"}',
    ),
    *('{"timestamp": "2024-09-09 00:00:00", "CO": 1e999}', '{"timestamp": "2024-09-09 00:00:00", "\\ud800": 1}', "7"),
    *('{"timestamp": "\\ud800"}', '{"timestamp": "2024-09-09 00:30:00"}', '{"timestamp": "2024-10-09 00:00:00"}'),
    *('{"timestamp": "1999-09-09 00:00:00"}', '{"timestamp": "0001-01-01T00:00:00+23:00"}'),
)


@pytest.mark.parametrize("row", BAD_ROWS)
def test_why_a_row_was_set_aside(row: str) -> None:
    """The reasons of the decoder have their French too; one that has none would be quoted."""
    decoded = payload.decode(f'{{"data": [{row}]}}'.encode())
    (rejected,) = hourly.parse(decoded, STATION, hour(48)).rejected
    same = "1 row set aside, beside 24 good hours of the same time; the reason: "
    french = in_french(f"{same}{rejected.reason}; last seen 2024-09-11 00:00")
    assert french is not None
    assert "«" not in french
    assert french.startswith("1 ligne écartée, contre 24 heures valides de la même période\u00a0; motif\u00a0: ")


def test_two_real_stations(captures_dir: Path) -> None:
    """All that the checks find in the captures, at their end and when nobody asked for a long time."""
    given = evidence(captured(captures_dir), configured=frozenset({STATION, OTHER}))
    for now in (datetime(2023, 12, 10, 0, 40, tzinfo=UTC), datetime(2024, 6, 10, tzinfo=UTC)):
        found = in_both(finding for check in CHECKS for finding in check.find(given._replace(now=now)))
        assert len({finding.check for finding in found}) >= 9


def test_a_dead_sensor_and_a_drifted_one() -> None:
    """The reasons that values give."""
    dead, drifted = fault(np.zeros(14 * 24), "pm25"), fault(-np.arange(1.0, 14 * 24 + 1), "co")
    assert dead is not None
    assert drifted is not None
    assert faults(dead) + faults(drifted) == []


def test_two_thousand_texts_take_no_time() -> None:
    """A report of a large network is not slowed down."""
    texts = [text for texts in all_said().values() for text in texts][:2000]
    begin = time.process_time()
    assert all(map(in_french, texts))
    assert time.process_time() - begin < 1


# -- the French itself ----------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """French with the spaces, apostrophes and signs of a keyboard."""
    return text.translate({0x202F: " ", 0xA0: " ", 0x2019: "'", 0x2212: "-"})


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("1 day waits to be loaded", "1 jour attend d'être chargé"),
        ("1,234 days wait to be loaded", "1 234 jours attendent d'être chargés"),
        (
            (
                "24 hours and 1 day of the tables are missing, the first is 2023-04-22 00:00; 2023-04 has 1 hour, "
                "in the tables 720"
            ),
            (
                "24 heures et 1 jour des tables manquent dans la base (premier cas : 22/04/2023 00:00) ; en avril "
                "2023, la base compte 1 heure, les tables 720"
            ),
        ),
        (
            (
                "O3 mean of 2023-04-22 is 1,234.5 µg/m³, its hours give none; so it is with 1 more sensor; the "
                "first of 2 days"
            ),
            (
                "moyenne d'O3 du 22/04/2023 : 1 234,5 µg/m³ dans la ligne, aucune valeur d'après ses heures ; de "
                "même pour 1 autre capteur ; premier de 2 jours"
            ),
        ),
        (
            (
                "3 of 8,760 hours (under 0.1 %) are missing, in one gap of 3 hours from 2023-04-22 00:00 to "
                "2023-04-22 02:00"
            ),
            (
                "il manque 3 heures sur 8 760 (moins de 0,1 %), en une seule lacune de 3 heures, du 22/04/2023 "
                "00:00 au 22/04/2023 02:00"
            ),
        ),
        (
            "1 of 960 values are not between -10.0 and 1,000 µg/m³ (all -999 µg/m³)",
            "1 valeur sur 960 n'est pas comprise entre -10,0 et 1 000 µg/m³ (-999 µg/m³ dans tous les cas)",
        ),
        (
            (
                "no value of RH in 43 of 8,213 hours (0.5 %), NO2 in 1 of 8,213 hours (under 0.1 %) and O3 in 2 of "
                "8,213 hours (under 0.1 %)"
            ),
            (
                "aucune valeur de RH pour 43 heures sur 8 213 (0,5 %), de NO2 pour 1 heure sur 8 213 (moins de 0,1 "
                "%) et d'O3 pour 2 heures sur 8 213 (moins de 0,1 %)"
            ),
        ),
        (
            (
                "the source changed 24 hours (60 % of those within its reach) of CO, NO2, O3 and 3 more, from "
                "2024-11-25 12:00 to 2024-11-26 11:00, seen 2024-11-27 00:20 and in 2 answers before; 1 daily mean "
                "moved, that of O3 of 2024-11-25, from none to 1.00 µg/m³"
            ),
            (
                "la source a modifié 24 heures (60 % de celles à sa portée) pour CO, NO2, O3 et 3 autres, du "
                "25/11/2024 12:00 au 26/11/2024 11:00, constaté le 27/11/2024 00:20 et dans 2 réponses antérieures "
                "; 1 moyenne journalière a bougé, celle d'O3 du 25/11/2024 : aucune valeur auparavant, 1,00 µg/m³ "
                "désormais"
            ),
        ),
        (
            "'PM4' is no sensor known here; the values stay in the captures",
            "'PM4' n'est pas un capteur connu ici ; les valeurs restent dans les captures",
        ),
        (
            (
                "it is said to be at 5.3693, 4.0001, 890 km from Abidjan, which the stations file places: its "
                "longitude lacks a minus sign"
            ),
            (
                "elle est annoncée en 5,3693 / 4,0001, à 890 km d'Abidjan, que le fichier des stations situe : il "
                "manque un signe moins à sa longitude"
            ),
        ),
        (
            "it is dead: 0 µg/m³ in 100 % of the hours of the last 14 days",
            "capteur mort : 0 µg/m³ dans 100 % des heures des 14 derniers jours",
        ),
        (
            "its zero has drifted: 97.2 % of the hours of the last 14 days are below zero",
            "dérive du zéro : 97,2 % des heures des 14 derniers jours sont négatives",
        ),
        ("it has been silent since 2024-09-09 10:00 UTC", "capteur muet depuis le 09/09/2024 10:00 UTC"),
        (
            "lightgbm steps down: its error was 3.2 % above that of persistence over the last 14 days",
            (
                "le modèle LightGBM cède la place : son erreur a dépassé de 3,2 % celle de la persistance sur les "
                "14 derniers jours"
            ),
        ),
        (
            "after none: there are less than 14 days by which to judge the linear model",
            "après une période sans prévision : moins de 14 jours pour juger le modèle linéaire",
        ),
    ],
)
def test_numbers_dates_and_agreement(english: str, french: str) -> None:
    """Numbers, counts, lists, days and months as the French write them; verbs and participles agree."""
    assert plain(in_french(english) or "") == french


def test_it_is_set_as_french_is() -> None:
    """Thousands have a narrow no-break space, colons, semicolons, units and per cent signs a full one."""
    assert in_french(
        "1,234 of 8,000 hours (6.9 %) are missing, in 2 gaps, the longest of 9 hours from 2023-04-22 to 2023-04-23"
    ) == (
        "il manque 1\u202f234 heures sur 8\u202f000 (6,9\u00a0%), en 2 lacunes, la plus longue de 9 "
        "heures, du 22/04/2023 au 23/04/2023"
    )
    assert in_french("run `airq-etl run`; take the station out of AIRQ_STATIONS if it is gone") == (
        "lancer `airq-etl run`\u00a0; retirer la station d\u2019AIRQ_STATIONS si elle n\u2019existe plus"
    )
    assert in_french("it is dead: -0.5 mg/m³ in 99 % of the hours of the last 14 days") == (
        "capteur mort\u00a0: \u22120,5\u00a0mg/m³ dans 99\u00a0% des heures des 14 derniers jours"
    )
