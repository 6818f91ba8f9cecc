"""What one sensor says by itself: out of range, below zero, flat or dead, spikes."""

from airq_etl.sanity.evidence import Check

CHECKS: tuple[Check, ...] = ()
