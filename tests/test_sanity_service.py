"""The checks of what settings leave out, and of days that were made by other ones."""

import pytest

from airq_etl.sanity import integrity, service
from airq_etl.stations import Rules
from tests.evidence import OTHER, evidence, finder, rows
from tests.frames import STATION, hour

find = finder(service.CHECKS)


@pytest.mark.parametrize(
    ("since", "severity", "count"), [(0, None, 0), (1, "info", 1), (9, "info", 9), (10, "error", 10)]
)
def test_hours_before_the_service_are_told(since: int, severity: str | None, count: int) -> None:
    """Hours left out are worth a word; a station all of whose hours are has no mean, which is an error."""
    table = [rows(range(10)), rows(range(10), OTHER)]
    found = find("not-in-service", evidence(*table, rules=Rules(in_service={STATION: hour(since)})))
    assert [(f.severity, f.station_id, f.count) for f in found] == ([(severity, STATION, count)] if severity else [])


def test_days_of_other_settings_are_told_once_and_not_called_wrong() -> None:
    """A station whose zone or beginning was set anew has days that do not follow from its hours, until transform."""
    before = evidence(rows(range(48)))
    anew = before._replace(rules=Rules(in_service={STATION: hour(30)}), outdated=frozenset({STATION}))
    (finding,) = find("settings-changed", anew)
    assert (finding.severity, finding.station_id) == ("warning", STATION)
    assert "`airq-etl transform`" in finding.action
    assert find("settings-changed", before) == []
    means = finder(integrity.CHECKS)
    assert means("daily-mean", anew) == []
    assert means("daily-mean", anew._replace(outdated=frozenset())) != []
