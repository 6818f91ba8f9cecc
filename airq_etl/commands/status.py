"""status: how the hourly job stands, and one run in full."""

import os
import signal
import time
from typing import TYPE_CHECKING, Annotated

import typer

from airq_etl import options
from airq_etl.commands import on_a_terminal, say
from airq_etl.errors import UsageError
from airq_etl.options import AsJson, Common, with_common

if TYPE_CHECKING:
    from airq_etl.settings import Settings
    from airq_etl.status_facts import Status

EVERY_S = 2.0


@with_common
def status(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="One run in full: its id, how that begins, or 'last'.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="With --watch: how often; 2 by default.", min=0.1, max=3600)
    ] = None,
    every_station: Annotated[bool, typer.Option("--all", help="All stations, not only the worst 20.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit code 4 where an error is open, or no run was good for too long.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what ran and how it went, each station's newest hour, and open alerts.

    Changes nothing, and works while a run is at work. With -q it prints nothing
    unless the exit code is 4 (--check).

    Example: airq-etl status --run last
    """
    _refuse_at_odds(run_id, every, watch=watch, check=check, as_json=as_json)
    settings = options.settings(common)
    if watch:
        _watch(settings, every or EVERY_S, all_stations=every_station)
        return
    if run_id is not None:
        _say_run(settings, run_id, as_json=as_json, all_stations=every_station)
        return
    from airq_etl.pipeline.status import standing

    stands = standing(settings)
    code = _exit_code(stands) if check else 0
    if as_json:
        import msgspec

        say(msgspec.json.encode(stands).decode())
    elif code or not common.quiet:
        say(_screen(stands, all_stations=every_station))
    raise typer.Exit(code)


def _exit_code(stands: "Status") -> int:
    from airq_etl.verdict import FAILED

    return FAILED if stands.unwell else 0


def _screen(stands: "Status", *, all_stations: bool) -> str:
    from airq_etl.status_view import status_text

    home = os.environ.get("HOME", "").rstrip("/")
    return status_text(stands, home=home, coloured=on_a_terminal(), all_stations=all_stations)


def _refuse_at_odds(run_id: str | None, every: float | None, *, watch: bool, check: bool, as_json: bool) -> None:
    if run_id is not None and (watch or check):
        raise UsageError("--run shows one run, and goes without --watch and --check")
    if watch and (as_json or check):
        raise UsageError("--watch shows a screen, and goes without --json and --check")
    if every is not None and not watch:
        raise UsageError("--every belongs to --watch")


def _say_run(settings: "Settings", run_id: str, *, as_json: bool, all_stations: bool) -> None:
    from airq_etl.pipeline.status import one_run

    run, names = one_run(settings, run_id)
    if as_json:
        import msgspec

        say(msgspec.json.encode(run).decode())
        return
    from airq_etl.run_view import run_text

    say(run_text(run, names, coloured=on_a_terminal(), all_stations=all_stations))


def _watch(settings: "Settings", every_s: float, *, all_stations: bool) -> None:
    """Draw until Ctrl-C; UsageError where there is nothing to draw on."""
    import rich.console
    import rich.live
    import rich.text

    console = rich.console.Console()
    if not console.is_terminal or console.is_dumb_terminal:
        raise UsageError("--watch needs a terminal; leave it out, and the screen is printed once")
    from airq_etl.pipeline.status import standing

    def drawn() -> rich.text.Text:
        return rich.text.Text.from_ansi(_screen(standing(settings), all_stations=all_stations))

    heard: list[int] = []

    def stop(number: int, _frame: object) -> None:
        # What is raised at an unlucky moment, as while garbage is collected, is lost; what was heard is not.
        heard.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        with rich.live.Live(drawn(), console=console, auto_refresh=False) as live:
            while not heard:
                time.sleep(every_s)
                live.update(drawn(), refresh=True)
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGINT, before)
