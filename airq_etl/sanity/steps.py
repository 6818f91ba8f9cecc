"""What a sensor says against its own past and its neighbours: steps, drift, a station not at its site."""

from airq_etl.sanity.evidence import Check

CHECKS: tuple[Check, ...] = ()
