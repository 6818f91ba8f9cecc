"""What would go wrong once an entry is in use, as far as it can be seen from here."""

import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from airq_etl.checkup import named
from airq_etl.schedule.plan import Plan
from airq_etl.schedule.systemd import STATE, is_made, is_made_up
from airq_etl.settings import Settings

SPARE_S = 300
READ, WRITE, ENTER = 4, 2, 1


def foreseen(target: str, plan: Plan, settings: Settings, shell: Collection[str]) -> Iterator[str]:
    """A line for each thing, with what to do; `shell` are the settings that come from the environment alone."""
    # What comes from the shell stands in a manifest.
    told = [name for name in shell if name != "AIRQ_DATA_DIR"] if target != "kubernetes" else []
    if told:
        yield f"{named(told)}: from your shell, which a scheduler does not have; put it into the env file"
    if settings.now is not None:
        yield "AIRQ_NOW is set: every run would take it to be that time; it is for replays"
    if 0 < settings.alert_overdue_h <= plan.every:
        yield f"every {plan.every} h is rarer than AIRQ_ALERT_OVERDUE_H expects: set it to {plan.every + 1} or more"
    if plan.deadline_s > plan.every * 3600 - SPARE_S:
        yield f"AIRQ_RUN_DEADLINE_S={plan.deadline_s:g}: a run may still be at work when the next one is due"
    if plan.shards > 1:
        yield from _of_shards(target, settings)
    if target == "systemd" and os.name == "posix":
        yield from _of_systemd(plan)


def _of_shards(target: str, settings: Settings) -> Iterator[str]:
    if settings.refresh_token:
        yield (
            "AIRQ_REFRESH_TOKEN: where each use replaces it, the first share to use it shuts the others out, since "
            "each keeps its own; AIRQ_USERNAME and AIRQ_PASSWORD have no such end"
        )
    if target == "airflow" and settings.mongodb_uri is None:
        yield "without AIRQ_MONGODB_URI each share has a store of its own"


class _User(NamedTuple):
    """Who is to run it, and the groups; without a number one that systemd makes up."""

    name: str
    number: int | None
    groups: Collection[int]

    def may(self, what: int, path: Path) -> bool:
        """Whether the user may; root as well as anybody, since the service has no capability."""
        found = path.stat()
        shift = 6 if found.st_uid == self.number else 3 if found.st_gid in self.groups else 0
        return bool(found.st_mode >> shift & what)


def _of_systemd(plan: Plan) -> Iterator[str]:
    made = is_made(plan.data_dir)
    if not made and not plan.data_dir.exists():
        yield f"{plan.data_dir} is not there, and systemd makes none but under {STATE}: make it first"
    user = _user(plan)
    if user is None:
        yield f"there is no user {plan.user} on this machine: `useradd --system {plan.user}` makes one"
        return
    needed = [(ENTER, Path(plan.program[0])), (ENTER, Path(sys.executable).resolve()), *((READ, p) for p in plan.reads)]
    if not made and plan.data_dir.exists():
        needed.append((WRITE, plan.data_dir))
    for shut in dict.fromkeys(shut for what, path in needed if (shut := _shut(user, what, path)) is not None):
        yield f"{shut} is closed to {user.name}, who is to run it: open it, or keep elsewhere what is in there"


def _user(plan: Plan) -> _User | None:
    """None where there is no such user."""
    import pwd

    if is_made_up(plan):
        return _User("a user whom systemd makes up", None, ())
    try:
        found = pwd.getpwnam(plan.user)
    except KeyError:
        return None
    return _User(plan.user, found.pw_uid, os.getgrouplist(plan.user, found.pw_gid))


def _shut(user: _User, what: int, path: Path) -> Path | None:
    """The first directory on the way, or else the path itself, that the user may not use so."""
    try:
        for place in reversed(path.parents):
            if not user.may(ENTER, place):
                return place
        return None if user.may(what, path) else path
    except OSError:
        return path
