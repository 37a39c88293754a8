import math

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.seed_spread import SeedPaths, seed_paths_of
from odyssey_assets.core.drawdowns import max_drawdown
from odyssey_assets.core.returns import sharpe, total_return

DATES = pd.bdate_range("2015-06-29", periods=6).to_numpy()
RETURNS = np.array(
    [
        [0.01, -0.02, 0.03, 0.01, 0.02, -0.01],
        [0.01, -0.02, 0.03, 0.04, 0.01, 0.01],
        [0.01, -0.02, 0.03, -0.05, 0.03, 0.00],
    ]
)
OWN = np.array([[True] * 6, [False] * 3 + [True] * 3, [False] * 3 + [True] * 3])
PATHS = SeedPaths(RETURNS, OWN)


def test_spread_of_a_window_with_three_trainings_spans_all_of_them() -> None:
    spread = PATHS.spread(slice(3, 6))

    assert spread["seed_count"] == 3
    for name, figure in (
        ("sharpe", sharpe),
        ("total_return", total_return),
        ("max_drawdown", max_drawdown),
    ):
        of_seeds = figure(RETURNS[:, 3:6])
        assert spread[f"{name}_seed_low"] == of_seeds.min() < of_seeds.max()
        assert spread[f"{name}_seed_high"] == of_seeds.max()


def test_spread_of_a_window_with_one_training_is_that_trainings_figure() -> None:
    spread = PATHS.spread(slice(0, 3))

    assert spread["seed_count"] == 1
    assert spread["sharpe_seed_low"] == spread["sharpe_seed_high"] == sharpe(RETURNS[0, :3])


def test_spread_of_all_sessions_counts_trainings_of_any_window() -> None:
    spread = PATHS.spread(slice(0, 6))

    assert spread["seed_count"] == 3
    assert spread["total_return_seed_high"] == total_return(RETURNS[1])


def test_seed_without_a_path_on_every_session_does_not_count() -> None:
    returns = RETURNS.copy()
    returns[1, 4] = np.nan
    spread = SeedPaths(returns, OWN).spread(slice(3, 6))

    assert spread["seed_count"] == 2
    assert spread["total_return_seed_high"] == total_return(RETURNS[0, 3:])


def test_seed_without_a_sharpe_ratio_leaves_the_others_spread() -> None:
    returns = RETURNS.copy()
    returns[2, 3:] = 0.0
    spread = SeedPaths(returns, OWN).spread(slice(3, 6))

    assert spread["seed_count"] == 3
    assert spread["sharpe_seed_low"] == sharpe(returns[:2, 3:]).min()
    assert spread["total_return_seed_low"] == 0.0


def stored(seeds: tuple[int, ...] = (42, 43, 44)) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {
                "policy": "ppo",
                "seed": seed,
                "date": DATES,
                "return": RETURNS[row],
                "is_own_training": OWN[row],
            }
        )
        for row, seed in enumerate(seeds)
    ]
    return pd.concat(frames).sample(frac=1, random_state=0)


def test_stored_paths_are_arranged_by_seed_and_session() -> None:
    paths = seed_paths_of(stored(), "ppo", DATES[1:5])

    np.testing.assert_array_equal(paths.returns, RETURNS[:, 1:5])
    np.testing.assert_array_equal(paths.is_own, OWN[:, 1:5])


@pytest.mark.parametrize("rows", [stored(), stored().iloc[:0]])
def test_rule_has_no_seeds_and_null_figures(rows: pd.DataFrame) -> None:
    spread = seed_paths_of(rows, "equal_weight", DATES).spread(slice(0, 6))

    assert spread.pop("seed_count") == 0
    assert len(spread) == 6
    assert all(math.isnan(value) for value in spread.values())
