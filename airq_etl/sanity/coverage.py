"""Which hours and values are missing, and who has fallen silent."""

from airq_etl.sanity.evidence import Check

CHECKS: tuple[Check, ...] = ()
