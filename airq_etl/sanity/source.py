"""What the API does: rewrites its past, changes its keys, sends rows that are not as they should be."""

from airq_etl.sanity.evidence import Check

CHECKS: tuple[Check, ...] = ()
