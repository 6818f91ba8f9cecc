"""What cron would find: the same checkup again, in the environment that cron gives a job."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from airq_etl.checkup import Checkup, Remark, Status, named
from airq_etl.pipeline.examination.crontab import SEARCHED, SHELL, Line, lines, look_at_line
from airq_etl.pipeline.examination.given import env_file_in_use, only_in_shell
from airq_etl.sanity.wording import many

log = logging.getLogger(__name__)

AGAIN_S = 60.0  # and so many times AIRQ_TIMEOUT_S, since there may be a token and an answer to wait for
AGAIN_TIMES = 5
# Not settings, and what a connection may hang on all the same.
_OF_CONNECTIONS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


def look_at_cron(here: Checkup, flags: Mapping[str, Any], env_file: Path | None, timeout_s: float) -> list[Remark]:
    """What the same checkup gives under cron that it did not `here`, and what is wrong with the user's crontab.

    Where the crontab has no line of airq-etl something else may start it, and differences are warnings.
    """
    if os.name != "posix":
        return [Remark("cron", "skipped", "there is no cron on this system")]
    home = _home()
    found = lines(home)
    jobs = found or []
    # The one that fetches: another may come with other options.
    job = next((line for line in jobs if "run" in line.words), jobs[0] if jobs else None)
    wrong = [remark for line in jobs for remark in look_at_line(line, env_file_in_use(env_file))]
    there = _again(flags, env_file, here.data_dir, job or Line("", {}, home), AGAIN_S + AGAIN_TIMES * timeout_s)
    status: Status = "failed" if jobs else "warning"
    if isinstance(there, str):
        action = "install airq-etl where it does not depend on the environment or the directory"
        wrong.append(Remark("cron", status, f"under cron it does not start: {there}", action))
    else:
        given = {} if job is None else job.given
        wrong += [Remark("cron", status, *told) for told in _differences(here, there, flags, env_file, given)]
    return list(dict.fromkeys(wrong)) or [Remark("cron", "ok", f"the same as here; {_of_the_crontab(found)}")]


def _of_the_crontab(found: list[Line] | None) -> str:
    if found is None:
        return "there is no crontab on this machine"
    return f"your crontab has {many(len(found), 'line') if found else 'no line'} of airq-etl"


def _home() -> Path:
    """Where cron starts a job: by the system's list of users, whatever HOME says."""
    import pwd

    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return Path("/")


def _user() -> str:
    import pwd

    with suppress(KeyError):
        return pwd.getpwuid(os.geteuid()).pw_name
    return str(os.geteuid())


def _again(
    flags: Mapping[str, Any], env_file: Path | None, data_dir: str | None, job: Line, limit_s: float
) -> Checkup | str:
    """The checkup as cron would have it; a line that says why not where there is none."""
    given = {"env_file": None if env_file is None else env_file.absolute(), **flags}
    if given.get("data_dir") is not None:
        given["data_dir"] = Path(given["data_dir"]).absolute()
    options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not None]
    # A refresh token that is used for another data directory may be dead for this one.
    only = [] if data_dir is None else [f"--only-with={data_dir}"]
    words = [sys.executable, "-m", "airq_etl", *options, "doctor", "--no-cron", "--json", *only]
    user = _user()
    environment = {"PATH": SEARCHED, "SHELL": SHELL, "HOME": str(_home()), "LOGNAME": user, "USER": user, **job.given}
    try:
        done = subprocess.run(  # noqa: S603 -- ourselves
            words,
            env=environment,
            cwd=job.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit_s,
            check=False,
        )
        return msgspec.json.decode(done.stdout, type=Checkup)
    except subprocess.TimeoutExpired:
        return f"no end within {limit_s:.0f} s"
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    except msgspec.DecodeError:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:200]


def _differences(
    here: Checkup, there: Checkup, flags: Mapping[str, Any], env_file: Path | None, given: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What is not the same under cron, and what to do about it."""
    shell = [name for name in only_in_shell(flags, env_file) if given.get(name) != os.environ[name]]
    if shell:
        verb, them = ("comes", "it") if len(shell) == 1 else ("come", "them")
        yield f"{named(shell)} {verb} from your shell, which cron does not have", f"put {them} into the env file"
    if here.env_file is not None and there.env_file != here.env_file:
        yield (
            f"{here.env_file} is read here because this is its directory, which cron does not start in",
            f"name it in the crontab: --env-file {here.env_file}",
        )
        return  # what else is not the same mostly follows from that
    if there.data_dir not in {None, here.data_dir} and "AIRQ_DATA_DIR" not in shell:
        yield (
            f"under cron the data go to {there.data_dir}, not to {here.data_dir}",
            f"put AIRQ_DATA_DIR={here.data_dir} into the env file",
        )
    well = {remark.check for remark in here.checks} - {r.check for r in here.checks if r.status == "failed"}
    for remark in there.checks:
        if remark.status == "failed" and remark.check in well:
            yield f"under cron {remark.check} fails: {remark.sentence}", _hint(remark)


def _hint(remark: Remark) -> str:
    names = [name for name in _OF_CONNECTIONS if {name, name.lower()} & os.environ.keys()]
    if not names or remark.check not in {"api", "credentials"}:
        return remark.action
    return f"put {named(names)} above the line in the crontab, as your shell has them"
