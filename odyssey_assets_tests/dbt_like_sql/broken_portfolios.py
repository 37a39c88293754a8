"""Portfolios and backtests, one thing wrong in each, named by the SQL test that must find it."""

from collections.abc import Iterator, Mapping

import pandas as pd

from odyssey_assets.backtesting.tables import (
    DAILY,
    MONTE_CARLO,
    PERFORMANCE,
    REGIMES,
    STRESS,
    TRADES,
)
from odyssey_assets.contracts import TableContract
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.portfolio.tables import POLICIES, TRAINING_CURVES, WEIGHTS

BrokenTable = tuple[str, TableContract, pd.DataFrame]

BROKEN_PORTFOLIO_MARTS = (
    ("current_weights_add_up_to_one", "target_weight * 0.99 as target_weight"),
    ("current_weights_add_up_to_one", "order_weight + 0.01 as order_weight"),
    ("ranks_follow_the_sharpe_ratio", "rank + 1 as rank"),
    ("ranks_follow_the_sharpe_ratio", "-sharpe as sharpe"),
    ("comparison_is_honest", "not beats_equal_weight as beats_equal_weight"),
    ("comparison_is_honest", "-buy_and_hold_sharpe as buy_and_hold_sharpe"),
    (
        "comparison_is_honest",
        "true as is_buy_and_hold_difference_beyond_chance",
    ),
    ("blotter_value_is_shares_times_price", "shares * 1.001 as shares"),
    ("blotter_value_is_shares_times_price", "'buy' as side"),
    ("blotter_value_is_shares_times_price", "costs + 0.01 as costs"),
)


def break_portfolios(tables: Mapping[TableContract, pd.DataFrame]) -> Iterator[BrokenTable]:
    """Yield the name of an SQL test, a table, and its rows with what the test must find."""
    yield from _break_what_is_held(tables)
    yield from _break_what_is_traded(tables)
    yield from _break_what_is_summarised(tables)


def _break_what_is_held(tables: Mapping[TableContract, pd.DataFrame]) -> Iterator[BrokenTable]:
    policies, curves, weights = tables[POLICIES], tables[TRAINING_CURVES], tables[WEIGHTS]
    is_first = policies["window"] == policies.loc[policies["status"] == "trained", "window"].min()
    yield (
        "policies_are_in_temporal_order",
        POLICIES,
        policies.assign(valid_end=policies["valid_end"].mask(is_first, policies["window"])),
    )
    yield (
        "policies_are_in_temporal_order",
        POLICIES,
        policies.assign(train_end=policies["valid_start"]),
    )
    yield (
        "learned_weights_come_from_trained_policies",
        POLICIES,
        policies.assign(status=policies["status"].mask(is_first, "skipped")),
    )
    yield (
        "learned_weights_come_from_trained_policies",
        POLICIES,
        policies.assign(is_main_seed=False),
    )
    yield (
        "learned_weights_come_from_trained_policies",
        POLICIES,
        policies.assign(window=policies["window"] + pd.DateOffset(months=6)),
    )
    yield (
        "learned_weights_come_from_trained_policies",
        WEIGHTS,
        weights.assign(seed_count=1),
    )
    yield (
        "chosen_checkpoints_are_on_their_curve",
        TRAINING_CURVES,
        curves.assign(is_selected=True),
    )
    yield (
        "chosen_checkpoints_are_on_their_curve",
        TRAINING_CURVES,
        curves.assign(steps=curves["steps"] + 1),
    )
    yield (
        "chosen_checkpoints_are_on_their_curve",
        POLICIES,
        policies.assign(validation_sharpe=policies["validation_sharpe"] + 0.1),
    )
    yield (
        "portfolios_are_of_the_newest_session",
        WEIGHTS,
        weights[weights["date"] < weights["date"].max()],
    )


def _break_what_is_traded(tables: Mapping[TableContract, pd.DataFrame]) -> Iterator[BrokenTable]:
    daily, trades, bars = tables[DAILY], tables[TRADES], tables[BARS]
    weights = tables[WEIGHTS]
    first = trades.index == 0
    yield (
        "trades_come_from_decisions",
        WEIGHTS,
        weights.assign(is_decision=weights["is_decision"] & (weights["policy"] != "ppo")),
    )
    yield (
        "trades_follow_their_decision",
        TRADES,
        trades.assign(decided_on=trades["decided_on"].mask(first, trades["date"])),
    )
    yield (
        "trades_fill_at_the_open_of_a_bar",
        TRADES,
        trades.assign(price=trades["price"].mask(first, trades["price"] * 1.0001)),
    )
    yield "trades_fill_at_the_open_of_a_bar", BARS, bars.assign(is_filled=True)
    yield "trades_fill_at_the_open_of_a_bar", BARS, bars.assign(volume=0.0)
    yield "trade_costs_add_up_to_daily_costs", TRADES, trades.iloc[1:]
    yield (
        "trade_costs_add_up_to_daily_costs",
        DAILY,
        daily.assign(slippage=daily["slippage"] + 1e-5),
    )
    yield "trade_costs_add_up_to_daily_costs", DAILY, daily[daily["commission"] == 0]
    yield (
        "current_weights_add_up_to_one",
        DAILY,
        daily.assign(cash_weight=daily["cash_weight"] - 1e-6),
    )


def _break_what_is_summarised(
    tables: Mapping[TableContract, pd.DataFrame],
) -> Iterator[BrokenTable]:
    daily, performance = tables[DAILY], tables[PERFORMANCE]
    is_left_out = (performance["strategy"] == "ppo") & (performance["period_kind"] == "common")
    yield "every_strategy_is_compared", PERFORMANCE, performance[~is_left_out]
    yield (
        "comparison_agrees_with_daily_returns",
        PERFORMANCE,
        performance.assign(sharpe=performance["sharpe"] * 1.001),
    )
    yield (
        "comparison_agrees_with_daily_returns",
        PERFORMANCE,
        performance.assign(total_return=performance["total_return"] + 1e-6),
    )
    yield (
        "comparison_agrees_with_daily_returns",
        DAILY,
        daily[daily["date"] != performance["end_date"].max()],
    )
    yield (
        "monthly_returns_compound_to_the_whole",
        DAILY,
        daily.assign(**{"return": daily["return"] + 1e-6}),
    )
    yield "monthly_returns_compound_to_the_whole", DAILY, daily[daily["strategy"] != "ppo"]
    yield (
        "resampled_quantiles_ascend",
        MONTE_CARLO,
        tables[MONTE_CARLO].assign(value=-tables[MONTE_CARLO]["value"]),
    )
    yield (
        "stress_scenarios_have_a_figure_or_a_reason",
        STRESS,
        tables[STRESS].assign(reason=None),
    )
    yield (
        "stress_scenarios_have_a_figure_or_a_reason",
        STRESS,
        tables[STRESS].assign(portfolio_return=None),
    )
    yield (
        "regimes_cover_every_session",
        REGIMES,
        tables[REGIMES].assign(share=tables[REGIMES]["share"] * 0.99),
    )
    yield "regimes_cover_every_session", REGIMES, tables[REGIMES].iloc[1:]
