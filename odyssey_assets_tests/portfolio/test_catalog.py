import dataclasses
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from odyssey_assets.errors import SettingsError
from odyssey_assets.portfolio.catalog import POLICIES, PolicyEntry, rule_contenders
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.policies.policy import Policy
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets.settings_sections import PortfolioSettings
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market

RULES = [entry for entry in POLICIES if not entry.is_learned]
FULLY_INVESTED = (
    "equal_weight", "inverse_volatility", "momentum", "minimum_variance",
    "hierarchical_risk_parity", "buy_and_hold",
)  # fmt: skip
FED_BY_FORECASTS = ("forecast_top_k", "forecast_kelly")
TICKERS, SESSIONS, LATE, LATE_SESSION = 15, 420, 3, 160
ROUNDING = 1e-9

each_rule = pytest.mark.parametrize("entry", RULES, ids=lambda entry: entry.name)


def settings_for(tickers: int = TICKERS, **portfolio: Any) -> Settings:
    names = tuple(f"T{column:02d}" for column in range(tickers))
    limits = {"lookback_sessions": 60, **portfolio}
    return build_settings(tickers=names, proxy=names[0], portfolio=limits)


def rule_of(entry: PolicyEntry, tickers: int = TICKERS) -> Policy:
    assert entry.build is not None
    return entry.build(settings_for(tickers))


@pytest.fixture(scope="module")
def market() -> PortfolioMarket:
    return random_market(
        SESSIONS, TICKERS, seed=5, halt_share=0.02, listed_from={LATE: LATE_SESSION, 7: 399}
    )


@each_rule
def test_rule_wants_finite_weights_inside_its_limits_of_what_trades(
    entry: PolicyEntry, market: PortfolioMarket
) -> None:
    rule, limits = rule_of(entry), entry.limits(settings_for())
    answers = 0
    for session in range(0, SESSIONS, 9):
        view = market.until(session)
        weights = rule.decide(view, np.zeros(TICKERS))
        if weights is None:
            continue
        answers += 1
        assert weights.shape == (TICKERS,)
        assert weights.dtype == np.float64
        assert np.isfinite(weights).all()
        assert (weights[~view.is_tradable] == 0).all()
        assert weights.min() >= 0
        assert weights.max() <= limits.max_weight + ROUNDING
        assert weights.sum() <= limits.budget + ROUNDING
        if entry.name in FULLY_INVESTED:
            assert weights.sum() == pytest.approx(limits.budget)
    assert answers > 15


@each_rule
def test_rule_asked_twice_answers_the_same_and_leaves_its_input_alone(
    entry: PolicyEntry, market: PortfolioMarket
) -> None:
    view, held = market.until(SESSIONS - 1), np.full(TICKERS, 0.05)
    before = market.panel.close.copy(), market.forecasts.copy()

    first, second = (rule_of(entry).decide(view, held) for _ in range(2))

    assert first is not None
    assert second is not None
    assert first.tolist() == second.tolist()
    assert (held == 0.05).all()
    np.testing.assert_array_equal(market.panel.close, before[0])
    np.testing.assert_array_equal(market.forecasts, before[1])


@each_rule
def test_rule_decides_nothing_where_nothing_trades(entry: PolicyEntry) -> None:
    close = random_market(SESSIONS, TICKERS).panel.close
    has_bar = np.ones(close.shape, dtype=np.bool_)
    has_bar[-1] = False
    for closed in (has_bar, np.zeros(close.shape, dtype=np.bool_)):
        view = market_of_closes(close, 0.01, has_bar=closed).until(SESSIONS - 1)
        assert rule_of(entry).decide(view, np.zeros(TICKERS)) is None


@each_rule
def test_rule_gives_an_unlisted_ticker_nothing_and_a_listed_one_its_chance(
    entry: PolicyEntry, market: PortfolioMarket
) -> None:
    rule = rule_of(entry)
    nothing = np.zeros(TICKERS)
    answers = [
        rule.decide(market.until(row), nothing) for row in range(SESSIONS - 100, SESSIONS, 3)
    ]
    wanted = np.array([answer[LATE] for answer in answers if answer is not None])
    early = rule.decide(market.until(LATE_SESSION - 1), np.zeros(TICKERS))
    assert early is None or early[LATE] == 0
    if entry.name in FULLY_INVESTED and entry.name not in ("buy_and_hold", "momentum"):
        assert (wanted > 0).mean() > 0.3


