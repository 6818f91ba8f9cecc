"""Entries for schedulers: made, shown, and written into a directory."""

from importlib import import_module
from pathlib import Path

from airq_etl.errors import AirqError
from airq_etl.pipeline.output import write_whole
from airq_etl.schedule.plan import Entry, Plan

PRIVATE = 0o600


def entries(target: str, plan: Plan) -> list[Entry]:
    """The entries of a target: cron, systemd, windows, kubernetes, airflow or docker."""
    made: list[Entry] = import_module(f"airq_etl.schedule.{target}").entries(plan)
    return made


def entries_text(made: list[Entry]) -> str:
    """Entries to be looked at: one as it is, several each under its name."""
    if len(made) == 1:
        return made[0].text.removesuffix("\n")
    return "\n".join(f"# ---- {entry.name}\n{entry.text}" for entry in made).removesuffix("\n")


def write_entries(made: list[Entry], directory: Path) -> list[str]:
    """Write entries into a directory, made where it is not there; a line for each that says what came of it.

    What somebody may have edited is kept beside the new one, and what may be filled in with secrets is left alone.
    AirqError where one cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return [f"{directory / entry.name}: {_written(entry, directory / entry.name)}" for entry in made]
    except OSError as error:
        raise AirqError(f"{error.filename or directory} cannot be written: {error.strerror or error}") from error


def _written(entry: Entry, path: Path) -> str:
    content, said = entry.text.encode(), "written"
    if path.is_file():
        if path.read_bytes() == content:
            return "as it was"
        if entry.secret:
            return "left as it is, since it may hold your secrets; moved away, it is made anew"
        kept = path.with_name(f"{path.name}~")
        path.replace(kept)
        said = f"written; what was there is {kept.name}"
    write_whole(path, [content])
    if entry.secret:
        path.chmod(PRIVATE)
    return said
