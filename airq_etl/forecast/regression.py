"""Linear regression of a quantile, by weighted least squares that are solved again and again.

Of the quantile loss each step minimises a parabola that lies above it and touches it at the last solution (Hunter
and Lange, Quantile Regression via an MM Algorithm, J. Comput. Graph. Stat. 9, 2000), so that each is better than
the one before. Within a share of the mean absolute target (`smooth`) the loss is rounded off.
"""

from typing import NamedTuple

import numpy as np

from airq_etl.forecast.grid import Values

CLOSE = 0.001
"""Of the mean absolute target: a step that moves less is the last."""


class Manner(NamedTuple):
    """How to fit: the pull to zero (in rows), where the loss is rounded off, and the most steps."""

    ridge: float
    smooth: float
    steps: int


def fit(inputs: Values, target: Values, weights: Values, quantile: float, manner: Manner) -> Values:
    """Coefficients of the columns of `inputs`, of which the first is the constant and is not drawn to zero.

    The others have a standard deviation of one; the pull on them is as strong as `ridge` rows, so it tells where
    there are few. `weights` say how much a row counts.
    """
    x, y, w = (array.astype(np.float32) for array in (inputs, target, weights))
    size = float(np.average(np.abs(y), weights=w)) or 1.0
    pull = np.full(x.shape[1], manner.ridge / size, dtype=np.float64)
    pull[0] = 1e-9
    # The first parabola stands on zero everywhere, whatever the errors.
    solution: Values = np.zeros(x.shape[1])
    made: Values = np.zeros(len(y), dtype=np.float32)
    lean = (2 * quantile - 1) * (x.T @ w).astype(np.float64)
    for step in range(manner.steps):
        error = np.abs(y - made)
        heed = w / (np.maximum(error, manner.smooth * size) if step else size)
        weighted = x * heed[:, None]
        normal = (weighted.T @ x).astype(np.float64)
        normal[np.diag_indices_from(normal)] += pull
        solution = np.linalg.solve(normal, (weighted.T @ y).astype(np.float64) + lean)
        last, made = made, x @ solution.astype(np.float32)
        if step and float(np.average(np.abs(made - last), weights=w)) < CLOSE * size:
            break
    return solution
