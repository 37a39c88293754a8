import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.market_data.adjustments import as_traded, forward_factors
from odyssey_assets_tests.market_data.raw_history import changed, raw_history


def test_as_traded_of_an_unadjusted_row_is_what_was_delivered() -> None:
    raw = changed(raw_history(5), 2, close=123.1234, dividend=0.123456)
    traded = as_traded(raw)
    for name in ("open", "high", "low", "close", "volume", "dividend"):
        assert traded[name].tolist() == raw[name].tolist()


def test_as_traded_drops_the_vendors_float_noise_before_a_split_too() -> None:
    before = changed(raw_history(5), 2, close=588.219971)
    after = changed(raw_history(5), 2, close=588.219971 / 4, split_adjustment=4.0)
    assert as_traded(before)["close"][2] == as_traded(after)["close"][2] == 588.22


def test_as_traded_of_a_split_adjusted_row_undoes_the_later_splits() -> None:
    raw = changed(
        raw_history(5), 2, split_adjustment=28.0, open=24.8275, high=25, low=24, close=24.65,
        volume=2_800_014.0, dividend=0.0535714286,
    )  # fmt: skip
    row = as_traded(raw).iloc[2]
    assert row["close"] == 690.2
    assert row["open"] == 695.17
    assert row["volume"] == 100_000.0
    assert row["dividend"] == 1.5


def test_as_traded_of_a_vendor_that_only_sends_adjusted_prices_changes_nothing() -> None:
    raw = raw_history(5).assign(is_as_traded=False, split_adjustment=4.0)
    assert as_traded(raw)["close"].tolist() == raw["close"].tolist()


def test_as_traded_reads_a_missing_dividend_as_none() -> None:
    assert as_traded(raw_history(3).assign(dividend=np.nan))["dividend"].tolist() == [0.0] * 3


@settings(max_examples=25, deadline=None)
@given(
    cents=st.integers(1, 10_000_000),
    ratio=st.sampled_from([0.1, 0.5, 1.5, 2.0, 3.0, 4.0, 7.0, 10.0, 20.0, 28.0]),
)
def test_as_traded_gives_back_the_cents_from_before_the_split(cents: int, ratio: float) -> None:
    price = cents / 100
    raw = raw_history(1).assign(split_adjustment=ratio, close=price / ratio)
    assert as_traded(raw)["close"].iloc[0] == price


def test_forward_factors_without_actions_are_one() -> None:
    split, total = forward_factors(np.array([10.0, 11.0, 9.0]), np.zeros(3), np.ones(3))
    assert split.tolist() == [1.0, 1.0, 1.0]
    assert total.tolist() == [1.0, 1.0, 1.0]


def test_forward_factors_of_a_two_for_one_split_with_a_dividend_on_the_same_day() -> None:
    """A holder of one share at 100 has two of 49 and 2 x 1 USD: nothing gained, nothing lost."""
    close = np.array([100.0, 49.0, 49.0])
    split, total = forward_factors(close, np.array([0.0, 1.0, 0.0]), np.array([1.0, 2.0, 1.0]))
    assert split.tolist() == [1.0, 2.0, 2.0]
    assert total[1] == pytest.approx(2.0 / (1.0 - 1.0 / 50.0), rel=1e-15)
    assert close[1] * total[1] == pytest.approx(100.0, rel=1e-15)


def test_forward_factors_ignore_actions_of_the_first_bar() -> None:
    split, total = forward_factors(
        np.array([100.0, 101.0]), np.array([3.0, 0.0]), np.array([4.0, 1.0])
    )
    assert split.tolist() == [1.0, 1.0]
    assert total.tolist() == [1.0, 1.0]


@given(
    days=st.lists(
        st.tuples(
            st.floats(1, 1000), st.floats(0, 0.4), st.sampled_from([1.0, 1.0, 2.0, 7.0, 0.5])
        ),
        min_size=1,
        max_size=30,
    ),
    cut=st.integers(1, 30),
)
def test_forward_factors_equal_a_holder_who_reinvests_and_never_see_later_bars(
    days: list[tuple[float, float, float]], cut: int
) -> None:
    """Oracle: shares held when every dividend buys shares at the ex-dividend previous close."""
    close, shares_of_price, split_ratio = (np.array(values) for values in zip(*days, strict=True))
    previous = np.r_[close[0], close[:-1]] / split_ratio
    dividend = shares_of_price * previous
    split, total = forward_factors(close, dividend, split_ratio)

    held = [1.0]
    for day in range(1, len(days)):
        after_split = held[-1] * split_ratio[day]
        cash = after_split * dividend[day]
        held.append(after_split + cash / (previous[day] - dividend[day]))
    np.testing.assert_allclose(total, held, rtol=1e-12)

    head_split, head_total = forward_factors(close[:cut], dividend[:cut], split_ratio[:cut])
    assert np.array_equal(split[:cut], head_split)
    assert np.array_equal(total[:cut], head_total)
