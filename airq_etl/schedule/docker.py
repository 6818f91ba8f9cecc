"""Docker: an image, and a compose file with the scheduler and its MongoDB."""

from pathlib import Path

from airq_etl import __version__
from airq_etl.env_file import read_env_file
from airq_etl.errors import UsageError
from airq_etl.schedule.needs import first_mib
from airq_etl.schedule.plan import Entry, Plan
from airq_etl.schedule.template import render
from airq_etl.schedule.yaml_text import quoted

MOST_NAMED = 3
# What is elsewhere in a container; what is empty counts as not set.
STATIONS, METRICS = "/etc/airq-etl/stations.toml", "/metrics"


def entries(plan: Plan) -> list[Entry]:
    """What lies in a clone of the project to build the image, and to start it."""
    if plan.env_file is not None:
        _refuse_unlike(plan.env_file)
    values = {
        "plan": plan,
        "version": __version__,
        "memory_mib": first_mib(plan.station_count),
        "environment": _environment(plan),
        "stations_file": plan.reads[0] if plan.reads else None,
        "metrics_dir": plan.writes[0].parent if plan.writes else None,
    }
    return [
        Entry("Dockerfile", render("Dockerfile", str, **values)),
        Entry(".dockerignore", render("dockerignore", str)),
        Entry("compose.yaml", render("compose.yaml", _quoted, **values, stations=STATIONS, metrics=METRICS)),
        Entry("hourly.sh", render("hourly.sh", str, **values)),
    ]


def _environment(plan: Plan) -> dict[str, str]:
    """The settings that differ in the container; where no env file is, all that are known."""
    settings = {} if plan.env_file is not None else dict(plan.settings)
    settings["AIRQ_DATA_DIR"] = "/data"
    if not plan.has_mongodb:
        settings["AIRQ_MONGODB_URI"] = "mongodb://mongodb:27017/air_quality"
    if plan.reads:
        settings["AIRQ_STATIONS_FILE"] = STATIONS
    if plan.writes:
        settings["AIRQ_METRICS_FILE"] = f"{METRICS}/{plan.writes[0].name}"
    return settings


def _quoted(value: object) -> str:
    """A value for a compose file, where a dollar sign begins a variable."""
    return quoted(value).replace("$", "$$")


def _refuse_unlike(env_file: Path) -> None:
    """UsageError where Docker, which takes each line as it is, would read other values in an env file."""
    ours, docker = read_env_file(env_file), _lines(env_file)
    unlike = sorted(
        name for name in ours | docker if ours.get(name) != docker.get(name) or name != "".join(name.split())
    )
    if unlike:
        more = f" and {len(unlike) - MOST_NAMED} more" if len(unlike) > MOST_NAMED else ""
        raise UsageError(
            f"{env_file}: Docker would read {', '.join(unlike[:MOST_NAMED])}{more} otherwise; "
            "write NAME=value without quotes, `export`, and comments behind it"
        )


def _lines(env_file: Path) -> dict[str, str]:
    """The lines of an env file as Docker takes them."""
    lines = (line.lstrip() for line in env_file.read_text(encoding="utf-8-sig").split("\n"))
    pairs = (line.removesuffix("\r").partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, equals, value in pairs if equals}
