import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from odyssey_assets.backtesting.engine import Backtest, backtest, simulated_until
from odyssey_assets.backtesting.feasibility import infeasible_targets
from odyssey_assets.backtesting.fill_rules import impossible_fills
from odyssey_assets.backtesting.reconciliation import (
    rebuild_books,
    unreconciled_equity,
    unreconciled_weights,
)
from odyssey_assets.backtesting.tables import DAILY, TRADES
from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core.drawdowns import drawdowns
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.errors import ContractError
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.market_data.tables import BARS, MACRO, QUARANTINE
from odyssey_assets.portfolio.catalog import rule_contenders
from odyssey_assets.portfolio.market import market_of
from odyssey_assets.portfolio.rollout import roll_out
from odyssey_assets.portfolio.weight_table import weight_rows as rollout_rows
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets_tests.backtesting.replays import (
    Rolled,
    market_panel,
    replayed,
    roll,
    weight_rows,
)
from odyssey_assets_tests.features.markets import market_settings, small_market
from odyssey_assets_tests.portfolio.markets import random_market

DAYS = pd.DatetimeIndex(pd.date_range("2015-01-05", "2015-01-09")).astype("datetime64[us]")


def ledger_bars() -> pd.DataFrame:
    """Five sessions: BBB splits 2:1 on Wednesday and is halted on Friday; AAA pays on Thursday."""
    aaa = pd.DataFrame(
        {
            "ticker": "AAA",
            "date": DAYS,
            "open": [50.0, 51.0, 52.0, 42.0, 42.0],
            "close": [50.0, 52.0, 52.0, 42.0, 43.0],
            "dividend": [0.0, 0.0, 0.0, 10.4, 0.0],
            "split_ratio": 1.0,
            "total_return_factor": [1.0, 1.0, 1.0, 1.25, 1.25],
            "split_factor": 1.0,
        }
    )
    bbb = pd.DataFrame(
        {
            "ticker": "BBB",
            "date": DAYS[:4],
            "open": [100.0, 98.0, 50.0, 52.0],
            "close": [100.0, 99.0, 51.0, 53.0],
            "dividend": 0.0,
            "split_ratio": [1.0, 1.0, 2.0, 1.0],
            "total_return_factor": [1.0, 1.0, 2.0, 2.0],
            "split_factor": [1.0, 1.0, 2.0, 2.0],
        }
    )
    rows = pd.concat([aaa, bbb], ignore_index=True).assign(
        volume=1e6, source="test", is_as_traded=True, is_filled=False, is_anomalous=False,
        is_simulated=False,
    )  # fmt: skip
    prices = rows[["open", "close"]]
    return BARS.conform(rows.assign(high=prices.max(axis=1), low=prices.min(axis=1)))


def ledger_settings() -> Settings:
    return build_settings(
        tickers=("AAA", "BBB"),
        proxy="AAA",
        costs={"commission_bps": 20.0, "slippage_bps": 5.0},
        portfolio={
            "capital_usd": 100_200.0, "max_weight": 0.5, "max_invested": 0.8, "min_cash": 0.2,
            "cash_rate_series": "IRX",
        },
    )  # fmt: skip


def ledger() -> Backtest:
    """Buy both on Tuesday; on Thursday sell all of AAA and half of BBB."""
    macro = MACRO.conform(
        pd.DataFrame(
            {"series": "IRX", "date": DAYS, "value": [3.6, 0, 0, 0, 0], "is_simulated": False}
        )
    )
    targets = {0: {"AAA": 0.4, "BBB": 0.4}, 2: {"AAA": 0.0, "BBB": 20_400 / 102_255.02}}
    weights = weight_rows("equal_weight", DAYS, targets)
    return backtest(weights, ledger_bars(), macro, ledger_settings())


