"""doctor: whether it is set up right."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from airq_etl import logs, options
from airq_etl.commands import on_a_terminal, say
from airq_etl.options import AsJson, Common, with_common


@with_common
def doctor(
    common: Common,
    *,
    no_cron: Annotated[bool, typer.Option("--no-cron", help="Do not look at what cron would find.")] = False,
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Send a test message to each of AIRQ_ALERT_URLS.")
    ] = False,
    only_with: Annotated[Path | None, typer.Option(hidden=True)] = None,
    as_json: AsJson = False,
) -> None:
    """Check settings, credentials, API, store, disk and cron, and say what to do.

    Exit code 2 where something failed. No data are changed, and it may be used
    while a run is at work. With -q it prints only what is not well.

    Example: airq-etl doctor --env-file /etc/airq-etl.env
    """
    from airq_etl.doctor_text import checkup_text
    from airq_etl.pipeline.doctor import examine

    if not common.verbose:
        # What is worth a warning stands in what is printed.
        logs.LOGGER.setLevel(logging.CRITICAL)
    flags = options.given(common)
    checkup = examine(flags, common.env_file, with_cron=not no_cron, send_test=send_test, only_with=only_with)
    if as_json:
        import msgspec

        say(msgspec.json.encode(checkup).decode())
    elif text := checkup_text(checkup, coloured=on_a_terminal(), failing_only=common.quiet):
        say(text)
    raise typer.Exit(checkup.exit_code)
