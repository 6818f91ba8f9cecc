"""schedule: a ready entry for what is to start airq-etl."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from airq_etl import options
from airq_etl.commands import say
from airq_etl.errors import UsageError
from airq_etl.options import Common, with_common
from airq_etl.shards import MOST

Target = Literal["cron", "systemd", "windows", "kubernetes", "airflow", "docker"]
BELONGS = {
    "install": {"cron"},
    "remove": {"cron"},
    "yes": {"cron"},
    "mail_to": {"cron"},
    "log_file": {"cron"},
    "user": {"systemd", "windows"},
    "shards": {"kubernetes", "airflow"},
    "image": {"kubernetes", "docker"},
}
"""Options that not every target takes, and which do."""


@with_common
def schedule(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    target: Annotated[Target, typer.Argument(help="What is to start it.", show_default=False)],
    every: Annotated[str, typer.Option(metavar="HOURS", help="Hours between runs: 1, 2, 3, 4, 6, 8, 12 or 24.")] = "1",
    minute: Annotated[
        int, typer.Option(help="The minute of the hour; not 0, when the last hour is still filling.", min=0, max=59)
    ] = 17,
    name: Annotated[str, typer.Option(help="What the entry is called; a second one needs another.")] = "airq-etl",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write the files into this directory.")
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="cron: put it into your crontab.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="cron: take it out of your crontab.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="cron: change the crontab without asking.")] = False,
    mail_to: Annotated[str | None, typer.Option(help="cron: who is mailed what a run prints.")] = None,
    log_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="cron: log into this file (JSON lines), and mail nothing.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="systemd, windows: who runs it; you by default.")] = None,
    shards: Annotated[
        int | None,
        typer.Option(help="kubernetes, airflow: into so many shares the stations are split.", min=1, max=MOST),
    ] = None,
    image: Annotated[str | None, typer.Option(help="kubernetes, docker: the image.")] = None,
) -> None:
    """Print a ready entry for cron, systemd, Windows, Kubernetes, Airflow or Docker.

    It has this installation's paths, the env file and the data directory. cron
    can install it: shown first, asked for on a terminal, twice is once.

    Example: airq-etl schedule cron --env-file /etc/airq-etl.env --install
    """
    from airq_etl.pipeline.entries import entries, entries_text, write_entries
    from airq_etl.pipeline.scheduling import plan_of

    log_file = log_file and log_file.absolute()
    wanted = {"mail_to": mail_to, "log_file": log_file, "user": user, "shards": shards, "image": image}
    switches = {"install": install or None, "remove": remove or None, "yes": yes or None}
    _refuse_foreign(target, wanted | switches)
    if install and remove:
        raise UsageError("--install and --remove do not go together")
    if yes and not (install or remove):
        raise UsageError("--yes belongs to --install and --remove")
    if output and (install or remove):
        raise UsageError("-o writes a file; --install and --remove change your crontab")
    if remove:
        _change(common, None, name, ask=not yes)
        return
    settings = options.settings(common)
    given = {"name": name, "minute": _minute(minute), "every": _every(every)}
    given |= {key: value for key, value in wanted.items() if value is not None}
    plan = plan_of(target, settings, options.given(common), common.env_file, **given)
    made = entries(target, plan)
    if install:
        _change(common, made[0].text, name, ask=not yes)
    elif output is None or str(output) == "-":
        say(entries_text(made))
    else:
        said = write_entries(made, output)
        if not common.quiet:
            say("\n".join(said))


def _refuse_foreign(target: Target, given: dict[str, Any]) -> None:
    """UsageError for an option that the target does not take."""
    for name, value in given.items():
        if value is not None and target not in BELONGS[name]:
            option = "--" + name.replace("_", "-")
            raise UsageError(f"{option} is of {' and '.join(sorted(BELONGS[name]))}, not of {target}")


def _minute(minute: int) -> int:
    if minute == 0:
        raise UsageError("--minute 0: the hour that has just ended is still filling then; 1 to 59 will do")
    return minute


def _every(text: str) -> int:
    from airq_etl.schedule.plan import EVERY

    hours = text.removesuffix("h")
    if hours not in set(map(str, EVERY)):
        listed = ", ".join(map(str, EVERY))
        raise UsageError(f"--every {text}: hours of which a day has a whole number: {listed}")
    return int(hours)


def _change(common: Common, block: str | None, name: str, *, ask: bool) -> None:
    """Put a block into the user's crontab, or take it out; show the difference first, and ask on a terminal."""
    import sys

    from airq_etl.pipeline import crontab

    before, after = crontab.changed(block, name)
    if before == after:
        if not common.quiet:
            held = "has no block" if block is None else "has this very block"
            say(f"your crontab {held} of {name}; nothing was changed")
        return
    if not common.quiet:
        say(crontab.difference(before, after))
    ask = ask and sys.stdin is not None and sys.stdin.isatty()
    if ask and not typer.confirm("Change your crontab so?", err=True):
        say("nothing was changed")
        return
    crontab.install(after)
    if not common.quiet:
        say("your crontab was changed")
