"""The user's crontab, in which a block between two marks is ours, and everything else is not."""

import difflib
import shutil
import subprocess

from airq_etl.errors import AirqError, UsageError
from airq_etl.schedule.cron import marks

ANSWER_S = 30.0


def changed(block: str | None, name: str) -> tuple[str, str]:
    """The crontab as it is, and as it will be with the block (None: without it).

    The block stands last, where what it sets holds for no line of the user's. UsageError where there is no cron, or
    the marks in the crontab are not as they were put there.
    """
    before = _crontab()
    rest = _without(before, *marks(name))
    if block is None:
        return before, before if rest is None else rest
    kept = before if rest is None else rest
    if kept and not kept.endswith("\n"):
        kept += "\n"
    return before, f"{kept}\n{block}" if kept else block


def difference(before: str, after: str) -> str:
    """What changes, as `diff -u` has it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "crontab, now", "crontab, then", lineterm="")
    return "\n".join(lines)


def install(crontab: str) -> None:
    """Make this the user's crontab; without any line there is none. AirqError where cron refuses it."""
    if crontab.strip():
        _ask(["crontab", "-"], crontab)
    else:
        _ask(["crontab", "-r"], "")


def _crontab() -> str:
    if shutil.which("crontab") is None:
        raise UsageError("there is no `crontab` on this machine: install cron, or take `airq-etl schedule systemd`")
    listed = _run(["crontab", "-l"], "")
    if listed.returncode == 0:
        return listed.stdout
    if "no crontab for" in listed.stderr:
        return ""
    raise AirqError(f"crontab -l failed, and nothing was changed: {_said(listed)}")


def _without(crontab: str, first: str, last: str) -> str | None:
    """A crontab without our block and the empty line before it; None where it has none."""
    lines = crontab.splitlines(keepends=True)
    bare = [line.strip() for line in lines]
    if not {first, last} & set(bare):
        return None
    if (bare.count(first), bare.count(last)) != (1, 1) or bare.index(first) > bare.index(last):
        raise UsageError(f"your crontab does not have {first!r} and {last!r} once each: mend it with `crontab -e`")
    before, after = lines[: bare.index(first)], lines[bare.index(last) + 1 :]
    if before and not before[-1].strip():
        before.pop()
    return "".join([*before, *after])


def _ask(words: list[str], given: str) -> None:
    done = _run(words, given)
    if done.returncode != 0:
        raise AirqError(f"cron does not take it, and nothing was changed: {_said(done)}")


def _run(words: list[str], given: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603 -- the user's own crontab command
            words, input=given, capture_output=True, encoding="utf-8", timeout=ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AirqError(f"{' '.join(words)} cannot be run: {error}") from error


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    return " ".join((done.stderr or done.stdout).split())[:200] or f"exit code {done.returncode}"
