"""Single hours that stand out by far, as the flags have them."""

from collections.abc import Iterator

import polars as pl

from airq_etl import quality, usual
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.wording import at, listed, many, number, sensor
from airq_etl.sensors import present


def _spikes(evidence: Evidence) -> Iterator[Finding]:
    judged = quality.judge(evidence.tables.hourly, evidence.rules.in_service)
    among = judged.filter(pl.col("reasons").str.contains(" spike", literal=True))
    for (station_id,), hours in among.group_by("station_id", maintain_order=True):
        spikes = {name: _of(hours, name) for name in present(hours.columns)}
        counts = {name: rows.height for name, rows in spikes.items() if rows.height}
        name = max(counts, key=lambda name: counts[name])
        highest = spikes[name].sort(name, descending=True, maintain_order=True).row(0, named=True)
        yield Finding(
            check="spikes",
            severity="info",
            station_id=int(str(station_id)),
            first=hours["hour"][0],
            last=hours["hour"][-1],
            count=sum(counts.values()),
            sentence=(
                f"single hours stand out by far, of {_in_words(counts)}; the highest of {sensor(name)} is "
                f"{number(highest[name], name)} at {at(highest['hour'])}"
            ),
            action="look at these before you publish a highest hour: they may be real, or a jolt of the sensor",
        )


def _of(hours: pl.DataFrame, name: str) -> pl.DataFrame:
    return hours.filter(pl.col("reasons").str.split(", ").list.contains(f"{name} spike"))


def _in_words(counts: dict[str, int]) -> str:
    most_first = sorted(counts, key=lambda name: -counts[name])
    return listed([f"{sensor(name)} {many(counts[name], 'time')}" for name in most_first])


CHECKS: tuple[Check, ...] = (
    Check(
        "spikes",
        "single hours far from their hour of the day, and from the hours on either side",
        f"{quality.SPIKE:g} median absolute deviations of the last {usual.DAYS} days, half of that beside it",
        "two stations in Abidjan, of which a sensor passes it a dozen times a year",
        _spikes,
        for_runs=False,
        by_station=True,
    ),
)
