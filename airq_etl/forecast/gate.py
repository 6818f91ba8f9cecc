"""Which model serves: who is shown to be better is promoted, and who is worse than persistence steps down.

Evidence is what models would have forecast of the last days, each with what was known by then (see `track`). Days
are drawn together, with replacement (block bootstrap: Künsch, Annals of Statistics 17, 1989), since the errors of
neighbouring hours are alike.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from airq_etl.forecast import LEVELS
from airq_etl.forecast.fitted import MEDIAN
from airq_etl.forecast.grid import Values
from airq_etl.forecast.rolling import DAY
from airq_etl.forecast.track import Track, day_of

LINEAR, DAMPED, PERSISTENCE, CHALLENGER = "linear", "damped persistence", "persistence", "lightgbm"
NOBODY = "none"
"""Who serves a sensor that is not forecast."""

PROMOTED_BY, FALLEN_BY = 28, 14
"""Days of evidence for a promotion, and for a fall back."""
LEAST = 14 * DAY
"""Hours scored without which nobody is promoted."""
COVERED_80, COVERED_95 = (77.0, 84.0), (93.0, 97.0)
DRAWS, LOWER = 1000, 0.025
SEED = 20231206


class Evidence(msgspec.Struct, kw_only=True, frozen=True):
    """Of a model over `hours` scored hours: `skill` against persistence, coverages, and what it gains over a rival.

    All are per cent. `gain` is how much smaller its mean absolute error is than the rival's, `gain_low` the lower
    bound of that (2.5 %), `pinball` how much its pinball loss is above the rival's; null without a rival.
    """

    hours: int
    skill: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    pinball: float | None = None
    coverage80: float | None = None
    coverage95: float | None = None


class Choice(NamedTuple):
    """Who serves, why (where that is news), and by which evidence."""

    model: str
    reason: str
    evidence: Evidence


def evidence(own: Track, rival: Track | None = None) -> Evidence:
    """What the scored hours of a track say, beside those of a rival over the same origins."""
    scored = own.scored()
    if not len(scored.observed):
        return Evidence(hours=0)
    error = np.abs(scored.observed - scored.quantiles[:, MEDIAN])
    persisted = np.abs(scored.observed - scored.persistence)
    found = Evidence(
        hours=len(error),
        skill=_smaller(error.mean(), persisted.mean()),
        coverage80=covered(scored.observed, scored.quantiles[:, 1], scored.quantiles[:, 3]),
        coverage95=covered(scored.observed, scored.quantiles[:, 0], scored.quantiles[:, 4]),
    )
    return found if rival is None else _beside(found, own, rival)


def _beside(found: Evidence, own: Track, rival: Track) -> Evidence:
    rows = np.flatnonzero(
        np.isfinite(own.observed) & np.isfinite(own.quantiles[:, MEDIAN]) & np.isfinite(rival.quantiles[:, MEDIAN])
    )
    if not len(rows):
        return found
    came = own.observed[rows]
    mine, its = (np.abs(came - track.quantiles[rows, MEDIAN]) for track in (own, rival))
    days = np.array([day_of(own.first + int(row)) for row in rows])
    losses = [pinball(came, track.quantiles[rows]).mean() for track in (own, rival)]
    return msgspec.structs.replace(
        found,
        gain=_smaller(mine.mean(), its.mean()),
        gain_low=_lower_bound(mine, its, days),
        pinball=None if losses[1] == 0 else float(100 * (losses[0] / losses[1] - 1)),
    )


def _lower_bound(mine: Values, its: Values, days: Values) -> float | None:
    """The gain that is passed in all but 2.5 % of draws of as many days."""
    _, place = np.unique(days, return_inverse=True)
    of_day = np.stack([np.bincount(place, weights=errors) for errors in (mine, its)])
    count = of_day.shape[1]
    drawn = np.random.default_rng(SEED).integers(0, count, (DRAWS, count))
    sums = of_day[:, drawn].sum(axis=2)
    if not sums[1].all():
        return None
    return float(np.quantile(100 * (1 - sums[0] / sums[1]), LOWER))


def pinball(observed: Values, quantiles: Values) -> Values:
    """The mean loss of the quantiles (columns as LEVELS) at each hour, in the sensor's unit."""
    error = observed[:, None] - quantiles
    levels = np.array(LEVELS)
    found: Values = np.maximum(levels * error, (levels - 1) * error).mean(axis=1)
    return found


def covered(observed: Values, low: Values, high: Values) -> float:
    """Per cent of hours that came within the bounds."""
    return float(100 * ((observed >= low) & (observed <= high)).mean())


def _smaller(error: float, its: float) -> float | None:
    return None if its == 0 else float(100 * (1 - error / its))


def passes(found: Evidence) -> bool:
    """Whether this evidence is enough for a promotion."""
    return lacking(found) is None


def lacking(found: Evidence) -> str | None:
    """What this evidence lacks first for a promotion; None where it is enough."""
    if found.hours < LEAST:
        return "too few hours"
    if (found.gain_low or 0.0) <= 0:
        return "no sure gain"
    if (found.pinball or 0.0) > 0:
        return "its pinball is higher"
    for bound, share, (low, high) in ((80, found.coverage80, COVERED_80), (95, found.coverage95, COVERED_95)):
        if share is None or not low <= share <= high:
            return f"its {bound} % bounds are off"
    return None


def choose(serving: str | None, tracks: Mapping[str, Track]) -> Choice:
    """Who serves from now on, of the models that have a track, where `serving` did (None: nobody yet)."""
    if serving is None or serving not in tracks:
        return _first(serving, tracks)
    if serving != DAMPED:
        fallen = evidence(tracks[serving].last(FALLEN_BY))
        if fallen.skill is not None and fallen.skill < 0 and fallen.hours >= LEAST // 2:
            said = f"its error was {-fallen.skill:.1f} % above that of persistence over the last {FALLEN_BY} days"
            return Choice(DAMPED, f"{serving} steps down: {said}", fallen)
    for rival in _above(serving, tracks):
        found = evidence(tracks[rival].last(PROMOTED_BY), tracks[serving].last(PROMOTED_BY))
        if passes(found):
            said = f"its error was {found.gain:.1f} % below that of {serving} over the last {PROMOTED_BY} days"
            return Choice(rival, f"{said} (at least {found.gain_low:.1f} %)", found)
    return Choice(serving, "", evidence(tracks[serving].last(PROMOTED_BY)))


def _above(serving: str, tracks: Mapping[str, Track]) -> list[str]:
    order = [DAMPED, LINEAR, CHALLENGER]
    return [model for model in reversed(order[order.index(serving) + 1 :]) if model in tracks]


def _first(serving: str | None, tracks: Mapping[str, Track]) -> Choice:
    """The champion where it has shown that it is better than persistence, else persistence that is damped."""
    found = evidence(tracks[LINEAR].last(PROMOTED_BY))
    who = "the first to serve" if serving is None else f"after {serving}"
    if found.hours < LEAST:
        days = LEAST // DAY
        return Choice(DAMPED, f"{who}: there are less than {days} days by which to judge the linear model", found)
    if (found.skill or 0.0) <= 0:
        return Choice(DAMPED, f"{who}: the linear model was no better than persistence", found)
    said = f"its error was {found.skill:.1f} % below that of persistence over the last {PROMOTED_BY} days"
    return Choice(LINEAR, f"{who}: {said}", found)
