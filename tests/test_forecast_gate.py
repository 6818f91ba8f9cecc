"""Who serves: corrected bounds, evidence, promotion, stepping down, and sensors that are not forecast."""

import msgspec
import numpy as np
import pytest

from airq_etl.forecast.fitted import learn
from airq_etl.forecast.gate import (
    CHALLENGER,
    DAMPED,
    LINEAR,
    Evidence,
    choose,
    evidence,
    passes,
    pinball,
)
from airq_etl.forecast.grid import Values
from airq_etl.forecast.service import fault
from airq_etl.forecast.sight import Series, Sight
from airq_etl.forecast.track import Track, corrections, first_origin, raw, track
from tests.air import STATION, lasting, made_up, particles

HOURS = 28 * 24
BOUNDS = np.array([-1.96, -1.2816, 0.0, 1.2816, 1.96])


def shown(model: str, error: float, *, wide: float = 1.0, hours: int = HOURS, seed: int = 1) -> Track:
    """A track whose errors are normal, of a standard deviation `error`; its bounds are right where `wide` is one.

    The error of persistence is one.
    """
    observed = 20 + lasting(hours, 11)
    median = observed + error * np.random.default_rng(seed).normal(size=hours)
    persistence = observed + np.random.default_rng(99).normal(size=hours)
    return Track(model, -1, median[:, None] + error * wide * BOUNDS, observed, persistence)


def tracks(**errors: float) -> dict[str, Track]:
    names = {"linear": LINEAR, "damped": DAMPED, "challenger": CHALLENGER}
    return {names[name]: shown(names[name], error, seed=at) for at, (name, error) in enumerate(errors.items())}


def test_evidence_of_a_track_is_its_errors_beside_those_of_persistence() -> None:
    """Worked by hand: errors 1 and 3 beside 2 and 4 are a skill of 33.3 %; one of two hours lies within the 80 %."""
    quantiles = np.array([[7.0, 8.0, 9.0, 10.0, 11.0], [0.0, 1.0, 2.0, 3.0, 4.0]])
    found = evidence(Track(LINEAR, 0, quantiles, np.array([10.0, 5.0]), np.array([8.0, 1.0])))
    assert found.skill == pytest.approx(100 / 3)
    assert (found.hours, found.coverage80, found.coverage95) == (2, 50.0, 50.0)


def test_hours_that_did_not_come_are_not_scored() -> None:
    """An hour without a value, or without a forecast, is no evidence."""
    one = shown(LINEAR, 0.8)
    observed = one.observed.copy()
    observed[::2] = np.nan
    assert evidence(one._replace(observed=observed)).hours == HOURS // 2
    assert evidence(one._replace(observed=np.full(HOURS, np.nan))) == Evidence(hours=0)


def test_pinball_is_the_mean_loss_of_the_quantiles() -> None:
    """Worked by hand: all five quantiles at 10, and 14 came: (0.025 + 0.1 + 0.5 + 0.9 + 0.975) / 5 x 4 = 2."""
    assert pinball(np.array([14.0]), np.full((1, 5), 10.0)) == pytest.approx([2.0])
    assert pinball(np.array([6.0]), np.full((1, 5), 10.0)) == pytest.approx([2.0])


def test_the_bound_of_a_gain_is_by_days() -> None:
    """Where a gain comes from one day alone, its lower bound is not above zero, as large as the gain may be."""
    own, rival = shown(LINEAR, 0.5), shown(LINEAR, 0.5)
    same = evidence(own, rival)
    assert (same.gain, same.gain_low, same.pinball) == (0.0, 0.0, 0.0)
    worse = rival.quantiles.copy()
    worse[:24] += 20
    lucky = evidence(own, rival._replace(quantiles=worse))
    assert lucky.gain is not None
    assert lucky.gain > 50
    assert lucky.gain_low == 0.0


GOOD = Evidence(hours=HOURS, skill=20, gain=5, gain_low=1, pinball=-2, coverage80=80, coverage95=95)


@pytest.mark.parametrize(
    "short",
    [
        {"hours": 13 * 24},
        {"gain_low": 0.0},
        {"gain_low": None},
        {"pinball": 0.1},
        {"coverage80": 76.9},
        {"coverage80": 84.1},
        {"coverage95": 92.9},
        {"coverage95": 97.1},
        {"coverage80": None},
    ],
)
def test_a_promotion_asks_for_all_of_it(short: dict[str, float]) -> None:
    """Enough hours, a gain that is no luck, no worse a pinball loss, and both coverages: what lacks one is refused."""
    assert passes(GOOD)
    assert not passes(Evidence(**{name: getattr(GOOD, name) for name in GOOD.__struct_fields__} | short))


def test_the_first_to_serve_is_the_champion_where_it_is_better_than_persistence() -> None:
    """Without a past the linear model serves if it would have been better, and persistence that is damped if not."""
    assert choose(None, tracks(linear=0.8, damped=0.9)).model == LINEAR
    assert choose(None, tracks(linear=1.3, damped=0.9)).model == DAMPED
    few = {name: one.last(13) for name, one in tracks(linear=0.5, damped=0.9).items()}
    assert choose(None, few).model == DAMPED
    assert "less than 14 days" in choose(None, few).reason


