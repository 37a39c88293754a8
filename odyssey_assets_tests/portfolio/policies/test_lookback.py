import numpy as np
import pytest

from odyssey_assets.portfolio.policies.lookback import look_back
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market

SESSIONS = 20


def test_returns_are_the_last_ones_of_every_ticker() -> None:
    market = random_market(60, 3)
    past = look_back(market.until(59), SESSIONS)

    assert past is not None
    assert past.columns.tolist() == [0, 1, 2]
    assert past.returns.shape == (SESSIONS, 3)
    assert past.returns == pytest.approx(market.panel.returns[-SESSIONS:])
    assert past.volatility == pytest.approx(market.panel.returns[-SESSIONS:].std(axis=0, ddof=1))


def test_ticker_listed_too_late_is_left_out_until_its_lookback_is_full() -> None:
    market = random_market(60, 3, listed_from={1: 30})

    before, after = (look_back(market.until(row), SESSIONS) for row in (49, 50))

    assert before is not None
    assert before.columns.tolist() == [0, 2]
    assert after is not None
    assert after.columns.tolist() == [0, 1, 2]
    assert not np.isnan(after.returns).any()


def test_ticker_without_a_bar_now_is_left_out_and_one_with_a_gap_before_is_not() -> None:
    has_bar = np.ones((60, 3), dtype=np.bool_)
    has_bar[-1, 0] = has_bar[-5, 1] = False
    close = random_market(60, 3).panel.close
    past = look_back(market_of_closes(close, has_bar=has_bar).until(59), SESSIONS)

    assert past is not None
    assert past.columns.tolist() == [1, 2]
    assert past.returns[-5, 0] == 0


@pytest.mark.parametrize("growth", [0.0, 1e-4])
def test_price_without_risk_is_left_out(growth: float) -> None:
    close = random_market(60, 2).panel.close.copy()
    close[:, 0] = 100 * (1 + growth) ** np.arange(60)
    past = look_back(market_of_closes(close).until(59), SESSIONS)

    assert past is not None
    assert past.columns.tolist() == [1]


def test_history_one_session_short_gives_nothing() -> None:
    market = random_market(60, 2)
    assert look_back(market.until(SESSIONS - 1), SESSIONS) is None
    assert look_back(market.until(SESSIONS), SESSIONS) is not None


def test_market_in_which_nothing_moves_gives_nothing() -> None:
    assert look_back(market_of_closes(np.full((60, 2), 7.0)).until(59), SESSIONS) is None
