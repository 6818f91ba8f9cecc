"""simulate: a local AirQino."""

from pathlib import Path
from typing import Annotated

import typer

from airq_etl import options
from airq_etl.commands import say
from airq_etl.options import Common, StationIds, with_common


@with_common
def simulate(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    station: StationIds = None,
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8600,
    captures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Play saved payloads (ID_*.json, also .gz) back.")
    ] = None,
    auth: Annotated[bool, typer.Option("--auth", help="Want a token, as the real API does.")] = False,
    token_seconds: Annotated[int, typer.Option(help="How long a token lives.", min=1)] = 60,
    latency_ms: Annotated[int, typer.Option(help="Wait so long before each answer.", min=0)] = 0,
) -> None:
    """Be a local AirQino: made-up stations, or saved payloads as of --now.

    Prints the settings that lead to it, in the manner of an env file, and serves
    until it is stopped. It answers as of --now: start it again where that of the
    runs moves on.

    Example: airq-etl simulate --port 8600 --auth
    """
    from airq_etl.pipeline.demo import simulate as serve

    serve(
        options.settings(common, stations=options.stations(station)),
        say,
        port=port,
        captures=captures,
        auth=auth,
        token_seconds=token_seconds,
        latency_s=latency_ms / 1000,
    )
