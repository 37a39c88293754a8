import numpy as np
import pytest

from odyssey_assets.portfolio.policies.buy_and_hold import BuyAndHold
from odyssey_assets_tests.portfolio.markets import random_market

RULE = BuyAndHold("T01", 0.8)


def test_whole_weight_goes_into_the_one_ticker() -> None:
    assert RULE.decide(random_market(3, 3).until(0), np.zeros(3)) == pytest.approx([0, 0.8, 0])


def test_ticker_that_does_not_trade_yet_decides_nothing() -> None:
    market = random_market(9, 3, listed_from={1: 4})
    assert RULE.decide(market.until(3), np.zeros(3)) is None
    assert RULE.decide(market.until(4), np.zeros(3)) is not None