def test_equity_of_two_tickers_over_five_sessions_is_the_ledgers_to_the_cent() -> None:
    daily = ledger().daily.set_index("date")

    # Monday: 100,200 in cash; 0.4 of what is left after 0.25 % costs is 40,000 each.
    # Tuesday: 800 AAA at 51, 400 BBB at 98, costs 200; a day of 3.6 % / 360 on the cash.
    assert daily.loc["2015-01-06", "equity"] == pytest.approx(20_010.02 + 41_600 + 39_600)
    # Wednesday: 400 BBB become 800 at 51.
    assert daily.loc["2015-01-07", "equity"] == pytest.approx(20_010.02 + 41_600 + 40_800)
    # Thursday: AAA pays 10.40, a fifth of 52, so 800 have become 1,000; all are sold at 42, and
    # 400 BBB at 52; costs 157.
    assert daily.loc["2015-01-08", "equity"] == pytest.approx(82_653.02 + 21_200)
    # Friday: BBB is halted, AAA is no longer held.
    assert daily.loc["2015-01-09", "equity"] == pytest.approx(103_853.02)
    assert list(daily.index) == list(DAYS[1:])


def test_daily_figures_of_the_ledger_are_the_ledgers_to_the_cent() -> None:
    daily = ledger().daily

    assert daily["price_gain"].to_list() == pytest.approx([1_200, 1_200, 1_600, 0], abs=1e-6)
    assert daily["interest"].to_list() == pytest.approx([10.02, 0, 0, 0], abs=1e-6)
    assert daily["commission"].to_list() == pytest.approx([160, 0, 125.60, 0], abs=1e-6)
    assert daily["slippage"].to_list() == pytest.approx([40, 0, 31.40, 0], abs=1e-6)
    assert daily["impact"].to_list() == [0, 0, 0, 0]
    assert daily["turnover"].to_list() == pytest.approx(
        [80_000 / 100_200, 0, 62_800 / 102_410.02, 0], abs=1e-12
    )
    assert daily["cash_weight"].to_list() == pytest.approx(
        [20_010.02 / 101_210.02, 20_010.02 / 102_410.02, *2 * [82_653.02 / 103_853.02]]
    )
    assert daily["gross_exposure"].to_list() == pytest.approx(1 - daily["cash_weight"])
    assert daily["drawdown"].to_list() == [0, 0, 0, 0]
    assert daily["window"].unique().tolist() == [pd.Timestamp("2015-01-01")]


def test_trades_of_the_ledger_are_in_shares_and_prices_as_traded() -> None:
    trades = ledger().trades

    assert trades["ticker"].to_list() == ["AAA", "BBB", "AAA", "BBB"]
    assert trades["date"].to_list() == [DAYS[1], DAYS[1], DAYS[3], DAYS[3]]
    assert trades["decided_on"].to_list() == [DAYS[0], DAYS[0], DAYS[2], DAYS[2]]
    assert trades["shares"].to_list() == pytest.approx([800, 400, -1000, -400])
    assert trades["price"].to_list() == pytest.approx([51, 98, 42, 52])
    assert trades["traded_value"].to_list() == pytest.approx([40_800, 39_200, -42_000, -20_800])
    assert trades["costs"].to_list() == pytest.approx([102, 98, 105, 52])
    assert trades["weight_before"].to_list() == pytest.approx(
        [0, 0, 41_600 / 102_410.02, 40_800 / 102_410.02]
    )
    assert trades["weight_after"].to_list() == pytest.approx(
        [41_600 / 101_210.02, 39_600 / 101_210.02, 0, 21_200 / 103_853.02]
    )
    assert trades["weight_after"].iloc[2] == 0
    # Average dollar volume up to the session before: of Monday alone, of Monday to Wednesday.
    assert trades["participation"].to_list() == pytest.approx(
        [40_800 / 50e6, 39_200 / 100e6, 42_000 / (154e6 / 3), 20_800 / (250e6 / 3)]
    )
    assert trades["unfilled_value"].to_list() == [0, 0, 0, 0]


@pytest.fixture(scope="module")
def panel() -> PricePanel:
    return market_panel()


