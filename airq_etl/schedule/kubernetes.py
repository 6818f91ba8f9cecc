"""Kubernetes: a CronJob, and what it reads and writes; for thousands of stations an Indexed Job, a share a pod."""

import math
import shlex
from pathlib import Path

from airq_etl.errors import UsageError
from airq_etl.schedule.needs import first_mib, storage_gib, usual_mib
from airq_etl.schedule.plan import Entry, Plan
from airq_etl.schedule.template import render
from airq_etl.schedule.yaml_text import quoted

MOST_OBJECT_BYTES = 1 << 20
MOST_VALUE_BYTES = (1 << 17) - 1
"""Linux takes no longer text in an environment, with the name before it."""
OLDEST = "1.29"
"""The Kubernetes that has all that the manifest asks for, by itself and in its schemas."""
PULLED_S = 300
"""Beside the run's own deadline: a pod is found a place, its image pulled, its volume attached."""
# Where nothing says which secrets there are: without credentials the API gives no token.
USUAL_SECRETS = ("AIRQ_CLIENT_SECRET", "AIRQ_REFRESH_TOKEN")
STORE = "AIRQ_MONGODB_URI"
# What the pod has of its own; a metrics file would lie where nobody scrapes it.
OF_THE_HOST = {"AIRQ_METRICS_FILE"}


def entries(plan: Plan) -> list[Entry]:
    """The manifest, and the Secret that is filled in and applied once."""
    if plan.shards > 1 and not plan.has_mongodb:
        raise UsageError(f"--shards {plan.shards}: shares meet in one MongoDB; set {STORE}")
    settings = {name: text for name, text in plan.settings.items() if name not in OF_THE_HOST}
    _refuse_long(plan, settings)
    of_a_pod = math.ceil(plan.station_count / plan.shards)
    values = {
        "plan": plan,
        "settings": settings,
        "left_out": sorted(OF_THE_HOST & plan.settings.keys()),
        "args": arguments(plan),
        "starting_s": plan.every * 3600 // 2,
        "active_s": math.ceil(plan.deadline_s) + PULLED_S,
        "usual_mib": usual_mib(of_a_pod),
        "first_mib": first_mib(of_a_pod),
        "storage_gib": storage_gib(plan.station_count),
        "oldest": OLDEST,
        "secrets": plan.secrets or USUAL_SECRETS,
        "env_file": _in_a_comment(plan.env_file),
    }
    return [
        Entry(f"{plan.name}.yaml", render("kubernetes.yaml", quoted, **values)),
        Entry(f"{plan.name}-secret.yaml", render("kubernetes-secret.yaml", quoted, **values), secret=True),
    ]


def arguments(plan: Plan) -> list[str]:
    """The words after `airq-etl`; Kubernetes puts a pod's index in, as it does nowhere but in a command."""
    if plan.shards == 1:
        return ["run", "-q"]
    index = "$(JOB_COMPLETION_INDEX)"
    # Of a number of shares the directories do not tell, so that one more leaves the others theirs.
    return ["run", "--shard", f"{index}/{plan.shards}", "--data-dir", f"/data/shard-{index}", "-q"]


def _in_a_comment(path: Path | None) -> str | None:
    """A path as a word for the shell; None where it is none, or would end the comment."""
    return shlex.quote(str(path)) if path is not None and str(path).isprintable() else None


def _refuse_long(plan: Plan, settings: dict[str, str]) -> None:
    """UsageError for what no ConfigMap, or no environment, can hold."""
    for name, text in settings.items():
        if len(f"{name}={text}".encode()) > MOST_VALUE_BYTES:
            remedy = "; list them in AIRQ_STATIONS_FILE" if name == "AIRQ_STATIONS" else ""
            raise UsageError(f"{name} is longer than an environment can hold (128 KiB){remedy}")
    size = len((plan.stations_file or "").encode())
    if size > MOST_OBJECT_BYTES:
        raise UsageError(
            f"AIRQ_STATIONS_FILE has {size:,} bytes, and a ConfigMap holds 1,048,576; "
            "leave out what the API says by itself, or split it over several --name"
        )
