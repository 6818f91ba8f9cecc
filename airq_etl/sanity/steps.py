"""What one sensor says against its own past and against its neighbours: steps, drift, a station that is not at its site."""

from airq_etl.sanity.evidence import Check

CHECKS: tuple[Check, ...] = ()
