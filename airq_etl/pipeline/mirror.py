"""The record of runs, copied into the store beside the data, for those who read nothing but the store."""

import logging
from contextlib import closing

from airq_etl import documents, ledger_runs
from airq_etl.errors import StoreError
from airq_etl.lake import Lake
from airq_etl.ledger import Ledger
from airq_etl.pipeline.load import open_store
from airq_etl.pipeline.signals import stoppable
from airq_etl.results import Result
from airq_etl.settings import Settings

log = logging.getLogger(__name__)

LONGEST_S = 20.0


def mirror(settings: Settings, ledger: Ledger, result: Result) -> None:
    """Send the store the runs that it does not know, this one (which has ended) among them; never fails it.

    Where the run did not reach the store, a later one does so.
    """
    if result.store is None:
        return
    try:
        waiting = ledger_runs.to_mirror(ledger, result.store)
        with closing(open_store(settings, Lake(settings.data_dir), LONGEST_S)) as store:
            store.put(documents.RUNS, documents.runs(waiting, ledger.lake_id))
        with ledger.transaction() as db:
            ledger_runs.mark_mirrored(db, [run.run_id for run in waiting], result.store)
    except Exception as error:
        # Whatever it is: the run has done its work.
        log.warning("the record of this run was not sent to the store, the next run sends it: %s", error)
        log.debug("where it broke", exc_info=True)


def mirror_now(settings: Settings, result: Result) -> None:
    """The same, for a command that has let go of its ledger."""
    try:
        with stoppable(2 * LONGEST_S), Ledger(settings.data_dir) as ledger:
            mirror(settings, ledger, result)
    except StoreError as error:
        log.warning("the record of this run was not sent to the store, the next run sends it: %s", error)
