"""The commands: each takes options, asks for settings, calls the pipeline once, and ends with its result."""

import os
import sys
from typing import TYPE_CHECKING

import typer

from airq_etl.errors import AirqError
from airq_etl.options import Common

if TYPE_CHECKING:
    from collections.abc import Callable

    from airq_etl.results import Result


def end(
    common: Common,
    result: "Result",
    as_json: bool,  # noqa: FBT001 -- the flag that was given
    text: "Callable[[Result], str] | None" = None,
) -> None:
    """Print a result, and exit with its code."""
    if as_json:
        import msgspec

        say(msgspec.json.encode(result).decode())
    elif not common.quiet:
        from airq_etl.summary import result_text

        say((text or result_text)(result))
    raise typer.Exit(result.exit_code)


def say(text: str) -> None:
    """Print a result; AirqError where standard output cannot be written."""
    try:
        typer.echo(text)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError as error:
        # Without its number: typer would end the process by itself.
        raise BrokenPipeError from error
    except OSError as error:
        raise AirqError(f"standard output cannot be written: {error.strerror}") from error


def on_a_terminal() -> bool:
    """Whether colours are wanted: on a terminal that has them, unless NO_COLOR is set (https://no-color.org)."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
