"""What holds of every implementation of the ports Detector and Detectors."""

from __future__ import annotations

import pytest

from shared.anomalies.detector import SurpriseDetectors
from shared.anomalies.ports import Detectors
from shared.anomalies.states import MOST_BYTES
from tests.fakes.detectors import PlainDetectors

WARM_UP = 45
VALUES = [98.0 + (place * 2_654_435_761 >> 7) % 5 for place in range(100)]


@pytest.fixture(params=[SurpriseDetectors, PlainDetectors])
def detectors(request: pytest.FixtureRequest) -> Detectors:
    made: Detectors = request.param()
    return made


def test_a_new_one_says_nothing_until_it_is_warm(detectors: Detectors) -> None:
    detector = detectors.new(60.0, WARM_UP)
    for place, value in enumerate([*VALUES[: WARM_UP - 1], 10_000.0]):
        assert detector.band(60.0 * place) is None
        verdict = detector.judge(60.0 * place, value)
        assert (verdict.score, verdict.alarm, verdict.quiet, verdict.stream) == (0.0, False, False, "")


def test_a_hundredfold_point_is_an_alarm_and_what_follows_is_quiet(detectors: Detectors) -> None:
    detector = detectors.new(60.0, WARM_UP)
    verdicts = [detector.judge(60.0 * place, value) for place, value in enumerate([*VALUES, 10_000.0, 100.0])]
    assert [verdict.alarm for verdict in verdicts].index(True) == len(VALUES)
    assert verdicts[len(VALUES)].expected == pytest.approx(100, rel=0.1)
    assert verdicts[len(VALUES)].stream
    assert verdicts[-1].quiet


def test_the_band_holds_what_is_expected_and_leaves_out_an_alarm(detectors: Detectors) -> None:
    detector = detectors.new(60.0, WARM_UP)
    for place, value in enumerate(VALUES):
        detector.judge(60.0 * place, value)
    band = detector.band(60.0 * len(VALUES))
    assert band is not None
    assert band.low <= band.expected <= band.high
    assert band.low < 98
    assert 102 < band.high < 10_000
    assert detector.judge(60.0 * len(VALUES), 10_000.0).expected == band.expected


def test_one_that_is_loaded_goes_on_as_if_it_had_not_stopped(detectors: Detectors) -> None:
    steady = detectors.new(60.0, WARM_UP)
    state = steady.dump()
    for place, value in enumerate(VALUES):
        loaded = detectors.load(state)
        assert loaded is not None
        assert loaded.band(60.0 * place) == steady.band(60.0 * place)
        assert loaded.judge(60.0 * place, value) == steady.judge(60.0 * place, value)
        state = loaded.dump()
        assert state == steady.dump()
    assert len(state) <= MOST_BYTES


@pytest.mark.parametrize("state", [b"", b"\x00", b"not a state", b"\x80"])
def test_a_state_that_is_none_is_told(detectors: Detectors, state: bytes) -> None:
    assert detectors.load(state) is None
