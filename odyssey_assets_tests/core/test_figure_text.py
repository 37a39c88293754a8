import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.core.figure_text import (
    UNKNOWN,
    count,
    day,
    display_name,
    percent,
    ratio,
    usd,
)


@given(value=st.floats(-1e6, 1e6))
def test_worded_figure_reads_back_as_the_rounded_value(value: float) -> None:
    read = float(ratio(value).replace(",", "").replace("\N{MINUS SIGN}", "-"))
    assert read == pytest.approx(value, abs=0.005 + 1e-9)
    assert "-" not in ratio(value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_figure_that_does_not_exist_is_a_dash(value: float) -> None:
    for wording in (percent, ratio, usd, count):
        assert wording(value) == UNKNOWN
    assert day(None) == day(pd.NaT) == UNKNOWN


def test_figures_are_worded_with_unit_sign_and_thousands() -> None:
    assert percent(-0.1234) == "\N{MINUS SIGN}12.3%"
    assert percent(0.05, 0, is_signed=True) == "+5%"
    assert usd(1_234_567.8) == "1,234,568 USD"
    assert count(2638) == "2,638"
    assert day(pd.Timestamp("2024-07-01")) == "2024-07-01"


def test_rounding_leaves_no_negative_zero() -> None:
    assert percent(-0.00001) == "0.0%"
    assert ratio(-0.0) == "0.00"


def test_display_name_makes_words_of_a_catalog_name() -> None:
    assert display_name("equal_weight") == "equal weight"
    assert display_name("ppo") == "PPO"
