"""Without the real API: the whole job against made-up stations, and the simulator by itself."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from airq_etl import forecast_text, ledger, summary
from airq_etl import settings as configuration
from airq_etl.errors import StoppedError, UsageError
from airq_etl.lake import DAILY, Lake
from airq_etl.pipeline.run import run_all
from airq_etl.pipeline.sanity import run_sanity_check
from airq_etl.pipeline.signals import stoppable
from airq_etl.results import Result
from airq_etl.settings import Settings
from airq_etl.simulator import Simulator

DEMO_NOW = "2026-09-09T10:20:00"
DAYS_SHOWN = 5
MARK = "demo"  # lies where a demo has been, so that none mixes with real data


def run_demo(data_dir: Path | None, now: str | None) -> tuple[Result, Callable[[Result], str]]:
    """The whole job, against a simulator on a free port, into a data directory of its own.

    It heeds no setting, and pretends a fixed time (unless told another), so that it prints the same everywhere.
    The second of the pair makes the text that it shows.
    """
    where = data_dir or configuration.default_data_dir(os.environ).with_name("airq-etl-demo")
    flags = {"data_dir": where, "now": now or DEMO_NOW}
    asked = configuration.build(flags)
    if (where / ledger.FILE).exists() and not (where / MARK).exists():
        raise UsageError(f"{where} holds data that no demo made; name another --data-dir")
    Lake(where).open()
    (where / MARK).touch()
    with Simulator(asked.stations, now=asked.clock) as simulator:
        settings = configuration.build(flags | {"api_url": simulator.url})
        result = run_all(settings, sanity_check=False)
    if result.exit_code == 0:
        # At all that there is, so that what is counted is what the command shows; and nobody is warned.
        result.findings = run_sanity_check(settings).counts

    def text(result: Result) -> str:
        kept = _short(settings.data_dir)
        days = Lake(settings.data_dir).read(DAILY)
        shown = days.sort("day").group_by("station_id", maintain_order=True).tail(DAYS_SHOWN).sort("station_id", "day")
        return "\n".join(
            (
                f"Made-up stations, as of {settings.clock():%Y-%m-%d %H:%M} UTC. Hours, by what came of them:",
                summary.hours_text(result, traffic=False),
                "",
                "Daily means, with the hours under each (valid with 18 of 24), as reported:",
                "a CO sensor whose zero has drifted reads below it.",
                summary.daily_text(shown, settings.min_hours),
                *_forecast_lines(result),
                "",
                f"Kept in {kept}; a table of it:",
                f"airq-etl export daily --data-dir {kept}",
                *_sanity_lines(result, kept),
            )
        )

    return result, text


def _forecast_lines(result: Result) -> list[str]:
    if not result.outlooks:
        return []
    said = "The next two hours, and in brackets what they lie within four times in five:"
    return ["", said, forecast_text.brief_text(result.outlooks)]


def _sanity_lines(result: Result, kept: str) -> list[str]:
    if not any(result.findings.values()):
        return []
    return [
        "",
        f"The sanity check finds {summary.counts_text(result.findings)} in it; to see them:",
        f"airq-etl sanity-check --now {result.started_at:%Y-%m-%dT%H:%M} \\",
        f"    --data-dir {kept}",
    ]


def _short(path: Path) -> str:
    home = Path("~").expanduser()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def simulate(  # noqa: PLR0913 -- as many as the simulator has traits
    settings: Settings,
    say: Callable[[str], None],
    *,
    port: int,
    captures: Path | None,
    auth: bool,
    token_seconds: int,
    latency_s: float,
) -> None:
    """Serve until SIGTERM or SIGINT; `say` is given the settings that lead to it, one a line."""
    try:
        simulator = Simulator(
            settings.stations,
            now=settings.clock,
            port=port,
            captures=captures,
            auth=auth,
            token_seconds=token_seconds,
            latency_s=latency_s,
        )
    except OSError as error:
        raise UsageError(f"port {port} cannot be used: {error.strerror}; --port 0 takes a free one") from error
    except ValueError as error:
        raise UsageError(str(error)) from error
    lines = {"AIRQ_API_URL": simulator.url}
    if auth:
        lines |= {
            "AIRQ_TOKEN_URL": simulator.token_url,
            "AIRQ_CLIENT_SECRET": simulator.client_secret,
            "AIRQ_REFRESH_TOKEN": simulator.refresh_token,
        }
    for name, value in lines.items():
        say(f"{name}={value}")

    with suppress(StoppedError), stoppable():
        simulator.serve()
