"""Stages are timed from outside, once each, and estimators are left as they were."""

import pytest

from bertopic_matryoshka.comparison import _stopwatch as stopwatch
from bertopic_matryoshka.comparison._stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch):
    """A clock that only work moves."""
    now = [0.0]
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])
    return now


class Estimator:
    def __init__(self, clock):
        self.clock = clock

    def fit(self, X):
        self.clock[0] += 2
        return self

    def transform(self, X):
        self.clock[0] += 1
        return X

    def fit_transform(self, X):
        return self.fit(X).transform(X)


def test_calls_within_calls_count_once(clock):
    watch, estimator = Stopwatch(), Estimator(clock)
    with watch.running("all"), watch.watching(estimator, "reduce"):
        clock[0] += 10
        estimator.fit_transform("X")
        estimator.transform("X")
    assert watch.seconds == {"all": 14, "reduce": 4}


def test_the_estimator_is_left_as_it_was_even_after_an_error(clock):
    watch, estimator = Stopwatch(), Estimator(clock)
    with pytest.raises(ZeroDivisionError), watch.watching(estimator, "reduce"):
        1 / 0  # noqa: B018
    assert vars(estimator) == {"clock": clock}
    estimator.fit("X")
    assert watch.seconds == {}
