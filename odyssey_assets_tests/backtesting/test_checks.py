"""The checks of backtests against errors planted in the stored tables of a good home."""

from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.checks import backtest_checks
from odyssey_assets.backtesting.comparison import comparison_rows
from odyssey_assets.backtesting.performance import measure_performance
from odyssey_assets.backtesting.tables import COMPARISONS, DAILY, PERFORMANCE, TRADES
from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.partitions import build_grid
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS, QUARANTINE
from odyssey_assets.portfolio.tables import SEED_PATHS, WEIGHTS
from odyssey_assets.settings import Settings
from odyssey_assets_tests.tiny_market import (
    WINDOWS,
    TinyHome,
    evaluate,
    found,
    materialize,
    tiny_settings,
    warehouse_of,
)

FEASIBILITY = ("portfolio/weights", "weights_are_feasible")
FILLS = ("backtesting/trades", "fills_could_have_happened")
EQUITY = ("backtesting/daily", "equity_reconciles_from_trades")
INTENSITY = ("backtesting/performance", "turnover_and_costs_stay_below_settings")
VALUE = ("backtesting/comparisons", "learned_policies_beat_equal_weight")
BY_WINDOW = (FEASIBILITY, FILLS, EQUITY)
ALL = {"first": WINDOWS[0], "last": WINDOWS[-1]}
WHOLE = (WHOLE_TABLE,)


def plant(
    warehouse: Warehouse, table: TableContract, row: pd.Series, **changes: object
) -> pd.DataFrame:
    """Change the stored row of this grain; return the rows as they were."""
    rows = warehouse.read(table)
    is_row = np.logical_and.reduce([rows[name] == row[name] for name in table.grain])
    assert is_row.sum() == 1
    altered = rows.copy()
    altered.loc[is_row, list(changes)] = list(changes.values())
    warehouse.replace(table, altered, WHOLE)
    return rows


def fill_of(warehouse: Warehouse, window: str = WINDOWS[-1]) -> pd.Series:
    """Return a fill of equal weight in a window."""
    trades = warehouse.read(TRADES)
    is_own = (trades["strategy"] == "equal_weight") & (trades["window"] == window)
    return trades[is_own].iloc[1]


def examples(evaluation: dg.AssetCheckEvaluation) -> pd.DataFrame:
    """Return the findings that the check shows."""
    table = evaluation.metadata["examples"]
    assert isinstance(table, dg.TableMetadataValue)
    return pd.DataFrame([record.data for record in table.records])


def checked(settings: Settings) -> dict[str, dg.AssetCheckEvaluation]:
    """Run the checks over all windows at once; return the evaluations by name."""
    keys = [dg.AssetCheckKey(dg.AssetKey(asset.split("/")), name) for asset, name in BY_WINDOW]
    selection = dg.AssetSelection.checks(*keys)
    result = materialize(settings, selection, first=WINDOWS[0], last=WINDOWS[-1])
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def test_good_home_passes_and_says_how_much_was_checked(learned_home: TinyHome) -> None:
    settings = tiny_settings(learned_home.root)
    stored = {table: len(warehouse_of(settings).read(table)) for table in (WEIGHTS, TRADES, DAILY)}
    evaluations = checked(settings)
    assert {name: each.passed for name, each in evaluations.items()} == {
        name: True for _, name in BY_WINDOW
    }
    values = {name: found(each) for name, each in evaluations.items()}
    assert values[FEASIBILITY[1]] == {
        "rows_checked": stored[WEIGHTS],
        "kept_without_a_bar": 0,
        "violations": 0,
    }
    assert values[FILLS[1]] == {"fills_checked": stored[TRADES], "violations": 0}
    assert values[EQUITY[1]] == {"rows_checked": stored[DAILY], "violations": 0}


