from functools import lru_cache

import pandas as pd
import pytest

from odyssey_assets.backtesting.crises import CRISES
from odyssey_assets.backtesting.engine import backtest
from odyssey_assets.backtesting.stress import stress_rows
from odyssey_assets.backtesting.tables import STRESS
from odyssey_assets.core.price_panel import build_price_panel
from odyssey_assets.core.returns import total_return
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR
from odyssey_assets.errors import ContractError
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets.settings import Settings
from odyssey_assets_tests.backtesting.replays import LIMITS, roll
from odyssey_assets_tests.features.markets import (
    GAPPY,
    LATE,
    PLAIN,
    PROXY,
    market_settings,
    small_market,
)
from odyssey_assets_tests.no_lookahead.harness import Market

OLD, YOUNG = "momentum", "equal_weight"
SCENARIOS = {
    *(crisis.name for crisis in CRISES), "market -10 %", "market -20 %", "market -40 %",
    "volatility doubled", "correlations to one", "costs tripled",
}  # fmt: skip
COSTS = {"commission_bps": 10.0, "slippage_bps": 5.0, "impact_coefficient": 0.1}


def stress_settings(factor: float = 1.0) -> Settings:
    costs = {name: factor * value for name, value in COSTS.items()}
    limits = {"max_weight": 0.3, "max_invested": 0.8, "min_cash": 0.2}
    return market_settings(costs=costs, portfolio=limits)


@lru_cache(maxsize=1)
def market() -> Market:
    return small_market()


@lru_cache(maxsize=1)
def weights() -> pd.DataFrame:
    """Return weights of a strategy from the first session on and of one from 2012 on."""
    panel = build_price_panel(market().bars, stress_settings().tickers)
    return WEIGHTS.conform(
        pd.concat(
            [
                roll(OLD, panel, seed=1, limits=LIMITS).weights,
                roll(YOUNG, panel, first=400, seed=2, limits=LIMITS).weights,
            ],
            ignore_index=True,
        )
    )


@lru_cache(maxsize=4)
def daily(factor: float = 1.0) -> pd.DataFrame:
    return backtest(weights(), market().bars, market().macro, stress_settings(factor)).daily


@lru_cache(maxsize=1)
def rows() -> pd.DataFrame:
    return stress_rows(daily(), weights(), market().bars, market().macro, stress_settings())


def row(strategy: str, scenario: str) -> pd.Series:
    own = rows()
    found = own[(own["strategy"] == strategy) & (own["scenario"] == scenario)]
    assert len(found) == 1
    return found.iloc[0]


def test_stress_rows_keep_their_contract_for_every_strategy_and_scenario() -> None:
    found = rows()

    pd.testing.assert_frame_equal(found, STRESS.conform(found))
    assert found.groupby("strategy")["scenario"].agg(set).to_dict() == {
        OLD: SCENARIOS, YOUNG: SCENARIOS,
    }  # fmt: skip
    for column in STRESS.columns:
        if column.minimum is not None:
            assert (found[column.name].dropna() >= column.minimum).all(), column.name
        if column.maximum is not None:
            assert (found[column.name].dropna() <= column.maximum).all(), column.name
        if column.allowed:
            assert set(found[column.name]) <= set(column.allowed)


def test_stress_rows_have_figures_or_a_reason() -> None:
    found = rows()
    is_computed = found["status"] == "computed"

    assert (found["reason"].isna() == is_computed).all()
    assert (found["portfolio_return"].notna() == is_computed).all()
    assert (found["method"].notna() == is_computed).all()
    assert ((found["sessions"] > 0) == is_computed).all()
    assert (found["start_date"].isna() == (found["kind"] == "shock")).all()


def test_crises_outside_the_prices_have_no_data_and_those_inside_are_replayed() -> None:
    for crisis in CRISES:
        for strategy in (OLD, YOUNG):
            found = row(strategy, crisis.name)
            assert found["start_date"].date() == crisis.start
            is_inside = crisis.name == "2011 August"
            assert found["status"] == ("computed" if is_inside else "no_data")
    assert row(OLD, "2011 August")["method"] == "own_path"
    assert "2010-07-01" in row(OLD, "2008 Q4")["reason"]


@pytest.mark.parametrize(("late_weight", "status"), [(0.1, "computed"), (0.3, "no_data")])
def test_strategy_that_began_later_is_replayed_with_what_it_wants_now(
    late_weight: float, status: str
) -> None:
    wanted = weights().copy()
    is_newest = (wanted["policy"] == YOUNG) & (wanted["date"] == wanted["date"].max())
    target = {PROXY: 0.3, PLAIN: 0.3, LATE: late_weight, GAPPY: 0.0}
    wanted.loc[is_newest, "is_decision"] = True
    wanted.loc[is_newest, "target_weight"] = wanted.loc[is_newest, "ticker"].map(target)
    found = stress_rows(daily(), wanted, market().bars, market().macro, stress_settings())

    own = found[found["strategy"] == YOUNG].set_index("scenario").loc["2011 August"]
    assert own["status"] == status
    assert own["covered_weight"] == pytest.approx(0.6 / (0.6 + late_weight))
    if status == "computed":
        assert own["method"] == "newest_weights"
    else:
        assert LATE in own["reason"]


