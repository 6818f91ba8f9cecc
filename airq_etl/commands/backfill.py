"""backfill: the gaps that the source can still fill."""

from collections.abc import Callable
from typing import Annotated

import typer

from airq_etl import options
from airq_etl.commands import say
from airq_etl.commands.progress_bar import progress_bar
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
    with progress_bar(common, "backfill", "requests") as progress:
        done = run_backfill(settings, days, again=again, progress=progress)
    _show(common, done, lambda: backfill_text.backfill_text(done), as_json=as_json)
    raise typer.Exit(done.run.exit_code)


def _show(common: Common, result: object, text: Callable[[], str], *, as_json: bool) -> None:
    if as_json:
        import msgspec

        say(msgspec.json.encode(result).decode())
    elif not common.quiet:
        say(text())
