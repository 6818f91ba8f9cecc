"""Tables of many station-years, made once by airq-etl itself and kept: making them takes longer than measuring."""

import hashlib
from pathlib import Path

import filelock

import airq_etl
from tests.bench import made_up_years
from tests.bench.directories import Directory
from tests.bench.made_up_years import NOW
from tests.bench.served import source
from tests.mongo import CACHE

PACKAGE = Path(airq_etl.__file__).parent
FORM = (
    *("synthetic.py", "capture.py", "captures.py", "payload.py", "hourly.py", "lake.py", "seal.py", "quality.py"),
    *("daily.py", "ledger.py", "ledger_layout.py", "documents.py", "pipeline/transform.py", "pipeline/days.py"),
)
"""What decides how the tables look; where any of it changes they are made anew."""
MAKE_S = 7200


def tables(count: int, beside: Path) -> Directory:
    """A data directory with a year of each of so many stations, extracted and transformed up to NOW."""
    digest = hashlib.sha256(b"".join((PACKAGE / name).read_bytes() for name in FORM if (PACKAGE / name).exists()))
    kept = CACHE / f"bench-tables-{digest.hexdigest()[:16]}"
    kept.mkdir(parents=True, exist_ok=True)
    made = kept / f"{count}.made"
    with filelock.FileLock(kept / f"{count}.lock", timeout=MAKE_S):
        directory = Directory(kept / str(count), count, "http://127.0.0.1:9")
        if not made.exists():
            made_up_years.make(made_up_years.kept(), range(1, count + 1))
            with source(beside, count, latency_s=0) as served:
                directory("extract", now=NOW, API_URL=served.url)
            directory("transform", now=NOW)
            made.touch()
    return directory
