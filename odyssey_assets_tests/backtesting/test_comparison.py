import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.comparison import compare, comparison_rows, excessive_trading
from odyssey_assets.backtesting.performance import measure_performance
from odyssey_assets.backtesting.tables import PERFORMANCE
from odyssey_assets.core.returns import sharpe, total_return
from odyssey_assets.core.sharpe_difference import sharpe_difference_error
from odyssey_assets_tests.backtesting.synthetic_results import SyntheticResults, synthetic_results
from odyssey_assets_tests.features.markets import small_market

BARS = small_market().bars


@pytest.fixture(scope="module")
def results() -> SyntheticResults:
    return synthetic_results(("ppo", "equal_weight", "momentum"))


@pytest.fixture(scope="module")
def performance(results: SyntheticResults) -> pd.DataFrame:
    return measure_performance(results.daily, results.seed_paths, BARS, "SPY")


def common_returns(daily: pd.DataFrame, strategy: str) -> np.ndarray:
    begun = daily.loc[daily["strategy"] == "ppo", "date"].min()
    own = daily[(daily["strategy"] == strategy) & (daily["date"] >= begun)]
    return own.sort_values("date")["return"].to_numpy()


def test_strategies_are_compared_on_the_sessions_that_all_share(
    results: SyntheticResults, performance: pd.DataFrame
) -> None:
    shuffled = results.daily.sample(frac=1, random_state=1)
    found = compare(shuffled, performance, "ppo", "equal_weight")
    own, other = (common_returns(results.daily, name) for name in ("ppo", "equal_weight"))

    assert found is not None
    assert (found.strategy, found.baseline, found.sessions) == ("ppo", "equal_weight", len(own))
    assert found.sharpe == float(sharpe(own))
    assert found.baseline_sharpe == float(sharpe(other))
    assert found.difference == float(sharpe(own) - sharpe(other))
    assert found.difference_error == sharpe_difference_error(own, other)
    assert found.total_return == float(total_return(own))
    assert found.baseline_total_return == float(total_return(other))
    assert found.standard_errors == found.difference / found.difference_error


def test_better_is_who_has_the_higher_ratio(
    results: SyntheticResults, performance: pd.DataFrame
) -> None:
    ratios = {
        name: float(sharpe(common_returns(results.daily, name)))
        for name in ("ppo", "equal_weight", "momentum")
    }
    for one in ratios:
        for other in ratios:
            found = compare(results.daily, performance, one, other)
            assert found is not None
            assert found.is_better == (ratios[one] > ratios[other])


def test_comparison_carries_the_spread_over_seeds(
    results: SyntheticResults, performance: pd.DataFrame
) -> None:
    learned = compare(results.daily, performance, "ppo", "equal_weight")
    rule = compare(results.daily, performance, "momentum", "equal_weight")
    assert learned is not None
    assert rule is not None

    assert learned.seed_count == 3
    assert learned.sharpe_seed_low <= learned.sharpe <= learned.sharpe_seed_high
    assert learned.sharpe_seed_low < learned.sharpe_seed_high
    assert rule.seed_count == 0
    assert math.isnan(rule.sharpe_seed_low)
    assert math.isnan(rule.sharpe_seed_high)


def test_rows_hold_every_strategy_against_every_other_yardstick(
    results: SyntheticResults, performance: pd.DataFrame
) -> None:
    rows = comparison_rows(results.daily, performance)
    found = set(zip(rows["strategy"], rows["baseline"], strict=True))
    assert found == {("ppo", "equal_weight"), ("momentum", "equal_weight")}
    pair = compare(results.daily, performance, "ppo", "equal_weight")
    assert pair is not None
    row = rows[rows["strategy"] == "ppo"].iloc[0]
    assert row["difference"] == pair.sharpe - pair.baseline_sharpe
    assert row["difference_error"] == pair.difference_error
    assert row["total_return_difference"] == pair.total_return - pair.baseline_total_return
    assert row["is_better"] == pair.is_better
    assert row["is_clear"] == pair.is_clear
    assert comparison_rows(results.daily, PERFORMANCE.empty()).empty


@pytest.mark.parametrize(
    ("sessions", "error", "is_clear"), [(252, 0.2, True), (251, 0.2, False), (252, 0.3, False)]
)
def test_difference_is_clear_beyond_two_errors_on_a_year_of_sessions(
    results: SyntheticResults,
    performance: pd.DataFrame,
    sessions: int,
    error: float,
    is_clear: bool,
) -> None:
    pair = compare(results.daily, performance, "ppo", "equal_weight")
    assert pair is not None
    for sign in (1, -1):
        made = replace(
            pair,
            sharpe=1.0 + sign * 0.5,
            baseline_sharpe=1.0,
            sessions=sessions,
            difference_error=error,
        )
        assert made.is_clear is is_clear


def test_strategy_that_never_moves_is_not_better(
    results: SyntheticResults, performance: pd.DataFrame
) -> None:
    is_idle = results.daily["strategy"] == "ppo"
    daily = results.daily.assign(**{"return": results.daily["return"].mask(is_idle, 0.0)})
    idle = measure_performance(daily, results.seed_paths, BARS, "SPY")
    found = compare(daily, idle, "ppo", "equal_weight")

    assert found is not None
    assert math.isnan(found.sharpe)
    assert not found.is_better
    assert math.isnan(found.standard_errors)
    itself = compare(results.daily, performance, "ppo", "ppo")
    assert itself is not None
    assert not itself.is_better
    assert math.isnan(itself.standard_errors)


@pytest.mark.parametrize(("strategy", "baseline"), [("ppo", "oracle"), ("oracle", "ppo")])
def test_strategy_without_figures_is_not_compared(
    strategy: str, baseline: str, results: SyntheticResults, performance: pd.DataFrame
) -> None:
    assert compare(results.daily, performance, strategy, baseline) is None
    assert compare(results.daily, PERFORMANCE.empty(), "ppo", "equal_weight") is None


def test_excessive_trading_is_found_with_value_and_limit(performance: pd.DataFrame) -> None:
    whole = performance[performance["period"] == "whole"].set_index("strategy")
    altered = performance.copy()
    is_own = (altered["strategy"] == "momentum") & (altered["period"] == "whole")
    altered.loc[is_own, ["turnover", "annual_cost"]] = [80.0, 0.04]
    found = excessive_trading(altered, 50.0, 0.03)

    assert found["strategy"].tolist() == ["momentum", "momentum"]
    assert found["value"].tolist() == [80.0, 0.04]
    assert found["expected"].tolist() == [50.0, 0.03]
    assert found["date"].tolist() == [whole.loc["momentum", "end_date"]] * 2
    assert excessive_trading(performance, 50.0, 0.03).empty
    lowest = float(whole["turnover"].min())
    assert len(excessive_trading(performance, lowest, 1.0)) == len(whole) - 1


def test_only_the_whole_history_can_be_excessive(performance: pd.DataFrame) -> None:
    altered = performance.copy()
    altered.loc[altered["period"] != "whole", "turnover"] = 1e6
    assert excessive_trading(altered, 50.0, 1.0).empty
    assert excessive_trading(PERFORMANCE.empty(), 0.0, 0.0).empty
