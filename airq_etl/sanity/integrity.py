"""Do the rows belong together: each once, hours under each day, means that follow, tables and store alike."""

from airq_etl.sanity.evidence import Check

CHECKS: tuple[Check, ...] = ()
