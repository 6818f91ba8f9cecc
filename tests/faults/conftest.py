"""What the tests of faults share."""

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Airq
from tests.faults.dns_server import PORT
from tests.faults.twins import Twins, prepare

if TYPE_CHECKING:
    from tests.conftest import Missing


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what every pair of twins begins with."""
    return prepare(Airq(tmp_path_factory.mktemp("prepared")))


@pytest.fixture
def twins(airq: Airq, prepared: Path) -> Twins:
    """A data directory that is to meet a fault; see `Twins`."""
    return Twins(airq, prepared)


@pytest.fixture
def resolver(missing: "Missing") -> str:
    """A loopback address whose port for DNS is ours."""
    if os.name != "posix" or os.geteuid() != 0:
        missing("only root can give a process a resolver of its own")
    found = next((address for address in ("127.0.0.1", "127.0.0.53", "127.0.0.54") if _is_free(address)), None)
    return found or missing("port 53 of no loopback address is free")


def _is_free(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind((address, PORT))
        except OSError:
            return False
        return True
