"""The challenger: the champion's line, and boosted trees (see `trees`) that learn what the line leaves.

On the two stations in Abidjan trees alone were no better than the line; upon it they gain up to a point of skill.

Trees fit the hours that they were grown on too well for their errors there to say how sure they are. So the bounds
come of errors on the last `HELD_OUT` days, by a line and trees that were fitted without these.
"""

import numpy as np

from airq_etl.forecast.fitted import (
    Fitted,
    Lesson,
    Line,
    columns,
    lesson,
    lessons,
    line_through,
    moves_by,
    origin_of,
    tails_of,
)
from airq_etl.forecast.gate import CHALLENGER
from airq_etl.forecast.rolling import DAY
from airq_etl.forecast.service import YOUNG, fault
from airq_etl.forecast.sight import Sight
from airq_etl.forecast.trees import grow

HELD_OUT = 28
TREES = 150


def learn_challenger(sight: Sight, end: int, trees: int = TREES) -> Fitted | None:
    """Fit it at an index of the grid; None where the sensor is not forecast, or where there are too few hours for it.

    It needs `YOUNG` hours beside those held out. ImportError, or OSError, without LightGBM.
    """
    # Of an hour before these it was known, before the held-out days began, what came.
    held = end - HELD_OUT * DAY - sight.series.horizon
    rows = lessons(sight, end)
    if (rows < held).sum() < YOUNG or fault(sight.values[:end], sight.series.sensor) is not None:
        return None
    given = lesson(sight, end)
    names = list(given.hours.features)
    late = given.among(np.flatnonzero(rows >= held))
    early = _grown(given.among(np.flatnonzero(rows < held)), names, sight, trees)
    tails = tails_of(late, moves_by(*early, columns(late.hours, names, late.rows)))
    line, booster = _grown(given, names, sight, trees)
    about = origin_of(given, sight, end)
    return Fitted(model=CHALLENGER, **about, features=names, **line.fields(), booster=booster, **tails)


def _grown(given: Lesson, names: list[str], sight: Sight, trees: int) -> tuple[Line, str]:
    matrix = columns(given.hours, names, given.rows)
    line = line_through(given, matrix, sight)
    moves = line.moves(matrix)
    return line, grow(np.column_stack((matrix, moves)), given.target() - moves, given.weights, trees)
