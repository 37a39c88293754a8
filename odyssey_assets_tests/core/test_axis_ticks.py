import math

from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core.axis_ticks import log_ticks


@given(low=st.floats(1e-3, 1e3), fold=st.floats(1.0, 1e6))
@settings(max_examples=150, deadline=None)
def test_log_ticks_are_a_handful_ascending_and_near_the_data(low: float, fold: float) -> None:
    ticks = log_ticks(low, low * fold)
    assert 1 <= len(ticks) <= 14
    assert ticks == sorted(set(ticks))
    assert ticks[0] > 0
    slack = max(0.25 * (low * fold - low), 0.02 * low * fold)
    assert ticks[0] >= low - slack
    assert ticks[-1] <= low * fold + slack


@given(low=st.floats(0.1, 10.0), fold=st.floats(1.05, 1000.0))
@settings(max_examples=100, deadline=None)
def test_log_ticks_are_round(low: float, fold: float) -> None:
    for tick in log_ticks(low, low * fold):
        digits = tick / 10 ** math.floor(math.log10(tick) + 1e-12)
        assert abs(digits * 40 - round(digits * 40)) < 1e-6 or fold < 1.3


def test_log_ticks_of_one_value_name_it() -> None:
    assert 1.0 in log_ticks(1.0, 1.0)


def test_log_ticks_of_decades_skip_and_of_a_small_range_are_even() -> None:
    assert log_ticks(1.0, 1000.0) == [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]
    assert log_ticks(1.0, 20.0) == [1.0, 2.0, 5.0, 10.0, 20.0]
    assert log_ticks(0.9, 2.6) == [1.0, 1.5, 2.0, 2.5]