@pytest.fixture(scope="module")
def rolled(panel: PricePanel) -> dict[str, Rolled]:
    return {
        "early": roll("early", panel, first=30, every=5, seed=1),
        "late": roll("late", panel, first=400, every=1, seed=2),
        "once": roll("once", panel, first=250, every=10_000, seed=3),
    }


def all_weights(rolled: dict[str, Rolled]) -> pd.DataFrame:
    return pd.concat([one.weights for one in rolled.values()], ignore_index=True)


def test_engine_equals_stepping_the_simulator_to_the_bit(
    panel: PricePanel, rolled: dict[str, Rolled]
) -> None:
    result = replayed(all_weights(rolled), panel)

    for name, one in rolled.items():
        daily = result.daily[result.daily["strategy"] == name]
        totals = np.array([step.totals[0] for step in one.fills])
        assert daily["equity"].to_numpy().tobytes() == one.equity.tobytes()
        for column, index in (
            ("return", kernels.RETURN), ("turnover", kernels.TURNOVER),
            ("interest", kernels.INTEREST), ("price_gain", kernels.PRICE_GAIN),
            ("impact", kernels.IMPACT), ("unfilled_value", kernels.UNFILLED),
            ("limit_excess", kernels.LIMIT_EXCESS),
        ):  # fmt: skip
            assert daily[column].to_numpy().tobytes() == totals[:, index].tobytes(), column
        trades = result.trades[result.trades["strategy"] == name]
        quantity = np.array([step.by_ticker[0, 0] for step in one.fills])
        assert len(trades) == np.count_nonzero(quantity) > 0
        costs = trades["costs"].sum()
        assert costs == pytest.approx(sum(float(step.costs[0]) for step in one.fills))


def test_weights_before_and_after_a_fill_are_those_held_at_the_closes(
    panel: PricePanel, rolled: dict[str, Rolled]
) -> None:
    result, weights = replayed(all_weights(rolled), panel), all_weights(rolled)
    held = weights.rename(columns={"policy": "strategy"}).set_index(["strategy", "date", "ticker"])
    after = result.trades.set_index(["strategy", "date", "ticker"])
    expected = held["held_weight"].reindex(after.index)
    assert np.abs(after["weight_after"] - expected).max() < 1e-12

    days = pd.Series(panel.dates[:-1], index=panel.dates[1:].astype("datetime64[us]"))
    earlier = result.trades.assign(date=result.trades["date"].map(days).astype("datetime64[us]"))
    before = earlier.set_index(["strategy", "date", "ticker"])["weight_before"]
    # A ticker that is bought on the session after its first bar was listed at the close before.
    assert np.abs(before - held["held_weight"].reindex(before.index)).max() < 1e-12


def test_tables_keep_their_contract_and_ranges(
    panel: PricePanel, rolled: dict[str, Rolled]
) -> None:
    result = replayed(all_weights(rolled), panel)
    for contract, rows in ((DAILY, result.daily), (TRADES, result.trades)):
        pd.testing.assert_frame_equal(rows, contract.conform(rows))
        for column in contract.columns:
            if column.minimum is not None:
                assert (rows[column.name].dropna() >= column.minimum).all(), column.name
            if column.maximum is not None:
                assert (rows[column.name].dropna() <= column.maximum).all(), column.name


def test_drawdown_is_that_of_the_strategys_own_path(
    panel: PricePanel, rolled: dict[str, Rolled]
) -> None:
    daily = replayed(all_weights(rolled), panel).daily
    for _, own in daily.groupby("strategy"):
        assert own["drawdown"].to_numpy().tobytes() == drawdowns(own["return"].to_numpy()).tobytes()


def test_late_strategy_begins_the_session_after_its_first_decision(
    panel: PricePanel, rolled: dict[str, Rolled]
) -> None:
    result = replayed(all_weights(rolled), panel)
    late = result.daily[result.daily["strategy"] == "late"]

    assert late["date"].iloc[0] == pd.Timestamp(panel.dates[401])
    assert len(late) == len(panel) - 401
    assert (result.trades.loc[result.trades["strategy"] == "late", "date"] > panel.dates[400]).all()


