"""The runs of airq-etl: when, how they went, how long they took."""

from airq_etl.superset.dataset import Dataset, Measure, columns
from airq_etl.superset.source import Source


def dataset(source: Source) -> Dataset:
    """A row a run that is recorded; whoever reads the ledger sees also those that never reached the store."""
    sql = f"""\
select run, command, state, exit_code, substr(started_at, 1, 19) as started_at, duration_s,
       coalesce(message, '') as message
from ({source.runs}) as recorded"""
    return Dataset(
        "runs",
        "A row a run of airq-etl: when it started (UTC), how it ended, how long it took.",
        sql,
        columns(
            {
                "run": ("text", "Run"),
                "command": ("text", "Command"),
                "state": ("text", "State"),
                "exit_code": ("number", "Exit code"),
                "started_at": ("time", "Started (UTC)"),
                "duration_s": ("number", "Took, s"),
                "message": ("text", "Message"),
            }
        ),
        (
            Measure("runs", "COUNT(*)", "Runs", ",d"),
            Measure("longest_s", "MAX(duration_s)", "Longest, s", ",.1f"),
            Measure("code", "MAX(exit_code)", "Exit code", ",d"),
        ),
        source.runs_in,
        "started_at",
    )
