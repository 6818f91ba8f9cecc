"""sanity-check: what is stored, and whether it makes sense."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from airq_etl import options
from airq_etl.commands import on_a_terminal, say
from airq_etl.errors import UsageError
from airq_etl.options import AsJson, Common, EndDate, StartDate, StationIds, with_common


@with_common
def sanity_check(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    station: StationIds = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    fail_on: Annotated[
        Literal["error", "warning"], typer.Option(help="From which severity on the exit code is 4.")
    ] = "error",
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML too, a test case a check.")
    ] = None,
    list_checks: Annotated[
        bool, typer.Option("--list", help="Say what each check is, its threshold and its source.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check what is stored, in the tables and in the store, and name what makes no sense.

    Exit code 4 where there is an error (or a warning, with --fail-on warning).
    Nothing is changed. With -q it prints nothing unless the exit code is 4.

    Example: airq-etl sanity-check --station 283164601 --start-date 2024-09-01
    """
    if list_checks:
        if station or start_date or end_date or junit:
            raise UsageError("--list goes by itself, or with --json: it looks at no data")
        _say_checks(as_json=as_json)
        return
    if junit is not None and not junit.parent.is_dir():
        raise UsageError(f"--junit {junit}: there is no directory {junit.parent}")
    if junit is not None and junit.is_dir():
        raise UsageError(f"--junit {junit}: it is a directory")
    from airq_etl.pipeline.output import write_whole
    from airq_etl.pipeline.sanity import run_sanity_check

    settings = options.settings(common)
    days = options.days(start_date, end_date, settings.clock())
    verdict = run_sanity_check(settings, days, options.stations(station) or (), fail_on)
    if junit is not None:
        from airq_etl.junit import junit as as_junit

        write_whole(junit, [as_junit(verdict)])
    if as_json:
        import msgspec

        say(msgspec.json.encode(verdict).decode())
    elif verdict.exit_code or not common.quiet:
        from airq_etl.findings_text import verdict_text

        say(verdict_text(verdict, coloured=on_a_terminal(), failing_only=common.quiet))
    raise typer.Exit(verdict.exit_code)


def _say_checks(*, as_json: bool) -> None:
    from airq_etl.sanity.checks import CHECKS

    if as_json:
        import msgspec

        kinds = ("name", "what", "threshold", "source")
        say(msgspec.json.encode([{kind: getattr(check, kind) for kind in kinds} for check in CHECKS]).decode())
        return
    from airq_etl.findings_text import checks_text

    say(checks_text(CHECKS))
