"""The command line: what stands before a command, and how each ends."""

import os
import signal
import sys
import threading
import traceback
from typing import Annotated

import typer

import airq_etl
from airq_etl import logs, options
from airq_etl.commands import export, ingest, sanity, simulate, status
from airq_etl.errors import AirqError, UsageError
from airq_etl.options import Common

FAREWELL_S = 10.0

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
    version: Annotated[  # noqa: ARG001 -- its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(UsageError.exit_code)
    ctx.obj = Common(env_file, data_dir, verbose, quiet, log_format, now)


for command in (
    *(ingest.run, ingest.extract, ingest.transform, ingest.load),
    *(sanity.sanity_check, status.status, export.export, simulate.simulate),
):
    app.command(command.__name__.replace("_", "-"))(command)


def main() -> None:
    """Run the command line; every failure is one line on stderr and an exit code, a traceback only with -v."""
    verbose = any(word in {"-v", "--verbose"} for word in sys.argv[1:])
    try:
        code = app(standalone_mode=False)
    except (AirqError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        code = _fail(message, error.exit_code, verbose=verbose)
    except typer.Abort:
        code = 130
    except BrokenPipeError:
        # Whoever read our output has gone, which is no failure of ours.
        code = 0
    except Exception as error:  # noqa: BLE001 -- the last resort
        code = _fail(f"this is a bug: {type(error).__name__}: {error} (-v shows where)", 1, verbose=verbose)
    _let_go_of_stdout()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        # One that looks up a name cannot be stopped; Python would wait for it.
        os._exit(code or 0)
    sys.exit(code)


def _let_go_of_stdout() -> None:
    """Drop what cannot be written: Python would try to flush it once more at its end, and complain."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int, *, verbose: bool) -> int:
    if hasattr(signal, "setitimer"):
        # Nobody may be reading any more; whatever there was to do is done.
        signal.signal(signal.SIGALRM, lambda *_: os._exit(code))
        signal.setitimer(signal.ITIMER_REAL, FAREWELL_S)
    if verbose:
        typer.echo(logs.REDACTION.hide(traceback.format_exc()), err=True)
    typer.echo(f"airq-etl: {logs.REDACTION.hide(' '.join(message.split()))}", err=True)
    return code
