"""The detector: what it finds, what it leaves, and that its state is all there is of it."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.anomalies.detector import ALARM, SurpriseDetector, SurpriseDetectors
from shared.anomalies.models import Verdict

MINUTE = 60.0
HOUR = 60


def judged(values: list[float], warm_up: int = HOUR) -> list[Verdict]:
    """The verdicts on a series with a point a minute."""
    detector = SurpriseDetectors().new(MINUTE, warm_up)
    return [detector.judge(place * MINUTE, value) for place, value in enumerate(values)]


def noise(count: int, seed: int = 1, mean: float = 100.0) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(mean, mean / 10) for _ in range(count)]


@pytest.mark.parametrize("seed", range(8))
def test_a_hundredfold_spike_after_an_hour_is_an_alarm_at_once(seed: int) -> None:
    *before, spike = judged([*noise(HOUR, seed), 10_000.0])
    assert not any(verdict.alarm for verdict in before)
    assert spike.alarm
    assert spike.score > 3 * ALARM
    assert 50 < spike.expected < 150


def test_an_alarm_shortly_before_does_not_hide_a_much_larger_one() -> None:
    verdicts = judged([*noise(300), 400.0, *noise(3, 2), 10_000.0])
    assert verdicts[300].alarm
    assert verdicts[304].alarm
    assert verdicts[304].score > verdicts[300].score


def test_what_follows_an_alarm_is_part_of_the_same_story() -> None:
    verdicts = judged([*noise(300), *noise(10, 2, 1000.0)])
    assert [verdict.alarm for verdict in verdicts[300:]].count(True) == 1
    assert all(verdict.quiet for verdict in verdicts[301:])


def test_nothing_is_said_during_the_warm_up() -> None:
    assert {verdict.score for verdict in judged([*noise(30), 1e9, *noise(29)])} == {0.0}


def test_a_series_that_never_moves_never_alarms() -> None:
    assert not any(verdict.alarm for verdict in judged([5.0] * 2000))


def test_a_fall_to_nothing_in_a_steady_series_is_an_alarm() -> None:
    verdicts = judged([*noise(600), *[0.0] * 20])
    assert any(verdict.alarm for verdict in verdicts[600:])


def test_the_time_of_day_is_learnt() -> None:
    """A daily swing is expected on the third day; the same value at the wrong time is not."""
    day = [100 + 80 * math.sin(2 * math.pi * minute / 1440) for minute in range(1440)]
    chance = random.Random(3)
    series = [value + chance.gauss(0, 2) for value in day * 3]
    verdicts = judged([*series, day[720]])
    high_noon = judged([*series[:-1080], day[1080]])[-1]
    assert not verdicts[-1].alarm
    assert abs(verdicts[-1].expected - day[0]) < 10
    assert high_noon.alarm


@given(
    values=st.lists(st.floats(-1e12, 1e12) | st.just(0.0), min_size=1, max_size=150),
    warm_up=st.integers(1, 60),
    cuts=st.sets(st.integers(0, 149)),
)
def test_it_goes_on_from_its_state_as_if_it_had_not_stopped(
    values: list[float], warm_up: int, cuts: set[int]
) -> None:
    steady = interrupted = SurpriseDetectors().new(MINUTE, warm_up)
    loaded = SurpriseDetectors().load(steady.dump())
    assert loaded is not None
    interrupted = loaded
    for place, value in enumerate(values):
        if place in cuts:
            again = SurpriseDetectors().load(interrupted.dump())
            assert again is not None
            interrupted = again
        verdict = steady.judge(place * MINUTE, value)
        assert interrupted.judge(place * MINUTE, value) == verdict
        assert math.isfinite(verdict.score)
        assert verdict.score >= 0


@pytest.mark.parametrize(("interval", "warm_up"), [(60.0, 750), (300.0, 750), (60.0, 60)])
def test_its_state_stays_small(interval: float, warm_up: int) -> None:
    detector = SurpriseDetectors().new(interval, warm_up)
    chance = random.Random(5)
    largest = 0
    for place in range(6000):
        detector.judge(place * interval, chance.lognormvariate(0, 4) * 10 ** chance.randrange(-3, 4))
        if place % 500 == 0:
            largest = max(largest, len(detector.dump()))
    assert max(largest, len(detector.dump())) <= 24 * 1024


@pytest.mark.parametrize("state", [b"", b"\x00", b"not a state", b"\x80"])
def test_a_state_that_is_none_is_told(state: bytes) -> None:
    assert SurpriseDetectors().load(state) is None


def test_a_state_of_another_version_is_told() -> None:
    detector = SurpriseDetectors().new(MINUTE, HOUR)
    detector.version += 1
    assert SurpriseDetectors().load(detector.dump()) is None


def test_new_detectors_share_nothing() -> None:
    first, second = (SurpriseDetectors().new(MINUTE, HOUR) for _ in range(2))
    for place, value in enumerate(noise(200)):
        first.judge(place * MINUTE, value)
    assert second.dump() == SurpriseDetectors().new(MINUTE, HOUR).dump()
    assert isinstance(second, SurpriseDetector)


def test_alarms_on_noise_are_few_at_the_scores_that_people_are_told_of() -> None:
    scores = [verdict.score for verdict in judged(noise(4 * 1440)) if verdict.alarm]
    days = 4
    counts = [sum(score >= least for score in scores) / days for least in (ALARM, 6, 8)]
    assert all(more >= fewer for more, fewer in pairwise(counts))
    assert counts[1] <= 2
