"""How far a long command is, for who looks at a terminal."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airq_etl import logs
from airq_etl.options import Common


@contextmanager
def progress_bar(common: Common, command: str, what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr, told how many are done and how many there are of `what`; None where nobody would look at it."""
    wanted = not common.quiet and common.log_format != "json"
    if not wanted or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn(command), BarColumn(), MofNCompleteColumn(), TextColumn(what), TimeRemainingColumn()
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