@each_rule
def test_rule_knows_prices_only_up_to_their_unit(
    entry: PolicyEntry, market: PortfolioMarket
) -> None:
    units = np.random.default_rng(0).uniform(0.01, 100, TICKERS)
    other = dataclasses.replace(market.panel, close=market.panel.close * units)
    rule, nothing = rule_of(entry), np.zeros(TICKERS)

    weights = rule.decide(market.until(SESSIONS - 1), nothing)
    found = rule.decide(dataclasses.replace(market, panel=other).until(SESSIONS - 1), nothing)

    assert weights is not None
    assert found == pytest.approx(weights, abs=1e-6)


@each_rule
def test_rule_decides_for_one_ticker_alone(entry: PolicyEntry) -> None:
    alone = random_market(SESSIONS, 1, drift=0.001, skill=1.0)
    limits = entry.limits(settings_for(1))
    weights = rule_of(entry, 1).decide(alone.until(SESSIONS - 10), np.zeros(1))
    assert weights is not None
    if entry.name in FULLY_INVESTED:
        assert weights == pytest.approx([limits.max_weight])


@pytest.mark.parametrize("name", FED_BY_FORECASTS)
def test_rule_fed_by_forecasts_decides_nothing_without_one(name: str) -> None:
    entry = next(entry for entry in RULES if entry.name == name)
    blind = random_market(SESSIONS, TICKERS, first_forecast=SESSIONS)
    assert rule_of(entry).decide(blind.until(SESSIONS - 1), np.zeros(TICKERS)) is None


def test_contenders_are_the_rules_of_the_settings_in_their_order() -> None:
    chosen = settings_for(policies=("momentum", "ppo", "equal_weight"))
    contenders = rule_contenders(chosen)

    assert [one.strategy for one in contenders] == ["momentum", "equal_weight"]
    assert all(one.seed is None and one.is_main_seed for one in contenders)
    assert all(len(one.stretches) == 1 and one.stretches[0].start is None for one in contenders)


def test_catalog_holds_the_default_policies_and_one_learned_one() -> None:
    assert tuple(entry.name for entry in POLICIES) == PortfolioSettings().policies
    assert [entry.name for entry in POLICIES if entry.is_learned] == ["ppo"]


def test_only_the_yardstick_may_hold_one_ticker_alone() -> None:
    settings = settings_for(max_weight=0.1, max_invested=0.7)
    caps = {entry.name: entry.limits(settings).max_weight for entry in POLICIES}
    assert caps.pop("buy_and_hold") == 0.7
    assert set(caps.values()) == {0.1}


def test_unknown_policy_is_refused_with_what_there_is() -> None:
    with pytest.raises(SettingsError, match=r"\['oracle'\].*ppo, equal_weight.*buy_and_hold"):
        rule_contenders(settings_for(policies=("equal_weight", "oracle")))


def test_yardstick_stays_out_where_the_proxy_is_no_ticker_and_says_why() -> None:
    settings = build_settings(tickers=("AAA", "BBB"), proxy="SPY")
    kept_out = [entry.name for entry in POLICIES if entry.reason_to_stay_out(settings)]
    assert kept_out == ["buy_and_hold"]
    (yardstick,) = (entry for entry in POLICIES if entry.name in kept_out)
    assert "proxy SPY, which is not among the tickers" in str(
        yardstick.reason_to_stay_out(settings)
    )
    competing = [one.strategy for one in rule_contenders(settings)]
    assert competing == [entry.name for entry in RULES if entry is not yardstick]
    assert all(entry.reason_to_stay_out(settings_for()) is None for entry in POLICIES)


def test_catalog_loads_without_the_libraries_of_the_policies() -> None:
    code = (
        "import sys, odyssey_assets.portfolio.catalog\n"
        "print(sorted({'skfolio', 'sklearn', 'torch', 'numba', 'scipy.stats'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