def test_who_is_worse_than_persistence_for_two_weeks_steps_down() -> None:
    """The fall back looks at the last 14 days, not at better ones before, and says why."""
    shocked = tracks(linear=0.7, damped=0.9)
    bad = shown(LINEAR, 1.3)
    late = slice(14 * 24, None)
    quantiles = shocked[LINEAR].quantiles.copy()
    quantiles[late] = bad.quantiles[late] + 0.3
    fallen = choose(LINEAR, shocked | {LINEAR: shocked[LINEAR]._replace(quantiles=quantiles)})
    assert fallen.model == DAMPED
    assert "above that of persistence over the last 14 days" in fallen.reason
    assert choose(LINEAR, shocked) == ("linear", "", evidence(shocked[LINEAR]))


def test_whoever_serves_stays_until_another_is_shown_to_be_better() -> None:
    """A rival that is as good is not promoted; one that is better is, with the gain and its bound in the reason."""
    assert choose(DAMPED, tracks(damped=0.9, linear=0.9)).model == DAMPED
    better = choose(DAMPED, tracks(damped=0.9, linear=0.7))
    assert better.model == LINEAR
    assert "below that of damped persistence over the last 28 days (at least " in better.reason
    assert choose(LINEAR, tracks(linear=0.8, damped=0.9, challenger=0.7)).model == CHALLENGER
    assert choose(LINEAR, tracks(linear=0.8, damped=0.9, challenger=0.79)).model == LINEAR


def test_nobody_is_promoted_with_bounds_that_do_not_hold() -> None:
    """A rival with smaller errors, but bounds half as wide as they should be, does not come to serve."""
    narrow = tracks(damped=0.9) | {LINEAR: shown(LINEAR, 0.6, wide=0.5)}
    assert choose(DAMPED, narrow).model == DAMPED


def test_a_model_that_is_gone_is_followed_by_the_champion() -> None:
    """A challenger whose library was removed does not take the forecast with it."""
    assert choose(CHALLENGER, tracks(linear=0.8, damped=0.9)).model == LINEAR


@pytest.mark.parametrize("width", [0.4, 1.0, 2.0])
def test_bounds_are_corrected_whatever_they_were(width: float) -> None:
    """Bounds much too narrow, or much too wide, hold their shares of hours once they are corrected."""
    sight = Sight(made_up(120), Series(STATION, "pm25", 1))
    model = learn(LINEAR, sight, 24 * 40)
    wrong = msgspec.structs.replace(model, tails=[[width * number for number in tail] for tail in model.tails])
    of = raw(sight, {40: wrong}, first_origin(50), first_origin(120))
    found = evidence(track(sight, LINEAR, of, corrections(of, sight.series, range(78, 120))))
    assert 77.5 <= (found.coverage80 or 0) <= 84
    assert 93.5 <= (found.coverage95 or 0) <= 97.5


def test_a_correction_knows_nothing_of_its_own_day() -> None:
    """The correction of a day is the same whatever the hours of that day bring."""
    sight = Sight(made_up(120), Series(STATION, "pm25", 2))
    model = learn(LINEAR, sight, 24 * 40)
    changed = sight.values.copy()
    changed[24 * 100 :] += 30
    other = Sight(made_up(120, pm25=changed), sight.series)
    for day, same in ((100, True), (102, False)):
        found = [
            corrections(raw(one, {40: model}, first_origin(60), first_origin(119)), sight.series, range(day, day + 1))
            for one in (sight, other)
        ]
        assert np.array_equal(found[0][day], found[1][day]) is same


def test_few_errors_correct_nothing() -> None:
    """In its first week a model's own bounds stand."""
    sight = Sight(made_up(60), Series(STATION, "pm25", 1))
    of = raw(sight, {50: learn(LINEAR, sight, 24 * 50)}, first_origin(50), first_origin(60))
    moved = corrections(of, sight.series, range(50, 60))
    assert not moved[56].any()
    assert moved[58].any()


def weeks(value: float, noise: float, *, share: float = 0.0) -> Values:
    """Two weeks of a sensor: `share` of the hours one value, the others noise about it."""
    draws = np.random.default_rng(3)
    values = value + noise * draws.normal(size=14 * 24)
    values[: round(share * len(values))] = value
    return values


def test_a_sensor_that_says_one_thing_is_dead() -> None:
    """From 95 % of identical hours over 14 days on a sensor has no forecast, and the reason says what it says."""
    assert fault(weeks(3.0, 1.0, share=0.94), "pm25") is None
    assert fault(weeks(3.0, 1.0, share=0.96), "pm25") == (
        "it is dead: 3 µg/m³ in 96.1 % of the hours of the last 14 days"
    )


def test_a_sensor_that_reads_below_zero_has_no_forecast() -> None:
    """Nine hours of ten below zero are no concentration, however they move."""
    assert fault(weeks(-0.5, 0.1), "co") == (
        "its zero has drifted: 100 % of the hours of the last 14 days are below zero"
    )
    assert fault(weeks(0.0, 0.1), "co") is None


def test_only_the_last_two_weeks_count() -> None:
    """A sensor that was dead and was replaced is forecast, once two weeks have shown that it lives."""
    assert fault(np.concatenate([np.zeros(24 * 90), particles(14 * 24, 1)]), "pm25") is None
    assert fault(np.concatenate([np.zeros(24 * 14), particles(16, 1)]), "pm25") is not None


def test_few_hours_are_no_proof_of_death() -> None:
    """A sensor with less than a week of hours is not called dead."""
    assert fault(np.zeros(7 * 24 - 1), "pm25") is None
