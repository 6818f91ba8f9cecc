"""systemd: a service that runs once, and a timer that starts it."""

import re
from pathlib import Path

from airq_etl.errors import UsageError
from airq_etl.schedule.plan import Entry, Plan
from airq_etl.schedule.template import render

STATE = Path("/var/lib")
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 -- where nothing of ours is put
STOP_S = 30
_NOT_OF_A_PROGRAM = set("\"'\\")
_PLAIN = re.compile(r"[\w@+=:,./-]+", re.ASCII)


def entries(plan: Plan) -> list[Entry]:
    """`NAME.service` and `NAME.timer`, for /etc/systemd/system. UsageError for a path that systemd does not take."""
    in_state = is_made(plan.data_dir)
    values = {
        "plan": plan,
        "exec_start": _exec_start(plan),
        "credential": _credential(plan),
        "state": quoted(str(plan.data_dir.relative_to(STATE))) if in_state else None,
        "dynamic": is_made_up(plan),
        "writable": [quoted(path) for path in _writable(plan, in_state=in_state)],
        "at_home": _is_any_in(_needed(plan), HOMES),
        "in_tmp": _is_any_in(_needed(plan), TEMPORARY),
        "timeout_s": plan.ended_s,
        "stop_s": STOP_S,
        "calendar": _calendar(plan),
    }
    return [Entry(f"{plan.name}.{kind}", render(f"systemd.{kind}", quoted, **values)) for kind in ("service", "timer")]


def is_made(data_dir: Path) -> bool:
    """Whether systemd makes the directory: one in its own for what is kept."""
    return data_dir != STATE and data_dir.is_relative_to(STATE)


def is_made_up(plan: Plan) -> bool:
    """Whether systemd makes a user up, who owns the data: where it would be root, and systemd makes the directory."""
    return is_made(plan.data_dir) and plan.user == "root"


def quoted(word: object) -> str:
    """A word as unit files have it: in quotes where it needs them, with no specifier in it."""
    text = str(word).replace("%", "%%")
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _exec_start(plan: Plan) -> str:
    program, *words = plan.words()
    if set(program) & _NOT_OF_A_PROGRAM:
        raise UsageError(f"{program}: systemd starts no program with a quote or a backslash in its path; rename it")
    line = [word.replace("$", "$$") for word in words]
    given = [quoted(word) for word in line]
    if plan.env_file is not None:
        given[line.index("--env-file") + 1] = "${CREDENTIALS_DIRECTORY}/" + _credential_name(plan)
    # No variable is looked for in the path of the program.
    return " ".join([quoted(program), *given])


def _credential_name(plan: Plan) -> str:
    return f"{plan.name}.env"


def _credential(plan: Plan) -> str | None:
    """The env file as a credential: read by systemd, and seen by the service alone. Its path takes no quotes."""
    if plan.env_file is None:
        return None
    return f"{_credential_name(plan)}:{str(plan.env_file).replace('%', '%%')}"


def _writable(plan: Plan, *, in_state: bool) -> list[Path]:
    """The directories besides the state directory that a run writes into."""
    found = [] if in_state else [plan.data_dir]
    return list(dict.fromkeys([*found, *(path.parent for path in plan.writes)]))


def _needed(plan: Plan) -> list[Path]:
    """What must be there for the service to start."""
    return [
        Path(plan.program[0]),
        Path(plan.python),
        plan.data_dir,
        *plan.reads,
        *(path.parent for path in plan.writes),
    ]


def _is_any_in(paths: list[Path], places: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(place) for path in paths for place in places)


def _calendar(plan: Plan) -> str:
    hours = {1: "*", 24: "00"}.get(plan.every, f"00/{plan.every}")
    return f"*-*-* {hours}:{plan.minute:02}:00 UTC"
