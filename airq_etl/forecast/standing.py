"""How a series stands, day by day: which model serves it, with which corrections, or why it is not forecast.

A day's standing is made of what was known when the day began (UTC), so that a look back at any day gives the one
that it had: the backtest and the forecast of the next hours are made by the same code.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

import msgspec

from airq_etl.forecast.challenger import learn_challenger
from airq_etl.forecast.features import REACH
from airq_etl.forecast.fitted import DAMPED as DAMPED_FEATURES
from airq_etl.forecast.fitted import LEARNT_DAYS, Fitted, learn, lessons
from airq_etl.forecast.gate import (
    CHALLENGER,
    DAMPED,
    LEAST,
    LINEAR,
    NOBODY,
    PERSISTENCE,
    PROMOTED_BY,
    Evidence,
    choose,
    evidence,
)
from airq_etl.forecast.rolling import DAY
from airq_etl.forecast.service import YOUNG, fault
from airq_etl.forecast.sight import Sight
from airq_etl.forecast.track import WINDOW, Track, corrections, first_origin, raw, track

REFIT = 21
"""Days from one fitting of a model to the next; not on the same day for all stations."""
BEHIND = WINDOW + PROMOTED_BY
"""Days before a day whose forecasts its standing is made of: those that show who is better, and those that correct."""
LOOK_BACK = BEHIND + REACH // DAY + 1
"""Days of hours that a standing needs where its models are fitted already."""
FIT_BACK = BEHIND + REFIT + LEARNT_DAYS + REACH // DAY
"""And where they are not."""
LET_GO = 2 * REFIT
"""Days after which a model that nobody fits any more, such as a challenger, no longer serves."""

Learners = Mapping[str, Callable[[Sight, int], Fitted | None]]
"""How models are fitted, by name: to a series, at an index of its grid; None where there is too little for it."""
OWN: Learners = {LINEAR: partial(learn, LINEAR), DAMPED: partial(learn, DAMPED, chosen=DAMPED_FEATURES)}
WITH_CHALLENGER: Learners = {**OWN, CHALLENGER: learn_challenger}

Models = Mapping[str, Mapping[int, Fitted]]
"""Fitted models by name, and by the day (of the grid) from which they serve."""


class Standing(msgspec.Struct, kw_only=True, frozen=True):
    """Of a series on a day: the `model` that serves (null: none, for the `reason`), and its `evidence`.

    `skill` is that of the model over the last 28 days (per cent; null where these hold less than 14). `corrections`
    are those of the model on that day, one a quantile, in its scale. `changed` says that another served before, of
    which `reason` tells.
    """

    model: str | None
    reason: str = ""
    changed: bool = False
    skill: float | None = None
    corrections: list[float] = []
    evidence: Evidence = Evidence(hours=0)


class Stood(NamedTuple):
    """The standings of a series on some days, and the tracks of the models that could have served."""

    standings: dict[int, Standing]
    tracks: dict[str, Track]


def last_refit(station_id: int, day: date) -> date:
    """The last day, up to a given one, on which a station's models are fitted anew."""
    return day - timedelta(days=(day.toordinal() - station_id) % REFIT)


def refits(sight: Sight, day: int) -> Iterator[int]:
    """The days on which the models were fitted that matter to a day's standing, the newest first."""
    today = (sight.grid.start + timedelta(days=day)).date()
    newest = day - (today - last_refit(sight.series.station_id, today)).days
    yield from (fitted for fitted in range(newest, day - BEHIND - REFIT, -REFIT) if fitted > 0)


def fit_missing(sight: Sight, models: Models, days: range, learners: Learners = OWN) -> dict[str, dict[int, Fitted]]:
    """The models that standings of some days need: those that are there, and those that are fitted now.

    A series that has just become old enough is fitted at once, one that is not forecast at all is not. What has no
    learner is used as it is, while it is young.
    """
    others = {name for name, fitted in models.items() if max(fitted, default=-LET_GO) > days.start - LET_GO}
    found = {name: dict(models.get(name, {})) for name in (*learners, *sorted(others - {*learners}))}
    if all(fault(sight.values[: day * DAY], sight.series.sensor) for day in days):
        return found
    for due in sorted({fitted for day in days for fitted in refits(sight, day)}):
        _fit(sight, found, due, learners)
    ready = next((day for day in days if len(lessons(sight, day * DAY)) >= YOUNG), None)
    if ready is not None and not any(day <= ready for day in found[LINEAR]):
        _fit(sight, found, ready, learners)
    return found


def _fit(sight: Sight, found: dict[str, dict[int, Fitted]], day: int, learners: Learners) -> None:
    missing = [name for name in learners if day not in found[name]]
    if not missing or len(lessons(sight, day * DAY)) < YOUNG:
        return
    for name in missing:
        fitted = learners[name](sight, day * DAY)
        if fitted is not None:
            found[name][day] = fitted


def stand(sight: Sight, models: Models, days: range, serving: str | None) -> Stood:
    """The standings of a series on some days, where `serving` is who served before them (None: nobody)."""
    first, end = first_origin(days.start - BEHIND), min(first_origin(days.stop), sight.grid.length)
    judged = range(max(days.start - PROMOTED_BY, 0), days.stop)
    tracks, moved = {}, {}
    for name, fitted in models.items():
        if fitted:
            of = raw(sight, fitted, max(first, 0), end)
            moved[name] = corrections(of, sight.series, judged)
            tracks[name] = track(sight, name, of, moved[name])
    standings = {}
    for day in days:
        is_fitted = any(fitted <= day for fitted in models[LINEAR])
        standing = _stand(sight, tracks if is_fitted else {}, day, serving)
        if standing.model in moved:
            standing = msgspec.structs.replace(standing, corrections=moved[standing.model][day].tolist())
        standings[day] = standing
        serving = standing.model or NOBODY
    return Stood(standings, tracks)


def _stand(sight: Sight, tracks: Mapping[str, Track], day: int, serving: str | None) -> Standing:
    end = day * DAY
    found = fault(sight.values[:end], sight.series.sensor)
    if found is not None:
        return Standing(model=None, reason=found, changed=serving != NOBODY)
    if sight.known(end) < YOUNG or not tracks:
        reason = f"less than {YOUNG // DAY} days of hours to learn from"
        return Standing(model=PERSISTENCE, reason=reason, changed=serving != PERSISTENCE)
    known = known_on(day, sight, tracks)
    choice = choose(serving, known)
    own = evidence(known[choice.model].last(PROMOTED_BY))
    return Standing(
        model=choice.model,
        reason=choice.reason,
        changed=choice.model != serving,
        skill=own.skill if own.hours >= LEAST else None,
        evidence=choice.evidence,
    )


def known_on(day: int, sight: Sight, tracks: Mapping[str, Track]) -> dict[str, Track]:
    """Of tracks what was known when a day began."""
    return {name: one.until(day * DAY - sight.series.horizon) for name, one in tracks.items()}
