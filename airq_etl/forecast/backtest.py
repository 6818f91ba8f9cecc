"""What would have been forecast at every hour of some days, with what was known by then, beside simple rivals."""

from typing import NamedTuple

import numpy as np

from airq_etl.forecast.gate import PERSISTENCE
from airq_etl.forecast.grid import Grid, Places, Values
from airq_etl.forecast.rolling import DAY, before, filled
from airq_etl.forecast.service import SILENT
from airq_etl.forecast.serving import persisted
from airq_etl.forecast.sight import Series, Sight
from airq_etl.forecast.standing import OWN, Learners, Standing, fit_missing, stand
from airq_etl.forecast.track import day_of

SERVED, SEASONAL = "served", "seasonal naive"


class Replayed(NamedTuple):
    """The forecasts of a series: their origins (indexes of the grid), and the quantiles that were `served`.

    `rivals` are those of other models over the same origins, NaN where they have none (a model that gives nothing
    but a median has no bounds). `observed` is what came, NaN where nothing did, `persistence` the last value.
    """

    origins: Places
    served: Values
    rivals: dict[str, Values]
    observed: Values
    persistence: Values
    standings: dict[int, Standing]


def replay(grid: Grid, series: Series, first: int, last: int, learners: Learners = OWN) -> Replayed:
    """The forecasts of a series from the origin `first` to `last` (indexes), models fitted as they were due.

    `learners` may bring a challenger (`standing.WITH_CHALLENGER`), which serves where it would have been promoted.
    """
    first, last = max(first, 0), min(last, grid.length - 1)
    sight, days = Sight(grid, series), range(day_of(first), day_of(last) + 1)
    models = fit_missing(sight, {}, days, learners)
    stood = stand(sight, models, days, None)
    origins = np.arange(first, last + 1)
    level, age = filled(sight.values)
    served = np.full((len(origins), 5), np.nan)
    names = [stood.standings[day_of(int(origin))].model or "" for origin in origins]
    for name in sorted(set(names) - {""}):
        rows = np.flatnonzero(np.array([one == name for one in names]) & (age[origins] < SILENT))
        if name == PERSISTENCE:
            served[rows] = persisted(sight, origins[rows])
        else:
            served[rows] = stood.tracks[name].quantiles[origins[rows] - stood.tracks[name].first]
    rivals = {name: track.quantiles[origins - track.first] for name, track in stood.tracks.items()}
    rivals |= {
        PERSISTENCE: _median_alone(level[origins]),
        SEASONAL: _median_alone(before(level, DAY - series.horizon)[origins]),
    }
    return Replayed(origins, served, rivals, sight.came(origins), level[origins], stood.standings)


def _median_alone(values: Values) -> Values:
    found = np.full((len(values), 5), np.nan)
    found[:, 2] = values
    return found
