from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from odyssey_assets.backtesting.engine import Backtest
from odyssey_assets.backtesting.reconciliation import (
    rebuild_books,
    unbalanced_rows,
    unreconciled_equity,
    unreconciled_seed_paths,
    unreconciled_weights,
)
from odyssey_assets.backtesting.tables import DAILY, TRADES
from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.portfolio.tables import SEED_PATHS
from odyssey_assets_tests.backtesting.replays import CAPITAL, market_panel, replayed, roll
from odyssey_assets_tests.portfolio.markets import random_market


@pytest.fixture(scope="module")
def panel() -> PricePanel:
    return market_panel()


@pytest.fixture(scope="module")
def weights(panel: PricePanel) -> pd.DataFrame:
    starts = (("early", 30, 5), ("late", 400, 1), ("once", 250, 10_000))
    rolled = [roll(name, panel, first=first, every=every) for name, first, every in starts]
    return pd.concat([one.weights for one in rolled], ignore_index=True)


@pytest.fixture(scope="module")
def result(weights: pd.DataFrame, panel: PricePanel) -> Backtest:
    return replayed(weights, panel)


def equity_findings(result: Backtest, panel: PricePanel) -> pd.DataFrame:
    books = rebuild_books(result.daily, result.trades, panel, CAPITAL)
    return unreconciled_equity(result.daily, books, panel)


def test_good_tables_reconcile(result: Backtest, weights: pd.DataFrame, panel: PricePanel) -> None:
    books = rebuild_books(result.daily, result.trades, panel, CAPITAL)

    assert equity_findings(result, panel).empty
    assert unreconciled_weights(weights, books, panel).empty
    assert unbalanced_rows(result.daily, CAPITAL).empty
    assert (result.daily["interest"] > 0).any()
    assert (result.trades["impact"] > 0).any()


@hypothesis_settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    first=st.integers(0, 40),
    volatility=st.sampled_from([0.001, 0.05, 0.4]),
    halts=st.sampled_from([0.0, 0.3]),
)
def test_random_markets_reconcile(seed: int, first: int, volatility: float, halts: float) -> None:
    panel = random_market(
        50, 3, seed, halt_share=halts, volatility=volatility, listed_from={1: 20}
    ).panel
    weights = roll("random", panel, first=first, every=2, seed=seed).weights
    result = replayed(weights, panel)
    books = rebuild_books(result.daily, result.trades, panel, CAPITAL)

    assert equity_findings(result, panel).empty
    assert unreconciled_weights(weights, books, panel).empty
    assert unbalanced_rows(result.daily, CAPITAL).empty


def tampered(rows: pd.DataFrame, column: str, row: int, factor: float) -> pd.DataFrame:
    altered = rows.copy()
    altered.iloc[row, altered.columns.get_loc(column)] *= factor
    return altered


def test_tampered_equity_is_found_with_both_values(result: Backtest, panel: PricePanel) -> None:
    daily = tampered(result.daily, "equity", 77, 1 + 1e-7)
    found = equity_findings(Backtest(daily, result.trades), panel)
    truth = result.daily.iloc[77]

    assert found["rule"].tolist() == ["equity follows from the fills"]
    assert found["strategy"].tolist() == [truth["strategy"]]
    assert found["date"].tolist() == [truth["date"]]
    assert found["value"].iloc[0] == daily["equity"].iloc[77]
    assert found["expected"].iloc[0] == pytest.approx(truth["equity"], rel=1e-10)


def test_tampered_cash_is_found(result: Backtest, panel: PricePanel) -> None:
    daily = tampered(result.daily, "cash_weight", 50, 1 + 1e-6)
    found = equity_findings(Backtest(daily, result.trades), panel)

    assert found["rule"].tolist() == ["cash follows from the fills"]
    assert found["date"].tolist() == [result.daily["date"].iloc[50]]


@pytest.mark.parametrize("column", ["shares", "price", "commission", "slippage", "impact"])
def test_tampered_fill_is_found_from_its_session_on(
    column: str, result: Backtest, panel: PricePanel
) -> None:
    row = int((result.trades["impact"] > 1.0).to_numpy().argmax())
    fill = result.trades.iloc[row]
    found = equity_findings(
        Backtest(result.daily, tampered(result.trades, column, row, 1.01)), panel
    )

    assert found["date"].min() == fill["date"]
    assert set(found["strategy"]) == {fill["strategy"]}
    assert len(found) > 100


def test_missing_fill_is_found(result: Backtest, panel: PricePanel) -> None:
    fill = result.trades.iloc[40]
    trades = result.trades.drop(index=result.trades.index[40])
    found = equity_findings(Backtest(result.daily, trades), panel)

    assert found["date"].min() == fill["date"]


def test_interest_at_another_rate_is_found(result: Backtest, panel: PricePanel) -> None:
    rate = panel.cash_return * 1.001
    dearer = PricePanel(**{**_fields(panel), "cash_return": rate})

    assert not equity_findings(result, dearer).empty


def _fields(panel: PricePanel) -> dict:
    return {name: getattr(panel, name) for name in PricePanel.__dataclass_fields__}


def test_other_capital_is_found_on_every_row(result: Backtest, panel: PricePanel) -> None:
    books = rebuild_books(result.daily, result.trades, panel, 2 * CAPITAL)
    found = unreconciled_equity(result.daily, books, panel)

    assert (found["rule"] == "equity follows from the fills").sum() == len(result.daily)


