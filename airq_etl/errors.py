"""Everything that can go wrong and that a user can do something about.

    AirqError                    exit code
    ├── UsageError               2   a setting, an option or a file of the user's
    ├── PartialError             3   some stations failed, the others are stored
    ├── SourceError              5   the API, or what it answered
    │   ├── BusyError            (5) worth asking again: time-outs, resets, 429, 5xx, a cut answer
    │   └── AnswerError          (5) not worth asking again: unknown station, a page that is no answer
    ├── CredentialsError         6   the API or its token endpoint refuses us
    │   └── ForbiddenError       (6) the API refuses this one station
    ├── StoreError               7   MongoDB, the embedded store, or the data directory
    │   └── DamagedError         (7) a file of the data directory cannot be read
    ├── LockedError              75  another run holds the lock
    └── StoppedError             128 + the signal

An exit code 4 comes with no error: `sanity-check` or `status --check` did its work, and what it looked at fails.

A message is one line: it names the thing (setting, station, file) and the next step. The exit codes 75 and
128 + n are those of sysexits.h and of the shell.
"""

from __future__ import annotations


class AirqError(Exception):
    """A failure that the user is told of in one line; `exit_code` is what the process ends with."""

    exit_code = 1


class UsageError(AirqError):
    """A setting, an option, or a file that the user named is wrong; nothing was done."""

    exit_code = 2


class PartialError(AirqError):
    """Some stations failed; what the others gave is stored."""

    exit_code = 3


class SourceError(AirqError):
    """The API could not be reached, or its answer is not one."""

    exit_code = 5


class BusyError(SourceError):
    """The same request may well succeed later; `retry_after_s` is what the API asked us to wait, in seconds."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class AnswerError(SourceError):
    """The API answered, and asking again would give the same."""


class CredentialsError(AirqError):
    """The API or its token endpoint refuses the credentials."""

    exit_code = 6


class ForbiddenError(CredentialsError):
    """The API knows who we are, and refuses what we ask."""


class StoreError(AirqError):
    """What should keep the data cannot: MongoDB, the embedded store, or the disk."""

    exit_code = 7


class DamagedError(StoreError):
    """A file of the data directory is not what was written there."""


class LockedError(AirqError):
    """Another process works on the same data directory."""

    exit_code = 75


class StoppedError(AirqError):
    """SIGTERM or SIGINT ended the run."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("stopped by a signal; the next run takes up what is left")
        self.exit_code = 128 + signal_number
