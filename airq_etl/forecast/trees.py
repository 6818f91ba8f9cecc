"""Boosted trees as text: grown by LightGBM, and read by it wherever they serve (the extra `lightgbm`)."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from airq_etl.forecast.grid import Values

if TYPE_CHECKING:
    from lightgbm import Booster

SETTINGS = {
    "objective": "l1",
    "learning_rate": 0.04,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5,
    # The same trees again wherever they are grown, and one core: others work beside it.
    "seed": 20231206,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""What was found to work for the two stations in Abidjan: small trees, much drawn at random, and slowly."""
READ = 16
"""Trees that are kept read: of one series, as many as serve in a backtest of some months."""


def there() -> bool:
    """Whether LightGBM can be loaded: it is an extra, and it needs a library of the system (libgomp)."""
    try:
        import lightgbm  # noqa: F401 -- to see whether it is there
    except (ImportError, OSError):
        return False
    return True


def grow(features: Values, target: Values, weights: Values, trees: int) -> str:
    """So many trees, whose sum gives the median of the target; a feature that is not known may be NaN."""
    import lightgbm

    rows = lightgbm.Dataset(features, target, weight=weights, params={"verbosity": -1})
    return lightgbm.train(SETTINGS, rows, trees).model_to_string()


def given_by(text: str, features: Values) -> Values:
    """What trees give for rows of the features that they were grown on."""
    found: Values = np.asarray(_read(text).predict(features, num_threads=1))
    return found


@lru_cache(READ)
def _read(text: str) -> "Booster":
    import lightgbm

    return lightgbm.Booster(model_str=text)