def test_home_in_which_nothing_was_held_passes(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    for table in (WEIGHTS, SEED_PATHS, DAILY, TRADES):
        warehouse_of(settings).replace(table, table.empty(), WHOLE)
    evaluations = checked(settings)
    assert len(evaluations) == len(BY_WINDOW)
    assert all(each.passed for each in evaluations.values())


def test_checks_that_guard_money_are_blocking(tiny_home: TinyHome) -> None:
    grid = build_grid(tiny_settings(tiny_home.root))
    specs = [spec for each in backtest_checks(grid) for spec in each.check_specs]
    assert {name for _, name in BY_WINDOW} <= {spec.name for spec in specs}
    assert all(spec.blocking for spec in specs)


def test_infeasible_target_fails_in_its_window_only(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse = warehouse_of(settings)
    weights = warehouse.read(WEIGHTS)
    is_decision = (weights["policy"] == "ppo") & weights["is_decision"]
    row = weights[is_decision & (weights["window"] == WINDOWS[3])].iloc[40]
    plant(warehouse, WEIGHTS, row, target_weight=settings.portfolio.max_weight + 0.01)
    evaluation = evaluate(settings, *FEASIBILITY, first=WINDOWS[3], last=WINDOWS[3])
    assert not evaluation.passed
    shown = examples(evaluation).iloc[0]
    assert shown["rule"] == "targets keep their cap"
    assert (shown["strategy"], shown["ticker"]) == ("ppo", row["ticker"])
    assert shown["date"] == f"{row['date']:%Y-%m-%d}"
    assert float(shown["value"]) == pytest.approx(0.21)
    assert evaluate(settings, *FEASIBILITY, first=WINDOWS[0], last=WINDOWS[2]).passed


def test_fill_on_a_filled_bar_fails_in_its_window_only(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    fill = fill_of(warehouse)
    fills = warehouse.read(TRADES)
    there = fills[(fills["date"] == fill["date"]) & (fills["ticker"] == fill["ticker"])]
    plant(warehouse, BARS, fill, is_filled=True)
    evaluation = evaluate(settings, *FILLS, **ALL)
    assert not evaluation.passed
    assert set(examples(evaluation)["rule"]) == {"no fill on a filled bar"}
    assert set(examples(evaluation)["strategy"]) == set(there["strategy"])
    assert found(evaluation)["violations"] == len(there)
    assert evaluate(settings, *FILLS, first=WINDOWS[0], last=WINDOWS[3]).passed


def test_fill_on_a_quarantined_bar_fails(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    fill = fill_of(warehouse)
    plant(warehouse, BARS, fill, is_filled=True, volume=0.0)
    rejected = {
        "ticker": fill["ticker"], "date": fill["date"], "source": "simulated",
        "reason": "stale_bar", "row_sha256": "0" * 64, "is_rejected": True, "detail": "flat",
        "content": "{}", "quarantined_at": fill["date"],
    }  # fmt: skip
    warehouse.replace(QUARANTINE, QUARANTINE.conform(pd.DataFrame([rejected])), WHOLE)
    evaluation = evaluate(settings, *FILLS, **ALL)
    assert not evaluation.passed
    assert set(examples(evaluation)["rule"]) == {"no fill on a quarantined bar"}


@pytest.mark.parametrize(
    ("table", "column", "factor", "rule"),
    [
        (DAILY, "equity", 1 + 1e-6, "equity follows from the fills"),
        (TRADES, "shares", 1.001, "equity follows from the fills"),
        (SEED_PATHS, "equity", 1 + 1e-6, "the main seed is the strategy"),
    ],
)
def test_tampered_books_do_not_reconcile(
    table: TableContract, column: str, factor: float, rule: str, learned_copy: Path
) -> None:
    settings = tiny_settings(learned_copy)
    warehouse = warehouse_of(settings)
    rows = warehouse.read(table)
    name = "strategy" if "strategy" in rows else "policy"
    is_own = (rows[name] == "ppo") & (rows["window"] == WINDOWS[3])
    if "is_main_seed" in rows:
        is_own &= rows["is_main_seed"]
    row = rows.loc[rows.loc[is_own, column].idxmax()]
    plant(warehouse, table, row, **{column: row[column] * factor})
    evaluation = evaluate(settings, *EQUITY, first=WINDOWS[3], last=WINDOWS[3])
    assert not evaluation.passed
    shown = examples(evaluation)
    assert rule in set(shown["rule"])
    assert set(shown["strategy"]) == {"ppo"}
    assert shown["date"].min() == f"{row['date']:%Y-%m-%d}"
    assert evaluate(settings, *EQUITY, first=WINDOWS[0], last=WINDOWS[2]).passed


def test_many_findings_are_counted_and_ten_are_shown(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    daily = warehouse.read(DAILY)
    warehouse.replace(DAILY, daily.assign(cash_weight=0.5), WHOLE)
    evaluation = evaluate(settings, *EQUITY, **ALL)
    assert not evaluation.passed
    assert found(evaluation)["violations"] == len(daily) > 1000
    assert len(examples(evaluation)) == 10


def test_strategies_that_trade_more_than_wished_are_named_in_a_warning(
    tiny_home: TinyHome,
) -> None:
    limits = {"max_annual_turnover": 0.5, "max_annual_cost": 0.0006}
    settings = tiny_settings(tiny_home.root, portfolio=limits)
    performance = warehouse_of(settings).read(PERFORMANCE)
    whole = performance[performance["period"] == "whole"].set_index("strategy")
    evaluation = evaluate(settings, *INTENSITY)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    shown = examples(evaluation).groupby("rule")["strategy"].agg(set).to_dict()
    assert shown == {
        "turnover a year stays below the limit": set(whole.index[whole["turnover"] > 0.5]),
        "cost a year stays below the limit": set(whole.index[whole["annual_cost"] > 0.0006]),
    }


def test_strategies_that_trade_as_wished_pass(tiny_home: TinyHome) -> None:
    settings = tiny_settings(tiny_home.root)
    assert evaluate(settings, *INTENSITY).passed


@pytest.mark.parametrize("lead", [0.5, -0.5])
def test_learned_policy_is_compared_with_equal_weight(lead: float, learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse = warehouse_of(settings)
    daily, bars = warehouse.read(DAILY), warehouse.read(BARS)
    performance = measure_performance(daily, warehouse.read(SEED_PATHS), bars, settings.proxy)
    rows = comparison_rows(daily, performance)
    is_own = (rows["strategy"] == "ppo") & (rows["baseline"] == "equal_weight")
    rows.loc[is_own, "difference"] = lead
    rows.loc[is_own, "is_better"] = lead > 0
    warehouse.replace(COMPARISONS, rows, WHOLE)
    evaluation = evaluate(settings, *VALUE)
    values = found(evaluation)
    assert evaluation.passed is (lead > 0)
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    assert values["compared"] == 1
    assert values["ppo_difference"] == lead
    assert values["ppo_seed_count"] == 2
    own = performance.set_index(["strategy", "period"])
    assert values["ppo_sharpe"] == own.loc[("ppo", "common"), "sharpe"]
    assert values["ppo_baseline_sharpe"] == own.loc[("equal_weight", "common"), "sharpe"]
    assert values["ppo_sharpe_seed_low"] <= values["ppo_sharpe"] <= values["ppo_sharpe_seed_high"]


def test_without_a_learned_policy_nothing_is_claimed(tiny_home: TinyHome) -> None:
    evaluation = evaluate(tiny_settings(tiny_home.root), *VALUE)
    assert evaluation.passed
    assert found(evaluation) == {"compared": 0}
