"""What a signal broke off says so, whatever it stumbled over on its way out."""

import signal

import pytest

from airq_etl.errors import StoppedError
from airq_etl.pipeline.signals import Interruption, interrupted_as_such, stoppable


def _stumble(number: int) -> None:
    try:
        signal.raise_signal(number)
    except Interruption as interruption:
        raise RuntimeError("asynchronous generator is already running") from interruption


def test_a_signal_goes_before_what_came_of_it() -> None:
    """A RuntimeError after a signal is the signal's doing; one in the next job is a bug, and stays one."""
    with pytest.raises(StoppedError), stoppable(), interrupted_as_such():
        _stumble(signal.SIGTERM)
    with pytest.raises(RuntimeError, match="ours"), stoppable(), interrupted_as_such():
        raise RuntimeError("ours")
