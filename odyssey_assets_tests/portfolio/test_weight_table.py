from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.windows import window_starts
from odyssey_assets.portfolio.contender import Contender, Stretch
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.rollout import Rollout, roll_out
from odyssey_assets.portfolio.tables import SEED_PATHS, WEIGHTS
from odyssey_assets.portfolio.weight_table import seed_path_rows, weight_rows
from odyssey_assets_tests.portfolio.markets import random_market
from odyssey_assets_tests.portfolio.rules import LIMITS, Constant, Restless, contender

COSTS = TradingCosts(10.0, 5.0)
LATE, LATE_SESSION = 1, 60
NEWEST = date(2015, 7, 1)
OLD, NEW = "a" * 64, "b" * 64


def seed(number: int, *, is_own: bool, is_main: bool = False) -> Contender:
    """Return a seed that follows the main one before the newest window and its own way in it."""
    own = Constant([0.1 + (number - 40) / 100, 0.05, 0.2]) if is_own else Constant([0.1, 0.05, 0.2])
    stretches = (
        Stretch(date(2015, 2, 1), Constant([0.1, 0.1, 0.1]), OLD, is_own_training=is_main),
        Stretch(NEWEST, own, NEW, is_own_training=is_own or is_main),
    )
    return Contender("ppo", number, is_main, "daily", LIMITS, stretches)


CONTENDERS = (
    contender(Constant([0.3, 0.2, 0.1], first=10), "steady", "monthly"),
    contender(Constant([0.3, 0.2, 0.1], first=999), "never"),
    seed(42, is_own=True, is_main=True),
    seed(43, is_own=True),
    seed(44, is_own=True),
    seed(45, is_own=False),
)


@pytest.fixture(scope="module")
def market() -> PortfolioMarket:
    return random_market(200, 3, halt_share=0.05, listed_from={LATE: LATE_SESSION})


@pytest.fixture(scope="module")
def rollout(market: PortfolioMarket) -> Rollout:
    return roll_out(market, CONTENDERS, COSTS, 1e6)


@pytest.fixture(scope="module")
def weights(rollout: Rollout, market: PortfolioMarket) -> pd.DataFrame:
    return weight_rows(rollout, market, CONTENDERS)


@pytest.fixture(scope="module")
def paths(rollout: Rollout, market: PortfolioMarket) -> pd.DataFrame:
    return seed_path_rows(rollout, market, CONTENDERS)


def matrix(rows: pd.DataFrame, policy: str, column: str, market: PortfolioMarket) -> np.ndarray:
    """Return a column as sessions by tickers, NaN where there is no row."""
    own = rows[rows["policy"] == policy]
    wide = own.pivot_table(index="date", columns="ticker", values=column, dropna=False)
    return wide.reindex(index=market.panel.dates, columns=list(market.panel.tickers)).to_numpy()


