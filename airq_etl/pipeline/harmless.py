"""Steps at the end of a run that must not fail it."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from airq_etl.errors import AirqError
from airq_etl.pipeline.job import Job

log = logging.getLogger(__name__)


@contextmanager
def harmless(work: Job, step: str) -> Iterator[None]:
    """What fails in the block, or is at work at the run's deadline, is a warning; whoever stops the run still does."""
    try:
        yield
    except AirqError as error:
        log.warning("%s: %s", step, error)
    except KeyboardInterrupt:
        if time.monotonic() < work.deadline:
            raise  # somebody stops the run
        log.warning("%s: not done before the run's deadline; `airq-etl %s` takes its time", step, step)
