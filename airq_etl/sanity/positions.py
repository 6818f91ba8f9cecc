"""Where the stations are said to be."""

from airq_etl.sanity.evidence import Check

CHECKS: tuple[Check, ...] = ()
