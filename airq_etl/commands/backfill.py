"""backfill: the gaps that the source can still fill."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from airq_etl import logs, options
from airq_etl.commands import say
from airq_etl.options import AsJson, Common, EndDate, StartDate, StationIds, with_common


@with_common
def backfill(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    station: StationIds = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be asked for; ask nothing, change nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Ask also for what the source was asked for and did not give.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find the missing hours that the source still has, and ask for them.

    What an interruption leaves is taken up by the next backfill.

    Example: airq-etl backfill --dry-run
    """
    from airq_etl import backfill_text
    from airq_etl.pipeline.backfill import look_ahead, run_backfill

    settings = options.settings(common, stations=options.stations(station))
    days = options.days(start_date, end_date, settings.clock())
    if dry_run:
        outlook = look_ahead(settings, days, again=again)
        _show(common, outlook, lambda: backfill_text.outlook_text(outlook), as_json=as_json)
        return
    with _bar(wanted=not common.quiet and common.log_format != "json") as progress:
        done = run_backfill(settings, days, again=again, progress=progress)
    _show(common, done, lambda: backfill_text.backfill_text(done), as_json=as_json)
    raise typer.Exit(done.run.exit_code)


def _show(common: Common, result: object, text: Callable[[], str], *, as_json: bool) -> None:
    if as_json:
        import msgspec

        say(msgspec.json.encode(result).decode())
    elif not common.quiet:
        say(text())


@contextmanager
def _bar(*, wanted: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on stderr where that is a terminal, told of requests done and requests in all; else None."""
    if not wanted or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("backfill"), BarColumn(), MofNCompleteColumn(), TextColumn("requests"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar, _log_above():
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _log_above() -> Iterator[None]:
    """Have what is logged written above the bar: rich stands in for stderr while it shows one."""
    handlers = [handler for handler in logs.LOGGER.handlers if isinstance(handler, logging.StreamHandler)]
    before = [handler.stream for handler in handlers]
    for handler in handlers:
        handler.setStream(sys.stderr)
    try:
        yield
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            handler.setStream(stream)
