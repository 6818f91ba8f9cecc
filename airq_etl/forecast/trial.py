"""A challenger on trial: what it gains over who serves, and whether it serves from today on."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import msgspec

from airq_etl.forecast.ahead import BroughtUp, Cabinet, Served, bring_up
from airq_etl.forecast.gate import CHALLENGER, LINEAR, PROMOTED_BY, Evidence, evidence, lacking
from airq_etl.forecast.sight import Series, Sight
from airq_etl.forecast.standing import WITH_CHALLENGER, Learners, Standing, Stood, known_on


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How the challenger of a series did over the last 28 days, beside the model `over` which it is to gain.

    That is the one that serves, or the linear model where the challenger does. `serves` says whether it serves from
    today on, `verdict` why, or why not. Where there was nothing to judge `over` is null. `fitted` counts the models
    that were fitted for it now, `trained_through` is the last hour that the newest was fitted to.
    """

    station_id: int
    sensor: str
    horizon: int
    over: str | None = None
    serves: bool = False
    verdict: str
    evidence: Evidence = Evidence(hours=0)
    fitted: int = 0
    trained_through: datetime | None = None


class Challenge(msgspec.Struct, kw_only=True):
    """All trials of a night, as of `made_at`; `documents` were written to the `store`."""

    run_id: str
    made_at: datetime
    trials: list[Trial] = []
    names: dict[int, str] = {}
    store: str | None = None
    documents: dict[str, int] = {}
    exit_code: int = 0


class Tried(msgspec.Struct, frozen=True):
    """What the trials of a station bring: these, and the cabinet of the day and its news."""

    trials: list[Trial]
    brought: BroughtUp


def try_out(  # noqa: PLR0913, PLR0917 -- what a day begins with
    cabinet: Cabinet,
    day: date,
    horizon: int,
    sights: Iterable[Sight],
    serving: Mapping[Series, Served],
    learners: Learners = WITH_CHALLENGER,
) -> Tried:
    """Begin the day of a station anew, with the challengers that are due fitted."""
    before = {(one.sensor, one.horizon, one.serves_from) for one in cabinet.models if one.model == CHALLENGER}
    brought = bring_up(cabinet, day, horizon, sights, serving, learners)
    trials = []
    for sight, stood in brought.stood:
        held = serving.get(sight.series)
        fitted = brought.cabinet.of(sight.series, sight.grid.start).get(CHALLENGER, {})
        new = sum((one.sensor, one.horizon, one.serves_from) not in before for one in fitted.values())
        judged = _judged(sight, stood, held and held.model)
        through = fitted[max(fitted)].trained_through if fitted else None
        trials.append(msgspec.structs.replace(judged, fitted=new, trained_through=through))
    return Tried(trials, brought)


def _judged(sight: Sight, stood: Stood, before: str | None) -> Trial:
    ((day, standing),) = stood.standings.items()
    known = known_on(day, sight, stood.tracks)
    series = sight.series._asdict()
    if standing.model is None:
        return Trial(**series, verdict=standing.reason)
    if CHALLENGER not in known or standing.model not in known:
        return Trial(**series, verdict="too few hours to learn from")
    over = before if before in known and before != CHALLENGER else standing.model
    over = LINEAR if over == CHALLENGER else over
    found = evidence(known[CHALLENGER].last(PROMOTED_BY), known[over].last(PROMOTED_BY))
    verdict = _verdict(standing, before, found)
    return Trial(**series, over=over, serves=standing.model == CHALLENGER, verdict=verdict, evidence=found)


def _verdict(standing: Standing, before: str | None, found: Evidence) -> str:
    if standing.model == CHALLENGER:
        return "promoted" if before != CHALLENGER else "serves"
    if before == CHALLENGER:
        return "steps down"
    # Whoever began to serve today is not replaced on the same day.
    return lacking(found) or "may serve tomorrow"
