import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.comparison import compare
from odyssey_assets.backtesting.tables import PERFORMANCE
from odyssey_assets.backtesting.verdict import ranked, standing, verdict
from odyssey_assets.core.figure_text import percent, ratio
from odyssey_assets_tests.backtesting.synthetic_results import synthetic_results

RESULTS = synthetic_results()


def _with_sharpe(ratios: dict[str, float]) -> pd.DataFrame:
    rows = RESULTS.performance[RESULTS.performance["strategy"].isin(list(ratios))].copy()
    rows["sharpe"] = rows["strategy"].map(ratios)
    return rows


def test_ranked_puts_the_highest_ratio_of_the_common_period_first() -> None:
    rows = ranked(RESULTS.performance)
    assert len(rows) == 9
    assert (rows["period"] == "common").all()
    assert rows["sharpe"].is_monotonic_decreasing


def test_standing_names_best_rank_and_spread() -> None:
    rows = _with_sharpe({"ppo": 0.5, "equal_weight": 0.9, "momentum": 0.7})
    said = standing(rows, ["ppo"])
    assert said.startswith("best Sharpe ratio: equal weight 0.90 ± ")
    assert "PPO 0.50 ± " in said
    assert "rank 3 of 3" in said
    assert "its 3 seeds" in said


def test_standing_of_a_learned_strategy_that_is_best_names_it_once() -> None:
    said = standing(_with_sharpe({"ppo": 0.9, "equal_weight": 0.5}), ["ppo"])
    assert said.count("PPO") == 1
    assert "its 3 seeds" in said


def test_standing_without_any_ratio_says_so() -> None:
    nothing = "no strategy has a Sharpe ratio yet"
    assert standing(PERFORMANCE.empty(), ["ppo"]) == nothing
    assert standing(_with_sharpe({"ppo": np.nan}), ["ppo"]) == nothing


@pytest.mark.parametrize(
    ("own", "equal_weight", "buy_and_hold", "headline"),
    [
        (9.0, 0.1, 0.2, "Ahead of equal weight and buy and hold after costs."),
        (-9.0, 0.1, 0.2, "Not ahead of equal weight and buy and hold after costs."),
        (0.15, 0.1, 0.2, "Ahead of equal weight, not of buy and hold, after costs, but it may"),
        (0.11, 0.1, 0.1, "Ahead of equal weight and buy and hold after costs, but it may well be"),
        (0.1, 0.1, 0.1, "Not ahead of equal weight and buy and hold after costs, but it may"),
    ],
)
def test_headline_says_who_is_ahead_and_whether_it_may_be_chance(
    own: float, equal_weight: float, buy_and_hold: float, headline: str
) -> None:
    rows = _with_sharpe({"ppo": own, "equal_weight": equal_weight, "buy_and_hold": buy_and_hold})
    assert verdict(RESULTS.daily, rows, "ppo").headline.startswith(headline)


def test_reasons_carry_the_stored_figures_sample_size_and_spread() -> None:
    row = ranked(RESULTS.performance).loc["ppo"]
    said = " ".join(verdict(RESULTS.daily, RESULTS.performance, "ppo").reasons)
    assert f"({row['sessions']:,} sessions)" in said
    assert f"made {percent(row['cagr'])} a year" in said
    assert f"{ratio(row['sharpe'])} ± {ratio(row['sharpe_standard_error'])}" in said
    assert f"Its {row['seed_count']} independently trained seeds" in said
    assert f"{ratio(row['sharpe_seed_low'])} to {ratio(row['sharpe_seed_high'])}" in said
    pair = compare(RESULTS.daily, RESULTS.performance, "ppo", "equal_weight")
    assert pair is not None
    assert f"{ratio(abs(pair.difference))} " in said
    assert f"give or take {ratio(pair.difference_error)}" in said


def test_verdict_on_a_single_training_says_that_its_spread_is_unknown() -> None:
    rows = RESULTS.performance.assign(seed_count=1)
    assert "spread over seeds is unknown" in verdict(RESULTS.daily, rows, "ppo").reasons[-1]


def test_verdict_on_a_benchmark_compares_it_with_the_other() -> None:
    said = verdict(RESULTS.daily, RESULTS.performance, "equal_weight")
    assert "buy and hold" in said.headline
    assert "equal weight" not in said.headline


def test_verdict_without_figures_says_that_there_is_none() -> None:
    for rows in (PERFORMANCE.empty(), _with_sharpe({"ppo": np.nan, "equal_weight": 0.3})):
        assert verdict(RESULTS.daily, rows, "ppo").headline.startswith("No verdict yet")


def test_verdict_without_benchmarks_gives_the_ratio_alone() -> None:
    said = verdict(RESULTS.daily, _with_sharpe({"ppo": 0.4}), "ppo")
    assert "nothing to compare it with" in said.headline
    assert "0.40" in said.headline
