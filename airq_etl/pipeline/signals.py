"""What ends a job from outside: SIGTERM, SIGINT, and the bell that rings at the run's deadline."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from airq_etl.errors import AirqError, StoppedError, StoreError
from airq_etl.runs import State

GRACE_S = 5.0  # beyond the deadline, for what is nearly done
LATE = "the run did not end before its deadline (AIRQ_RUN_DEADLINE_S); the next one takes up what is left"


class Interruption(KeyboardInterrupt):
    """Raised by a handler: asyncio lets a KeyboardInterrupt through, and nothing catches one by accident."""

    def __init__(self, error: AirqError, state: State) -> None:
        super().__init__()
        self.error = error
        self.state = state


_heard: list[Interruption] = []


@contextmanager
def interrupted_as_such() -> Iterator[None]:
    """What a signal broke off ends by the Interruption, even where asyncio stumbles over it or puts it into a group."""
    try:
        yield
    except BaseException as error:
        if _heard and error is not _heard[-1]:
            raise _heard[-1] from error
        raise


def unbounded() -> None:
    """Let the job go on beyond its deadline: it does what would have to be begun anew."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def stoppable(limit_s: float | None = None) -> Iterator[None]:
    """SIGTERM and SIGINT end the block with StoppedError; a second one is not heard while it ends.

    So does the bell (SIGALRM, where there is one) after `limit_s` seconds, with StoreError: whatever the block
    waits for by then, a disk or a pipe that nobody reads, would hold the lock for ever. It rings again while the
    block ends, which may run into the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    _heard.clear()
    # A shell starts what runs in its background deaf to SIGINT, and so it stays.
    signals = [heard for heard in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(heard) is not signal.SIG_IGN]
    before = {heard: signal.signal(heard, _stop) for heard in signals}
    bell_s = limit_s if hasattr(signal, "setitimer") else None
    if bell_s is not None:
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, bell_s, GRACE_S)
    try:
        yield
    except Interruption as interruption:
        raise interruption.error from None
    finally:
        if bell_s is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for heard, handler in before.items():
            signal.signal(heard, handler)


def _stop(number: int, _frame: object) -> None:
    for heard in (signal.SIGTERM, signal.SIGINT):
        signal.signal(heard, signal.SIG_IGN)
    _interrupt(Interruption(StoppedError(number), "CANCELLED"))


def _ring(_number: int, _frame: object) -> None:
    _interrupt(Interruption(StoreError(LATE), "FAILED"))


def _interrupt(interruption: Interruption) -> NoReturn:
    _heard.append(interruption)
    raise interruption
