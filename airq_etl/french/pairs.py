"""All sentences, each an English template beside its French one; of several that a text is of, the first counts."""

from airq_etl.french.actions import OF_HOURS, OF_ROWS, OF_SENSORS
from airq_etl.french.measured import MISSING, OF_THE_SOURCE, READ
from airq_etl.french.parts import Pair
from airq_etl.french.reasons import REASONS
from airq_etl.french.rows import PLACED, SERVED, STORED

PAIRS: tuple[Pair, ...] = (
    *(*STORED, *SERVED, *PLACED),
    *(*MISSING, *READ, *OF_THE_SOURCE),
    *(*OF_ROWS, *OF_HOURS, *OF_SENSORS),
    *REASONS,
)
