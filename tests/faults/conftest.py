"""What the tests of faults share."""

from pathlib import Path

import pytest

from tests.conftest import Airq
from tests.faults.twins import Twins, prepare


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what every pair of twins begins with."""
    return prepare(Airq(tmp_path_factory.mktemp("prepared")))


@pytest.fixture
def twins(airq: Airq, prepared: Path) -> Twins:
    """A data directory that is to meet a fault; see `Twins`."""
    return Twins(airq, prepared)
