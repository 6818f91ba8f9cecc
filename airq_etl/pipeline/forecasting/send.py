"""Forecasts into the store: those made, or observed, since it was last sent some."""

from airq_etl.pipeline.job import Job


def send(work: Job, *, full: bool = False) -> tuple[dict[str, int], str | None]:
    """Bring the store up to the table of forecasts; what was written by collection, and the store's name."""
    return ({"forecasts": 0} if full else {}), None if work.result.store is None else work.result.store
