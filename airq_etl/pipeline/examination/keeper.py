"""The store: reached, written and read back, and how much waits for it."""

from airq_etl import ledger
from airq_etl.checkup import Remark, failure
from airq_etl.documents import LAYOUT
from airq_etl.errors import AirqError
from airq_etl.lake import Lake
from airq_etl.ledger import Ledger
from airq_etl.pipeline.examination.place import layout
from airq_etl.pipeline.job import Job, begun
from airq_etl.pipeline.load import EMBEDDED, due_days, open_store
from airq_etl.sanity.wording import many
from airq_etl.settings import Settings
from airq_etl.store import Store, probe

LIMIT_S = 15.0


def look_at_store(settings: Settings, lake: Lake, *, at_work: bool, usable: bool) -> list[Remark]:
    """Whether the store keeps what is written to it; `at_work` is a run that may hold it, `usable` the directory."""
    embedded = settings.mongodb_uri is None
    if embedded and not usable:
        return [Remark("store", "skipped", "the embedded store lies in the data directory")]
    try:
        if embedded and (waits := _not_to_be_opened(lake)):
            return [Remark("store", "ok", waits)]
        store = open_store(settings, lake, LIMIT_S)
        try:
            return [_examined(settings, lake, store, probing=not (embedded and at_work), usable=usable)]
        finally:
            store.close()
    except AirqError as error:
        return [failure("store", error, "see its permissions")]


def _not_to_be_opened(lake: Lake) -> str | None:
    """What to say of an embedded store that opening would make, or bring up to date."""
    path = lake.root / EMBEDDED
    found = layout(path, "move it away, and the next load makes it again")
    if found is None:
        return f"embedded store {path}: not there yet; the first load makes it"
    return None if found >= LAYOUT else f"embedded store {path}: the next load brings it up to layout {LAYOUT}"


def _examined(settings: Settings, lake: Lake, store: Store, *, probing: bool, usable: bool) -> Remark:
    if probing:
        probe(store)
    done = "written to and read back" if probing else "not written to, while a run is at work"
    return Remark("store", "ok", f"{store.name}: {done}; {_waiting(settings, lake, store, usable=usable)}")


def _waiting(settings: Settings, lake: Lake, store: Store, *, usable: bool) -> str:
    if not usable or layout(lake.root / ledger.FILE, ledger.REMEDY) != ledger.LAYOUT:
        return "nothing is known of what waits for a load"
    with Ledger(lake.root) as known:
        work = Job(settings, lake, known, begun(settings, "doctor"), 0.0)
        days = len(due_days(work, store.mark(known.lake_id)))
    return f"{many(days, 'day')} {'waits' if days == 1 else 'wait'} for a load" if days else "up to date"
