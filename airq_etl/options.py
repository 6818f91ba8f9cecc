"""The options that every command has, named once, and how they become settings."""

import functools
import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import typer

from airq_etl import logs
from airq_etl.env_file import env_file_is_open
from airq_etl.errors import UsageError
from airq_etl.settings import Settings, load, parse_time
from airq_etl.shards import parse_shard
from airq_etl.stations_file import parse_stations
from airq_etl.windows import Days

EnvFile = Annotated[Path | None, typer.Option(metavar="PATH", help="Read settings from this file, not ./.env.")]
DataDir = Annotated[Path | None, typer.Option(metavar="PATH", help="Where the data lie (AIRQ_DATA_DIR).")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more; show tracebacks.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless something is wrong.")]
LogFormat = Annotated[Literal["text", "json"] | None, typer.Option(help="How to log on stderr.")]
ShardOf = Annotated[
    str | None, typer.Option("--shard", metavar="I/N", help="Only share I of N of the stations, from 0 (AIRQ_SHARD).")
]
Now = Annotated[str | None, typer.Option(metavar="ISO", help="Pretend it is this time (UTC).")]

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
StationIds = Annotated[
    list[str] | None, typer.Option("--station", metavar="ID", help="Only this station; may be repeated.")
]
StartDate = Annotated[str | None, typer.Option(metavar="DATE", help="First day, like 2024-09-01; alone: from it on.")]
EndDate = Annotated[str | None, typer.Option(metavar="DATE", help="Last day, included.")]


class Common(NamedTuple):
    """The common options as given; None and False are not given."""

    env_file: Path | None = None
    data_dir: Path | None = None
    verbose: bool = False
    quiet: bool = False
    log_format: str | None = None
    now: str | None = None
    shard: str | None = None

    def over(self, other: "Common") -> "Common":
        """These, and where one is not given the other's."""
        return Common._make(mine or its for mine, its in zip(self, other, strict=True))


EARLIEST_DAY = date(2000, 1, 1)

COMMON: Mapping[str, Any] = {
    "env_file": EnvFile,
    "data_dir": DataDir,
    "verbose": Verbose,
    "quiet": Quiet,
    "log_format": LogFormat,
    "now": Now,
    "shard": ShardOf,
}

Command = TypeVar("Command", bound=Callable[..., Any])


def with_common(command: Command) -> Command:
    """Give a command the common options; it gets them as its parameter `common`, after those before the command."""

    @functools.wraps(command)
    def wrapper(ctx: typer.Context, **options: Any) -> Any:  # noqa: ANN401 -- whatever the command takes and gives
        own = Common(**{name: options.pop(name) for name in COMMON})
        common = own.over(ctx.obj or Common())
        logs.start(verbose=common.verbose, quiet=common.quiet, as_json=common.log_format == "json")
        return command(common=common, **options)

    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "common"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_default(name), annotation=kind)
        for name, kind in COMMON.items()
    ]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    wrapper.__signature__ = inspect.Signature([context, *keyword, *added])  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in (context, *keyword, *added)}
    return wrapper  # type: ignore[return-value]


def _default(name: str) -> bool | None:
    return False if name in {"verbose", "quiet"} else None


def given(common: Common) -> dict[str, Any]:
    """The settings that the common options give; None is not given."""
    shard = None if common.shard is None else parse_shard(common.shard, "--shard")
    now = None if common.now is None else parse_time(common.now, "--now")
    return {"data_dir": common.data_dir, "now": now, "shard": shard}


def settings(common: Common, **flags: Any) -> Settings:  # noqa: ANN401 -- a setting may be anything
    """The settings in force for a command; UsageError that names what is wrong."""
    in_force = load(given(common) | flags, env_file=common.env_file)
    if flags.get("stations") and not in_force.stations:
        raise UsageError(f"--station: none of these is of shard {in_force.shard} (--shard, AIRQ_SHARD)")
    logs.hide(in_force.secrets())
    if env_file_is_open(common.env_file) and in_force.secrets():
        logs.LOGGER.warning("others may read the secrets in %s; `chmod 600` it", common.env_file or ".env")
    return in_force


def listed(common: Common) -> tuple[int, ...]:
    """All stations of the settings, whatever --station says."""
    return load(given(common), env_file=common.env_file).stations


def stations(ids: list[str] | None) -> tuple[int, ...] | None:
    """The ids of --station, None where there are none."""
    try:
        return parse_stations(",".join(ids)) if ids else None
    except UsageError as error:
        raise UsageError(f"--station: {error}") from error


def days(start: str | None, end: str | None, now: datetime) -> Days | None:
    """The days of --start-date and --end-date; without an end they go on to now. None where both are missing."""
    if start is None and end is None:
        return None
    if start is None:
        raise UsageError(f"--end-date {end} needs a --start-date")
    # Somewhere it is tomorrow.
    latest = now.date() + timedelta(days=1)
    first, last = _day("--start-date", start), latest if end is None else _day("--end-date", end)
    if first > latest:
        raise UsageError(f"--start-date {first} is in the future")
    if first < EARLIEST_DAY:
        raise UsageError(f"--start-date {first}: no station is that old")
    if last > latest:
        raise UsageError(f"--end-date {last} is in the future")
    if last < first:
        raise UsageError(f"--end-date {last} is before --start-date {first}")
    return Days(first, last)


def _day(option: str, text: str | None) -> date:
    try:
        return datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise UsageError(f"{option}: {text!r} is not a day like 2024-09-01") from error