def test_strategy_alone_equals_the_strategy_among_others(
    panel: PricePanel, rolled: dict[str, Rolled]
) -> None:
    together = replayed(all_weights(rolled), panel)
    for name, one in rolled.items():
        alone = replayed(one.weights, panel)
        for whole, own in ((together.daily, alone.daily), (together.trades, alone.trades)):
            among = whole[whole["strategy"] == name].reset_index(drop=True)
            pd.testing.assert_frame_equal(among, own, check_exact=True)


def test_order_that_waits_keeps_the_date_of_its_decision(panel: PricePanel) -> None:
    costs = TradingCosts(10.0, 5.0, max_participation=1e-4)
    one = roll("patient", panel, first=30, every=60, seed=4, costs=costs)
    result = replayed(one.weights, panel, costs)
    decisions = one.weights.loc[one.weights["is_decision"], "date"].unique()
    expected = decisions[np.searchsorted(decisions, result.trades["date"].to_numpy()) - 1]

    assert (result.trades["decided_on"].to_numpy() == expected).all()
    assert result.trades.groupby("decided_on").size().max() > 10
    assert (result.trades["participation"] <= 1e-4 * (1 + 1e-12)).all()
    assert result.trades["participation"].max() == pytest.approx(1e-4)
    is_waiting = result.trades["unfilled_value"] > 0
    assert is_waiting.any()


def test_fill_is_never_on_a_session_without_a_bar(
    panel: PricePanel, rolled: dict[str, Rolled]
) -> None:
    trades = replayed(all_weights(rolled), panel).trades
    sessions = np.searchsorted(panel.dates, trades["date"].to_numpy().astype("datetime64[D]"))
    columns = pd.Index(panel.tickers).get_indexer(trades["ticker"])

    assert panel.has_bar[sessions, columns].all()
    assert not panel.has_bar.all()


@hypothesis_settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    first=st.integers(0, 40),
    every=st.integers(1, 7),
    halts=st.sampled_from([0.0, 0.2]),
)
def test_engine_on_random_markets_equals_stepping(
    seed: int, first: int, every: int, halts: float
) -> None:
    panel = random_market(60, 3, seed, halt_share=halts, volatility=0.05, listed_from={1: 20}).panel
    one = roll("random", panel, first=first, every=every, seed=seed)
    result = replayed(one.weights, panel)

    assert result.daily["equity"].to_numpy().tobytes() == one.equity.tobytes()
    assert (result.trades["weight_after"] >= 0).all()


@pytest.mark.parametrize("last", [1, 8, 9, 30, 58])
def test_sessions_after_the_newest_weights_are_left_out(last: int) -> None:
    panel = random_market(60, 3, 5).panel
    weights = roll("random", panel, every=3).weights
    known = weights[weights["date"] <= panel.dates[last]]
    whole, cut = replayed(weights, panel), replayed(known, panel)

    for frame, rows in ((whole.daily, cut.daily), (whole.trades, cut.trades)):
        expected = frame[frame["date"] <= panel.dates[last]].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, expected, check_exact=True)
    assert cut.daily["date"].max() == pd.Timestamp(panel.dates[last])


def test_strategy_that_has_only_just_decided_has_no_rows() -> None:
    panel = random_market(10, 2).panel
    weights = roll("new", panel, first=9).weights
    result = replayed(weights, panel)

    pd.testing.assert_frame_equal(result.daily, DAILY.empty())
    pd.testing.assert_frame_equal(result.trades, TRADES.empty())