def test_tampered_held_weight_is_found(
    result: Backtest, weights: pd.DataFrame, panel: PricePanel
) -> None:
    books = rebuild_books(result.daily, result.trades, panel, CAPITAL)
    row = int((weights["held_weight"] > 0.1).to_numpy().argmax())
    altered = weights.copy()
    altered.loc[row, "held_weight"] += 1e-7
    found = unreconciled_weights(altered, books, panel)

    assert found["ticker"].tolist() == [weights.loc[row, "ticker"]]
    assert found["value"].iloc[0] - found["expected"].iloc[0] == pytest.approx(1e-7, rel=1e-3)


def test_weights_beyond_the_newest_equity_are_left_out(
    result: Backtest, weights: pd.DataFrame, panel: PricePanel
) -> None:
    known = result.daily["date"] <= pd.Timestamp(panel.dates[450])
    daily = result.daily[known]
    trades = result.trades[result.trades["date"] <= pd.Timestamp(panel.dates[450])]
    books = rebuild_books(daily, trades, panel, CAPITAL)
    wrong = weights.assign(
        held_weight=weights["held_weight"].mask(weights["date"] > panel.dates[450], 0.7)
    )

    assert unreconciled_weights(wrong, books, panel).empty
    unknown = pd.concat([weights, weights.assign(policy="new", held_weight=0.5)])
    assert unreconciled_weights(unknown, books, panel).empty


@pytest.mark.parametrize(
    ("column", "factor", "rules"),
    [
        ("equity", 1 + 1e-7, {"equity changes", "return is"}),
        ("price_gain", 1 + 1e-4, {"equity changes"}),
        ("interest", 1.1, {"equity changes"}),
        ("commission", 1.1, {"equity changes"}),
        ("impact", 2.0, {"equity changes"}),
        ("return", 1 + 1e-5, {"return is"}),
    ],
)
def test_money_from_nowhere_is_found(
    column: str, factor: float, rules: set[str], result: Backtest
) -> None:
    row = int((result.daily["impact"] > 0.1).to_numpy().argmax())
    found = unbalanced_rows(tampered(result.daily, column, row, factor), CAPITAL)

    assert {" ".join(rule.split()[:2]) for rule in found["rule"]} == rules
    assert found["date"].min() == result.daily["date"].iloc[row]
    assert set(found["strategy"]) == {result.daily["strategy"].iloc[row]}


def test_first_row_is_measured_against_the_capital(result: Backtest) -> None:
    found = unbalanced_rows(result.daily, CAPITAL + 1)
    firsts = result.daily.groupby("strategy")["date"].min()

    assert found.groupby("strategy")["date"].unique().map(list).to_dict() == {
        name: [date] for name, date in firsts.items()
    }


def seeds_of(daily: pd.DataFrame) -> pd.DataFrame:
    """Return two seeds of a strategy; the main one has its equity, the other twice that."""
    own = daily[daily["strategy"] == "late"]
    frames = [
        pd.DataFrame(
            {
                "policy": "late", "seed": seed, "date": own["date"], "window": own["window"],
                "equity": own["equity"] * factor, "return": own["return"],
                "is_main_seed": factor == 1.0, "is_own_training": True,
            }
        )
        for seed, factor in ((42, 1.0), (43, 2.0))
    ]  # fmt: skip
    return SEED_PATHS.conform(pd.concat(frames))


def test_main_seed_with_another_path_than_its_strategy_is_found(result: Backtest) -> None:
    seeds = seeds_of(result.daily)
    found = unreconciled_seed_paths(result.daily, tampered(seeds, "equity", 7, 1.001))

    assert unreconciled_seed_paths(result.daily, seeds).empty
    assert found["date"].tolist() == [seeds["date"].iloc[7]]
    assert found["value"].iloc[0] == pytest.approx(1.001 * found["expected"].iloc[0])
    assert found["strategy"].tolist() == ["late"]
    assert unreconciled_seed_paths(DAILY.empty(), seeds).empty
    assert unreconciled_seed_paths(result.daily, SEED_PATHS.empty()).empty


def spoiled(column: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda rows: tampered(rows, column, 10, float("nan"))


@pytest.mark.parametrize("column", ["equity", "cash_weight"])
def test_value_that_is_no_number_is_found(column: str, result: Backtest, panel: PricePanel) -> None:
    daily = spoiled(column)(result.daily)
    found = equity_findings(Backtest(daily, result.trades), panel)

    assert found["date"].tolist() == [result.daily["date"].iloc[10]]


def test_empty_tables_reconcile(weights: pd.DataFrame, panel: PricePanel) -> None:
    books = rebuild_books(DAILY.empty(), TRADES.empty(), panel, CAPITAL)

    assert unreconciled_equity(DAILY.empty(), books, panel).empty
    assert unreconciled_weights(weights, books, panel).empty
    assert unreconciled_weights(weights.iloc[:0], books, panel).empty
    assert unbalanced_rows(DAILY.empty(), CAPITAL).empty


def test_strategy_that_never_traded_keeps_its_capital(result: Backtest, panel: PricePanel) -> None:
    books = rebuild_books(result.daily, TRADES.empty(), panel, CAPITAL)
    assert (books.held == 0).all()
    assert (books.equity[0, books.start[0] :] >= CAPITAL).all()