def test_costs_tripled_is_the_backtest_at_three_times_the_costs() -> None:
    for strategy in (OLD, YOUNG):
        year, dear = (
            frame[frame["strategy"] == strategy]["return"].tail(SESSIONS_PER_YEAR).to_numpy()
            for frame in (daily(), daily(3.0))
        )
        found = row(strategy, "costs tripled")
        assert found["sessions"] == len(year)
        assert found["unshocked_return"] == float(total_return(year))
        assert found["portfolio_return"] == float(total_return(dear))
        assert found["portfolio_return"] < found["unshocked_return"]


def test_costs_tripled_that_cost_nothing_change_nothing() -> None:
    free = stress_settings(0.0)
    found = stress_rows(daily(0.0), weights(), market().bars, market().macro, free)

    own = found[found["scenario"] == "costs tripled"]
    assert (own["portfolio_return"] == own["unshocked_return"]).all()
    assert (own["annual_cost"] == 0.0).all()


@pytest.mark.parametrize("is_simulated", [True, False])
def test_rows_say_whether_prices_are_simulated(is_simulated: bool) -> None:
    bars = market().bars.assign(is_simulated=is_simulated)
    found = stress_rows(daily(), weights(), bars, market().macro, stress_settings())

    assert set(found["is_simulated"]) == {is_simulated}


def test_rows_do_not_depend_on_the_order_of_what_they_are_made_of() -> None:
    days, wanted, bars, macro = (
        frame.sample(frac=1.0, random_state=3)
        for frame in (daily(), weights(), market().bars, market().macro)
    )
    found = stress_rows(days, wanted, bars, macro, stress_settings())

    pd.testing.assert_frame_equal(found, rows(), check_exact=True)


def test_rows_without_weights_are_none() -> None:
    found = stress_rows(
        daily().iloc[:0], WEIGHTS.empty(), market().bars, market().macro, stress_settings()
    )

    assert found.empty
    assert tuple(found.columns) == STRESS.column_names


def test_strategy_that_has_only_just_decided_is_stressed_without_a_past() -> None:
    newest = weights()[weights()["policy"] == OLD]
    newest = newest[newest["date"] == newest["date"].max()].assign(is_decision=True)
    empty = daily().iloc[:0]
    found = stress_rows(empty, newest, market().bars, market().macro, stress_settings())

    by_scenario = found.set_index("scenario")
    assert by_scenario.loc["costs tripled", "status"] == "no_data"
    assert by_scenario.loc["market -10 %", "status"] == "computed"
    assert set(found["is_simulated"]) == {True}


def test_proxy_that_is_no_ticker_leaves_only_what_needs_it_without_data() -> None:
    settings = stress_settings().model_copy(update={"proxy": "ELSE"})
    found = stress_rows(daily(), weights(), market().bars, market().macro, settings)

    own = found[found["strategy"] == OLD].set_index("scenario")
    assert own.loc["market -10 %", "status"] == "no_data"
    assert own.loc["volatility doubled", "status"] == "computed"
    assert own.loc["2011 August", "status"] == "computed"
    assert pd.isna(own.loc["2011 August", "proxy_return"])


def test_weights_that_do_not_fit_the_prices_are_refused() -> None:
    bars = market().bars
    without = bars[(bars["ticker"] != GAPPY) | (bars["date"] > pd.Timestamp("2011-01-03"))]

    with pytest.raises(ContractError, match=GAPPY):
        stress_rows(daily(), weights(), without, market().macro, stress_settings())


def test_market_of_one_ticker_is_stressed_as_that_ticker() -> None:
    bars = market().bars[market().bars["ticker"] == PROXY]
    settings = market_settings(
        tickers=(PROXY,), portfolio={"max_weight": 0.8, "max_invested": 0.8, "min_cash": 0.2}
    )
    panel = build_price_panel(bars, (PROXY,))
    held = roll(OLD, panel, seed=3, limits=LIMITS, every=1000).weights
    held = held.assign(target_weight=0.3)
    own = backtest(held, bars, market().macro, settings).daily
    found = stress_rows(own, held, bars, market().macro, settings).set_index("scenario")

    weight = held["held_weight"].iloc[-1]
    assert weight > 0.1
    assert found.loc["market -40 %", "portfolio_return"] == pytest.approx(-0.4 * weight)
    to_one = found.loc["correlations to one"]
    assert to_one["volatility"] == pytest.approx(to_one["unshocked_volatility"])
