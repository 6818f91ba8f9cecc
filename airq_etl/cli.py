"""The command line: what stands before a command, and how each ends."""

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import typer

import airq_etl
from airq_etl import logs, options
from airq_etl.commands import backfill, doctor, export, forecast, ingest, report, sanity, schedule, simulate, status
from airq_etl.errors import AirqError, UsageError
from airq_etl.options import Common

FAREWELL_S = 10.0
OBJECTS_AT_ONCE = 50_000
"""New objects after which Python looks for rings of garbage; its own 700 (2,000) make looking a tenth of a run."""

app = typer.Typer(
    add_completion=False,
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    help="Keep every hour of AirQino stations, and their daily means with what lies under them.\n\n"
    "Begin with: airq-etl run --demo",
)


def _version(wanted: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if wanted:
        typer.echo(f"airq-etl {airq_etl.__version__}")
        raise typer.Exit


@app.callback()
def _before(  # noqa: PLR0913 -- the common options
    ctx: typer.Context,
    *,
    env_file: options.EnvFile = None,
    data_dir: options.DataDir = None,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    log_format: options.LogFormat = None,
    now: options.Now = None,
    shard: options.ShardOf = None,
    version: Annotated[  # noqa: ARG001 -- its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if ctx.invoked_subcommand is None:
        if log_format == "json":
            raise UsageError("no command was given; airq-etl --help lists them")
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(UsageError.exit_code)
    ctx.obj = Common(env_file, data_dir, verbose, quiet, log_format, now, shard)


for command in (
    *(ingest.run, ingest.extract, ingest.transform, ingest.load),
    *(sanity.sanity_check, forecast.forecast, report.report, status.status, backfill.backfill),
    *(doctor.doctor, export.export, schedule.schedule, simulate.simulate),
):
    app.command(command.__name__.replace("_", "-"))(command)


def main() -> None:
    """Run the command line; every failure is one line on stderr and an exit code, a traceback only with -v."""
    gc.set_threshold(OBJECTS_AT_ONCE, *gc.get_threshold()[1:])
    verbose, as_json = _asked_for(sys.argv[1:])
    logs.start(verbose=verbose, quiet=False, as_json=as_json)
    try:
        code = app(standalone_mode=False)
    except (AirqError, typer.TyperException) as error:
        message = _said_by_typer(error) if isinstance(error, typer.TyperException) else str(error)
        code = _fail(message, error.exit_code, verbose=verbose, as_json=as_json)
    except typer.Abort:
        code = 130
    except BrokenPipeError:
        # Whoever read our output has gone, which is no failure of ours.
        code = 0
    except Exception as error:  # noqa: BLE001 -- the last resort
        message = f"this is a bug: {type(error).__name__}: {error} (-v shows where)"
        code = _fail(message, 1, verbose=verbose, as_json=as_json)
    _let_go_of_stdout()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        # One that looks up a name cannot be stopped; Python would wait for it.
        os._exit(code or 0)
    sys.exit(code)


def _said_by_typer(error: typer.TyperException) -> str:
    """Its message without what pydantic, which typer asks, begins it with."""
    return error.format_message().replace(": Value error, ", ": ")


def _asked_for(words: Sequence[str]) -> tuple[bool, bool]:
    """Whether to say more, and whether in JSON: known before typer reads the words, which may fail."""
    as_json = "--log-format=json" in words or ("--log-format", "json") in pairwise(words)
    return any(word in {"-v", "--verbose"} for word in words), as_json


def _let_go_of_stdout() -> None:
    """Drop what cannot be written: Python would try to flush it once more at its end, and complain."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int, *, verbose: bool, as_json: bool) -> int:
    if hasattr(signal, "setitimer"):
        # Nobody may be reading any more; whatever there was to do is done.
        signal.signal(signal.SIGALRM, lambda *_: os._exit(code))
        signal.setitimer(signal.ITIMER_REAL, FAREWELL_S)
    if as_json:
        logs.last_words(message, code)
        return code
    if verbose:
        typer.echo(logs.REDACTION.hide(traceback.format_exc()), err=True)
    typer.echo(f"airq-etl: {' '.join(logs.REDACTION.hide(message).split())}", err=True)
    return code