def test_engine_repeats_the_rollout_that_stored_the_weights_to_the_bit() -> None:
    market = small_market()
    settings = market_settings(
        portfolio={
            "policies": ("equal_weight", "inverse_volatility", "momentum", "buy_and_hold"),
            "cash_rate_series": "TNX",
            "lookback_sessions": 60,
        },
        costs={"impact_coefficient": 0.2, "max_participation": 0.01},
    )
    sessions = market_of(market.bars, PREDICTIONS.empty(), market.macro, settings)
    contenders = rule_contenders(settings)
    costs = TradingCosts(**settings.costs.model_dump())
    rollout = roll_out(sessions, contenders, costs, settings.portfolio.capital_usd)
    weights = rollout_rows(rollout, sessions, contenders)
    result = backtest(weights, market.bars, market.macro, settings)
    books = rebuild_books(
        result.daily, result.trades, sessions.panel, settings.portfolio.capital_usd
    )

    for row, one in enumerate(contenders):
        daily = result.daily[result.daily["strategy"] == one.strategy]
        rows = slice(rollout.first[row] + 1, None)
        assert daily["equity"].to_numpy().tobytes() == rollout.equity[row, rows].tobytes()
        assert daily["return"].to_numpy().tobytes() == rollout.returns[row, rows].tobytes()
        assert len(daily) > 300
    assert unreconciled_weights(weights, books, sessions.panel).empty
    assert unreconciled_equity(result.daily, books, sessions.panel).empty
    assert infeasible_targets(weights, {one.strategy: one.limits for one in contenders}).empty
    assert impossible_fills(result.trades, market.bars, QUARANTINE.empty()).empty


def test_no_weights_give_empty_tables() -> None:
    weights = weight_rows("equal_weight", DAYS, {0: {"AAA": 0.1}}).iloc[:0]
    result = backtest(weights, ledger_bars(), MACRO.empty(), ledger_settings())

    pd.testing.assert_frame_equal(result.daily, DAILY.empty())
    pd.testing.assert_frame_equal(result.trades, TRADES.empty())


def test_no_bars_are_refused_with_what_to_do() -> None:
    weights = weight_rows("equal_weight", DAYS, {0: {"AAA": 0.1}})
    with pytest.raises(ContractError, match=r"Materialize market_data\.bars"):
        backtest(weights, BARS.empty(), MACRO.empty(), ledger_settings())


def test_without_the_rates_series_cash_earns_nothing() -> None:
    weights = weight_rows("equal_weight", DAYS, {0: {"AAA": 0.1}})
    result = backtest(weights, ledger_bars(), MACRO.empty(), ledger_settings())
    assert (result.daily["interest"] == 0).all()


def test_policy_that_the_catalog_does_not_know_is_refused() -> None:
    weights = weight_rows("oracle", DAYS, {0: {"AAA": 0.1}})
    with pytest.raises(ContractError, match=r"weights of oracle; known policies are ppo"):
        backtest(weights, ledger_bars(), MACRO.empty(), ledger_settings())


def test_buy_and_hold_may_put_all_that_is_invested_in_the_proxy() -> None:
    weights = pd.concat(
        weight_rows(policy, DAYS, {0: {"AAA": 0.8, "BBB": 0.0}})
        for policy in ("buy_and_hold", "equal_weight")
    )
    daily = backtest(weights, ledger_bars(), MACRO.empty(), ledger_settings()).daily
    first = daily[daily["date"] == DAYS[1]].set_index("strategy")["gross_exposure"]

    assert first["buy_and_hold"] == pytest.approx(0.8, abs=0.02)
    assert first["equal_weight"] == pytest.approx(0.5, abs=0.02)


def test_row_is_simulated_from_the_first_simulated_price_on(panel: PricePanel) -> None:
    bars = small_market().bars
    day = pd.Timestamp(panel.dates[100])
    mixed = bars.assign(is_simulated=(bars["date"] == day) & (bars["ticker"] == "AAA"))
    expected = np.arange(len(panel)) >= 100

    assert (simulated_until(mixed, panel) == expected).all()
    assert not simulated_until(mixed[mixed["ticker"] != "AAA"], panel).any()
    others = mixed.assign(ticker=mixed["ticker"].replace("AAA", "ZZZ"))
    assert not simulated_until(others, panel).any()
