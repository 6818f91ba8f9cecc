"""doctor: is it set up right? Looks at one thing after the other, changes no data, and says what to do."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from airq_etl import __version__, logs
from airq_etl.checkup import Checkup, Remark, counted, exit_code_of, failure
from airq_etl.errors import AirqError
from airq_etl.lake import Lake
from airq_etl.pipeline.examination.cron import look_at_cron
from airq_etl.pipeline.examination.given import env_file_in_use, look_at_settings, look_at_zones
from airq_etl.pipeline.examination.keeper import look_at_store
from airq_etl.pipeline.examination.place import belongs_to_another, look_at_data, look_at_disk, look_at_lock
from airq_etl.pipeline.examination.source import look_at_api, look_at_clock
from airq_etl.pipeline.examination.targets import look_at_targets
from airq_etl.settings import Settings

log = logging.getLogger(__name__)

CHECKS = ("data", "disk", "lock", "credentials", "api", "clock", "store", "zone", "alerts")
LIMIT_S = 60.0  # of a check; a disk of another machine may hang for ever
WAITS = 5  # times AIRQ_TIMEOUT_S that it takes at most to get a token and an answer


def examine(
    flags: Mapping[str, Any],
    env_file: Path | None,
    *,
    with_cron: bool,
    send_test: bool,
    only_with: Path | None = None,
) -> Checkup:
    """What all checks say, with settings from `flags` (field names; None: not given), environment and `env_file`.

    A refresh token is used `only_with` this data directory, where one is named.
    """
    settings, remarks = look_at_settings(flags, env_file)
    if settings is None:
        broken = look_at_zones(None)
        left = [name for name in (*CHECKS, *(["cron"] if with_cron else [])) if all(name != r.check for r in broken)]
        remarks += [*broken, *(Remark(name, "skipped", "the settings do not load") for name in left)]
        return _checkup(None, None, remarks)
    elsewhere = only_with is not None and settings.data_dir.absolute() != only_with
    on_purpose = flags.get("now") is not None
    remarks += _of_the_machine_and_beyond(settings, on_purpose=on_purpose, send_test=send_test, elsewhere=elsewhere)
    found = _checkup(settings, env_file, remarks)
    if not with_cron:
        return found
    limit_s = 2 * LIMIT_S + 2 * WAITS * settings.timeout_s
    cron = _bounded("cron", limit_s, lambda: look_at_cron(found, flags, env_file, settings.timeout_s))
    return _checkup(settings, env_file, [*remarks, *cron])


def _of_the_machine_and_beyond(
    settings: Settings, *, on_purpose: bool, send_test: bool, elsewhere: bool
) -> list[Remark]:
    lake, at_work = Lake(settings.data_dir), [False]
    remarks = _bounded("data", LIMIT_S, lambda: look_at_data(lake.root))
    usable = not any(remark.status == "failed" for remark in remarks)

    def look_at_the_lock() -> list[Remark]:
        at_work[0], said = look_at_lock(settings)
        return said

    remarks += _bounded("disk", LIMIT_S, lambda: look_at_disk(lake.root))
    remarks += _bounded("lock", LIMIT_S, look_at_the_lock) if usable else [_skipped("lock")]
    hindrance = _hindrance(lake.root, usable=usable, at_work=at_work[0])
    if elsewhere:
        hindrance = "the data go elsewhere, and a refresh token may be good for one use alone"
    asking_s = LIMIT_S + WAITS * settings.timeout_s
    remarks += _bounded("api", asking_s, lambda: look_at_api(settings, lake, hindrance))
    remarks += _bounded("clock", LIMIT_S, lambda: look_at_clock(settings, on_purpose=on_purpose))
    remarks += _bounded("store", LIMIT_S, lambda: look_at_store(settings, lake, at_work=at_work[0], usable=usable))
    remarks += _bounded("zone", LIMIT_S, lambda: look_at_zones(settings))
    send_s = LIMIT_S * (1 + len(settings.alert_urls))
    return remarks + _bounded("alerts", send_s, lambda: look_at_targets(settings, send_test=send_test))


def _skipped(check: str) -> Remark:
    return Remark(check, "skipped", "the data directory cannot be used")


def _hindrance(root: Path, *, usable: bool, at_work: bool) -> str:
    """Why a refresh token may not be used now: a new one takes its place, and must be kept for the next run."""
    if not usable:
        return "a new refresh token could not be kept in the data directory, and the old one may be dead then"
    if at_work:
        return "a run is at work, and a refresh token may be good for one use alone"
    if belongs_to_another(root):
        return "a new refresh token could not be read by the runs of whoever owns the data directory"
    return ""


def _bounded(check: str, limit_s: float, look: Callable[[], list[Remark]]) -> list[Remark]:
    """What a check says; that it hangs, or breaks, is told like all else, and the next one goes on."""
    said = [Remark(check, "failed", f"no end within {limit_s:.0f} s", "see what it waits for: -v says more")]

    def work() -> None:
        try:
            said[:] = look()
        except AirqError as error:
            said[:] = [failure(check, error, "")]
        except OSError as error:
            said[:] = [Remark(check, "failed", f"{error.filename or check}: {error.strerror or error}", "")]
        except Exception as error:
            # The other checks go on.
            log.debug("where it broke", exc_info=True)
            said[:] = [Remark(check, "failed", f"this is a bug: {type(error).__name__}: {error}", "-v shows where")]

    # A daemon: what hangs in it is left behind.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(limit_s)
    return list(said)


def _checkup(settings: Settings | None, env_file: Path | None, remarks: list[Remark]) -> Checkup:
    hide = logs.REDACTION.hide
    # Under whatever name a secret came in, none goes out.
    told = [msgspec.structs.replace(r, sentence=hide(r.sentence), action=hide(r.action)) for r in remarks]
    used = env_file_in_use(env_file)
    return Checkup(
        version=__version__,
        at=datetime.now(UTC),
        env_file=None if settings is None or used is None else str(used),
        data_dir=None if settings is None else str(settings.data_dir.absolute()),
        settings=None if settings is None else settings.fingerprint(),
        checks=told,
        counts=counted(told),
        exit_code=exit_code_of(told),
    )
