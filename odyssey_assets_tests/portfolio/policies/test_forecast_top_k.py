import numpy as np
import pytest

from odyssey_assets.portfolio.policies.forecast_top_k import ForecastTopK
from odyssey_assets_tests.portfolio.markets import market_of_closes

RULE = ForecastTopK(count=2, max_weight=0.3, budget=0.8)
NONE = np.nan


def weights_of(
    forecasts: list[float], halted: int | None = None, rule: ForecastTopK = RULE
) -> np.ndarray | None:
    close = np.full((3, len(forecasts)), 10.0)
    has_bar = np.ones(close.shape, dtype=np.bool_)
    if halted is not None:
        has_bar[-1, halted] = False
    market = market_of_closes(close, np.array(forecasts), has_bar=has_bar)
    return rule.decide(market.until(2), np.zeros(len(forecasts)))


def test_best_forecasts_share_the_budget_up_to_the_cap() -> None:
    assert weights_of([0.01, 0.03, -0.02, 0.02]) == pytest.approx([0, 0.3, 0, 0.3])
    wide = ForecastTopK(count=2, max_weight=1.0, budget=0.8)
    assert weights_of([0.01, 0.03, -0.02, 0.02], rule=wide) == pytest.approx([0, 0.4, 0, 0.4])


def test_only_positive_forecasts_are_held() -> None:
    assert weights_of([-0.01, 0.03, -0.02, 0.0]) == pytest.approx([0, 0.3, 0, 0])


def test_forecasts_without_a_positive_one_mean_cash() -> None:
    assert weights_of([-0.01, -0.03, NONE]) == pytest.approx([0, 0, 0])


def test_no_forecast_decides_nothing() -> None:
    assert weights_of([NONE, NONE]) is None
    assert weights_of([0.1, NONE], halted=0) is None


def test_halted_ticker_is_not_chosen() -> None:
    assert weights_of([0.03, 0.02, 0.01], halted=0) == pytest.approx([0, 0.3, 0.3])


def test_equal_forecasts_are_won_by_the_tickers_named_first() -> None:
    assert weights_of([0.01] * 4) == pytest.approx([0.3, 0.3, 0, 0])
