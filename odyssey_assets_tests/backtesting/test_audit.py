from collections.abc import Mapping

import pandas as pd
import pytest

from odyssey_assets.backtesting.audit import unreconciled
from odyssey_assets.backtesting.engine import backtest
from odyssey_assets.backtesting.findings import FINDING_COLUMNS
from odyssey_assets.backtesting.tables import DAILY, TRADES
from odyssey_assets.core.cash_rate import cash_rate_of
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.price_panel import build_price_panel
from odyssey_assets.market_data.tables import BARS, MACRO
from odyssey_assets.portfolio.catalog import POLICIES
from odyssey_assets.portfolio.tables import SEED_PATHS, WEIGHTS
from odyssey_assets.settings import Settings
from odyssey_assets_tests.backtesting.replays import roll
from odyssey_assets_tests.features.markets import market_settings, small_market

Tables = Mapping[str, pd.DataFrame]
EQUITY, CASH = "equity follows from the fills", "cash follows from the fills"
HELD, SEED = "held weights follow from the fills", "the main seed is the strategy"
CHANGE, RETURN = "equity changes by price gain + interest - costs", "return is equity / equity"
CAPITAL = 250_000.0


def settings_of(capital_usd: float = CAPITAL, cash_rate_series: str = "TNX") -> Settings:
    return market_settings(
        costs={"impact_coefficient": 0.1},
        portfolio={"cash_rate_series": cash_rate_series, "capital_usd": capital_usd},
    )


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Return stored tables of two strategies; the first has a seed that is its own."""
    market, settings = small_market(), settings_of()
    panel = build_price_panel(market.bars, settings.tickers, cash_rate_of(market.macro, "TNX"))
    costs = TradingCosts(**settings.costs.model_dump())
    limits = {entry.name: entry.limits(settings) for entry in POLICIES}
    weights = pd.concat(
        roll(
            name, panel, first=first, seed=first, limits=limits[name], costs=costs, capital=CAPITAL
        ).weights
        for name, first in (("ppo", 300), ("equal_weight", 30))
    )
    result = backtest(weights, market.bars, market.macro, settings)
    paths = result.daily[result.daily["strategy"] == "ppo"].rename(columns={"strategy": "policy"})
    paths = paths.assign(seed=42, is_main_seed=True, is_own_training=True)
    return {
        "daily": result.daily,
        "trades": result.trades,
        "weights": WEIGHTS.conform(weights),
        "seed_paths": SEED_PATHS.conform(paths[list(SEED_PATHS.column_names)]),
        "bars": market.bars,
        "macro": market.macro,
    }


def rules_found(tables: Tables, settings: Settings | None = None) -> set[str]:
    """Return the beginnings of the rules that are broken."""
    found = unreconciled(**tables, settings=settings or settings_of())
    assert tuple(found.columns) == FINDING_COLUMNS
    return {str(rule).split(" before")[0] for rule in found["rule"]}


def test_tables_of_the_engine_reconcile(tables: Tables) -> None:
    assert {name: len(rows) > 100 for name, rows in tables.items()} == dict.fromkeys(tables, True)
    assert (tables["daily"]["interest"] > 0).any()
    assert rules_found(tables) == set()


@pytest.mark.parametrize(
    ("table", "column", "factor", "rules"),
    [
        ("daily", "equity", 1 + 1e-6, {EQUITY, CHANGE, RETURN, SEED}),
        ("daily", "cash_weight", 1 + 1e-6, {CASH}),
        ("daily", "return", 1.01, {RETURN}),
        ("daily", "price_gain", 1.01, {CHANGE}),
        ("daily", "interest", 2.0, {CHANGE}),
        ("trades", "shares", 1.01, {EQUITY, CASH, HELD}),
        ("trades", "price", 1.01, {EQUITY, CASH, HELD}),
        ("trades", "slippage", 2.0, {EQUITY, CASH, HELD}),
        ("weights", "held_weight", 1.01, {HELD}),
        ("seed_paths", "equity", 1 + 1e-6, {SEED}),
    ],
)
def test_planted_error_breaks_the_rules_that_it_must(
    table: str, column: str, factor: float, rules: set[str], tables: Tables
) -> None:
    rows = tables[table].copy()
    name = "strategy" if "strategy" in rows else "policy"
    is_own = (rows[name] == "ppo") & (rows[column] > 1e-4)
    rows.loc[rows.index[is_own][len(rows[is_own]) // 2], column] *= factor
    assert rules_found({**tables, table: rows}) == rules


@pytest.mark.parametrize(
    "settings", [settings_of(capital_usd=300_000), settings_of(cash_rate_series="VIX")]
)
def test_tables_made_under_other_settings_are_found(settings: Settings, tables: Tables) -> None:
    assert {EQUITY, CASH} <= rules_found(tables, settings)


def test_error_names_strategy_session_and_both_values(tables: Tables) -> None:
    daily = tables["daily"].copy()
    row = daily.index[daily["strategy"] == "equal_weight"][77]
    daily.loc[row, "equity"] += 100.0
    found = unreconciled(**{**tables, "daily": daily}, settings=settings_of())
    first = found[found["rule"] == EQUITY].iloc[0]
    assert (first["strategy"], first["date"]) == ("equal_weight", daily.loc[row, "date"])
    assert first["value"] - first["expected"] == pytest.approx(100.0)


def test_strategy_without_a_backtest_yet_is_no_error(tables: Tables) -> None:
    is_kept = tables["daily"]["strategy"] == "equal_weight"
    is_own = tables["trades"]["strategy"] == "equal_weight"
    daily, trades = tables["daily"][is_kept], tables["trades"][is_own]
    assert rules_found({**tables, "daily": daily, "trades": trades}) == set()


def test_nothing_stored_reconciles(tables: Tables) -> None:
    empty = {
        "daily": DAILY.empty(),
        "trades": TRADES.empty(),
        "weights": WEIGHTS.empty(),
        "seed_paths": SEED_PATHS.empty(),
    }
    assert rules_found({**tables, **empty}) == set()
    assert rules_found({**empty, "bars": BARS.empty(), "macro": MACRO.empty()}) == set()
