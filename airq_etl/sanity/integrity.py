"""Do the rows belong together: each once, hours under each day, means that follow, one truth in tables and store?"""

from airq_etl.sanity.evidence import Check

CHECKS: tuple[Check, ...] = ()
