"""The comparison of strategies as its mart shows it, against pandas and the code of the domain."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.comparison import comparison_rows
from odyssey_assets.backtesting.performance import measure_performance
from odyssey_assets.backtesting.tables import COMPARISONS, DAILY, PERFORMANCE
from odyssey_assets.core.sharpe_difference import sharpe_difference_error
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.portfolio.tables import SEED_PATHS
from odyssey_assets_tests.dbt_like_sql.stored import Tables, change_market, read_mart

COMPARISON = [("marts", "mart_strategy_comparison")]
YARDSTICKS = ("equal_weight", "buy_and_hold")


def _common(tables: Tables) -> pd.DataFrame:
    performance = tables[PERFORMANCE]
    return performance[performance["period_kind"] == "common"].set_index("strategy")


def _common_returns(tables: Tables) -> pd.DataFrame:
    returns = tables[DAILY].set_index(["date", "strategy"])["return"]
    return returns.unstack("strategy").dropna()  # noqa: PD010 (a pivot of unique keys)


def _of_returns(tables: Tables, returns: pd.DataFrame) -> Tables:
    """Return daily rows and performance of other returns, sessions by strategies."""
    rows = returns.rename_axis("date").reset_index()
    rows = rows.melt("date", var_name="strategy", value_name="return")
    others = tables[DAILY].iloc[:1].drop(columns=list(rows))
    daily = rows.merge(others, how="cross")
    seed_paths = tables[SEED_PATHS].iloc[:0]
    performance = measure_performance(daily, seed_paths, tables[BARS], "AAA")
    return {
        DAILY: DAILY.conform(daily),
        PERFORMANCE: performance,
        COMPARISONS: comparison_rows(daily, performance),
    }


def test_comparison_shows_the_common_period_ranked_by_sharpe_ratio(
    warehouse: Warehouse, tables: Tables
) -> None:
    found = read_mart(warehouse, "mart_strategy_comparison").set_index("strategy")
    expected = _common(tables).loc[found.index]
    shared = [name for name in PERFORMANCE.column_names[3:] if name in found]
    assert len(shared) > 25
    pd.testing.assert_frame_equal(found[shared], expected[shared], check_dtype=False)
    assert list(found["rank"]) == [1, 2, 3, 4]
    assert (found["strategy_count"] == 4).all()
    known = found["sharpe"].dropna()
    assert known.is_monotonic_decreasing
    assert list(found.index[len(known) :]) == ["momentum"], "it never bought anything"


@pytest.mark.parametrize("yardstick", YARDSTICKS)
def test_comparison_measures_the_difference_to_a_yardstick_on_the_same_sessions(
    warehouse: Warehouse, tables: Tables, yardstick: str
) -> None:
    found = read_mart(warehouse, "mart_strategy_comparison").set_index("strategy")
    common, returns = _common(tables), _common_returns(tables)
    for strategy in ("ppo", *set(YARDSTICKS) - {yardstick}):
        row = found.loc[strategy]
        difference = common.loc[strategy, "sharpe"] - common.loc[yardstick, "sharpe"]
        assert row[f"sharpe_over_{yardstick}"] == pytest.approx(difference, rel=1e-12)
        assert row[f"sharpe_over_{yardstick}_standard_error"] == pytest.approx(
            sharpe_difference_error(returns[strategy].to_numpy(), returns[yardstick].to_numpy()),
            rel=1e-9,
        )
        assert row[f"total_return_over_{yardstick}"] == pytest.approx(
            common.loc[strategy, "total_return"] - common.loc[yardstick, "total_return"]
        )
        assert row[f"beats_{yardstick}"] == (difference > 0)
        assert not row[f"is_{yardstick}_difference_beyond_chance"], "164 sessions prove nothing"
    assert (found[f"{yardstick}_sharpe"] == common.loc[yardstick, "sharpe"]).all()
    itself = found.loc[yardstick]
    assert np.isnan(itself[f"sharpe_over_{yardstick}"])
    assert not itself[f"beats_{yardstick}"]


def test_comparison_says_in_words_what_the_figures_say(warehouse: Warehouse) -> None:
    found = read_mart(warehouse, "mart_strategy_comparison").set_index("strategy")
    ppo, verdicts = found.loc["ppo"], found["verdict"]
    assert verdicts["ppo"].startswith(
        f"Does not beat equal weight after costs: Sharpe ratio {ppo['sharpe']:.2f} against "
        f"{ppo['equal_weight_sharpe']:.2f} on {ppo['sessions']} sessions, "
    )
    assert "standard errors apart. Does not beat buy and hold after costs: " in verdicts["ppo"]
    assert verdicts["ppo"].endswith(
        f" Its 3 trained seeds have Sharpe ratios from {ppo['sharpe_seed_low']:.2f} to "
        f"{ppo['sharpe_seed_high']:.2f}."
    )
    assert verdicts["equal_weight"].startswith(
        "Is itself the yardstick equal weight. Beats buy and hold after costs, but not beyond "
    )
    assert verdicts["momentum"].startswith("Not compared with equal weight: returns that do not")


def test_comparison_names_the_risk_of_loss_and_the_worst_replay(warehouse: Warehouse) -> None:
    found = read_mart(warehouse, "mart_strategy_comparison").set_index("strategy")
    assert found.loc["ppo", "probability_of_loss"] == 0
    assert found.loc["momentum", "probability_of_loss"] == pytest.approx(0.3)
    assert (found["worst_replay"] == "2011 August").all(), "shocks and missing data do not count"
    assert (found["worst_replay_return"] == -0.2).all()
    assert (found["worst_replay_method"] == "newest_weights").all()
    assert found.loc["ppo", "tear_sheet_path"] == "reports/ppo.html"


@pytest.mark.parametrize(("sessions", "is_beyond_chance"), [(300, True), (251, False)])
def test_comparison_calls_a_difference_real_only_beyond_two_errors_of_enough_sessions(
    warehouse: Warehouse, tables: Tables, tmp_path: Path, sessions: int, is_beyond_chance: bool
) -> None:
    random = np.random.default_rng(3)
    market = random.normal(0, 0.01, sessions)
    returns = pd.DataFrame(
        {
            "equal_weight": market,
            "better": market + 0.002 + random.normal(0, 0.001, sessions),
            "worse": market - 0.002 + random.normal(0, 0.001, sessions),
            "lucky": market + 0.0001 + random.normal(0, 0.01, sessions),
        },
        index=pd.bdate_range("2022-01-03", periods=sessions).as_unit("us"),
    )
    changed = change_market(warehouse, tmp_path, _of_returns(tables, returns), COMPARISON)
    found = read_mart(changed, "mart_strategy_comparison").set_index("strategy")
    is_beyond = found["is_equal_weight_difference_beyond_chance"]
    assert is_beyond["better"] == is_beyond["worse"] == is_beyond_chance
    assert not is_beyond["lucky"]
    assert found.loc["better", "beats_equal_weight"]
    assert not found.loc["worse", "beats_equal_weight"]
    words = "Beats equal weight after costs" + ("" if is_beyond_chance else ", but not beyond")
    assert found.loc["better", "verdict"].startswith(words)
    assert found.loc["worse", "verdict"].startswith("Does not beat equal weight after costs: ")
    assert found["verdict"].str.contains("Not compared with buy and hold, which was not run").all()


def test_comparison_of_equal_returns_finds_no_difference(
    warehouse: Warehouse, tables: Tables, tmp_path: Path
) -> None:
    returns = _common_returns(tables)
    twins = returns.assign(ppo=returns["equal_weight"])
    changed = change_market(warehouse, tmp_path, _of_returns(tables, twins), COMPARISON)
    ppo = read_mart(changed, "mart_strategy_comparison").set_index("strategy").loc["ppo"]
    assert ppo["sharpe_over_equal_weight"] == 0
    assert ppo["sharpe_over_equal_weight_standard_error"] == 0
    assert not ppo["beats_equal_weight"]
    assert ppo["verdict"].startswith("Does not beat equal weight after costs: Sharpe ratio ")