def test_rows_keep_the_contracts(weights: pd.DataFrame, paths: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(weights, WEIGHTS.conform(weights))
    pd.testing.assert_frame_equal(paths, SEED_PATHS.conform(paths))
    assert weights["target_weight"].between(0, 1).all()
    assert weights["held_weight"].between(0, 1).all()


@pytest.mark.parametrize(("policy", "row"), [("steady", 0), ("ppo", 2)])
def test_rows_are_the_rollout_of_listed_tickers_from_the_first_decision_on(
    policy: str, row: int, weights: pd.DataFrame, rollout: Rollout, market: PortfolioMarket
) -> None:
    is_row = market.panel.is_listed.copy()
    is_row[: rollout.first[row]] = False
    for column, values in (
        ("target_weight", rollout.targets[row]),
        ("held_weight", rollout.held[row]),
        ("is_halted", ~market.panel.has_bar),
        ("is_decision", np.broadcast_to(rollout.is_decision[row][:, None], is_row.shape)),
    ):
        expected = np.where(is_row, values.astype(np.float64), np.nan)
        np.testing.assert_array_equal(matrix(weights, policy, column, market), expected)
    assert 10 < rollout.first[row] < LATE_SESSION


def test_only_main_seeds_and_who_ever_decided_have_rows(weights: pd.DataFrame) -> None:
    assert set(weights["policy"]) == {"steady", "ppo"}
    assert not weights.duplicated(["policy", "date", "ticker"]).any()
    assert (weights["window"] == window_starts(weights["date"])).all()


def test_spread_counts_the_seeds_that_were_trained_for_the_window(
    weights: pd.DataFrame, rollout: Rollout, market: PortfolioMarket
) -> None:
    own = weights[weights["policy"] == "ppo"]
    before, newest = (own[(own["date"] >= str(NEWEST)) == late] for late in (False, True))

    assert (before["seed_count"] == 1).all()
    assert before["target_weight_seed_std"].isna().all()
    assert (newest["seed_count"] == 3).all()
    expected = np.std(rollout.targets[[2, 3, 4]], axis=0, ddof=1)
    found = matrix(newest, "ppo", "target_weight_seed_std", market)
    late = market.panel.dates >= np.datetime64(NEWEST)
    np.testing.assert_allclose(found[late], expected[late], rtol=1e-12, atol=1e-15)
    assert np.nanmax(found) > 0.005
    is_same = np.ptp(rollout.targets[[2, 3, 4]], axis=0) == 0
    assert (found[is_same & late[:, None]] == 0).all()


def test_rule_has_no_seeds_and_no_model(weights: pd.DataFrame) -> None:
    rule = weights[weights["policy"] == "steady"]
    assert (rule["seed_count"] == 0).all()
    assert rule["target_weight_seed_std"].isna().all()
    assert rule["model_sha256"].isna().all()


def test_model_is_the_one_that_made_the_last_decision(market: PortfolioMarket) -> None:
    days = market.panel.dates.tolist()
    stretches = (
        Stretch(None, Constant([0.1, 0.1, 0.1]), OLD),
        Stretch(days[70], Constant([0.2, 0.1, 0.1], first=90), NEW),
    )
    one = (Contender("ppo", 1, True, "daily", LIMITS, stretches),)
    rows = weight_rows(roll_out(market, one, COSTS, 1e6), market, one)

    models = rows.groupby("date")["model_sha256"].first()
    assert (models[: pd.Timestamp(days[89])] == OLD).all()
    assert (models[pd.Timestamp(days[90]) :] == NEW).all()


def test_every_seed_has_a_path_of_its_own_equity(
    paths: pd.DataFrame, rollout: Rollout, market: PortfolioMarket
) -> None:
    assert sorted(set(paths["seed"])) == [42, 43, 44, 45]
    for row in (2, 3, 4, 5):
        own = paths[paths["seed"] == CONTENDERS[row].seed].sort_values("date")
        after = slice(rollout.first[row] + 1, None)
        assert own["date"].tolist() == pd.DatetimeIndex(market.panel.dates[after]).tolist()
        assert own["equity"].tolist() == rollout.equity[row, after].tolist()
        assert own["return"].tolist() == rollout.returns[row, after].tolist()
        assert (own["is_main_seed"] == (row == 2)).all()


def test_seed_path_says_where_it_borrows_the_main_training(paths: pd.DataFrame) -> None:
    is_newest = paths["date"] >= str(NEWEST)
    own = paths.groupby(["seed", is_newest])["is_own_training"].agg(["min", "max"])
    assert (own["min"] == own["max"]).all()
    assert own["max"].tolist() == [True, True, False, True, False, True, False, False]
    main, borrowed = (paths[paths["seed"] == number] for number in (42, 43))
    old = ~is_newest
    assert main.loc[old, "equity"].tolist() == borrowed.loc[old, "equity"].tolist()
    assert main["equity"].tolist() != borrowed["equity"].tolist()


def test_nobody_and_nobody_who_decides_give_no_rows(market: PortfolioMarket) -> None:
    for contenders in ((), CONTENDERS[1:2]):
        rollout = roll_out(market, contenders, COSTS, 1e6)
        assert weight_rows(rollout, market, contenders).equals(WEIGHTS.empty())
        assert seed_path_rows(rollout, market, contenders).equals(SEED_PATHS.empty())


def test_first_decision_at_the_last_close_has_weights_and_no_path_yet() -> None:
    market = random_market(20, 3)
    one = (Contender("ppo", 1, True, "daily", LIMITS, (Stretch(None, Restless(2)),)),)
    late = (Contender("ppo", 1, True, "daily", LIMITS, (Stretch(None, Constant([0.1] * 3, 19)),)),)
    assert len(weight_rows(roll_out(market, late, COSTS, 1e6), market, late)) == 3
    assert seed_path_rows(roll_out(market, late, COSTS, 1e6), market, late).empty
    assert len(seed_path_rows(roll_out(market, one, COSTS, 1e6), market, one)) > 15
