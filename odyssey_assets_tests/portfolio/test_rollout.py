import dataclasses
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pytest

from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Simulator, TradingCosts
from odyssey_assets.errors import PolicyError
from odyssey_assets.portfolio.catalog import rule_contenders
from odyssey_assets.portfolio.contender import Contender, Rebalance, Stretch
from odyssey_assets.portfolio.market import MarketView, PortfolioMarket
from odyssey_assets.portfolio.rollout import Rollout, roll_out
from odyssey_assets.portfolio.schedule import NOBODY, is_rebalance_session
from odyssey_assets.settings import build_settings
from odyssey_assets_tests.portfolio.markets import market_of_closes, panel_of, random_market
from odyssey_assets_tests.portfolio.rules import LIMITS, Constant, Restless, contender

CAPITAL = 1_000_000.0
FREE = TradingCosts(0.0, 0.0)
COSTS = TradingCosts(10.0, 5.0)
DEAR = TradingCosts(10.0, 5.0, impact_coefficient=0.5, max_participation=0.0005)
WIDE = Limits(1.0, 0.8, 0.2)


def awkward_market(seed: int, sessions: int = 120, tickers: int = 5) -> PortfolioMarket:
    """Return a market with late listings, halts and interest."""
    market = random_market(
        sessions, tickers, seed, volatility=0.03, halt_share=0.1, listed_from={1: 40, 3: 75}
    )
    interest = np.random.default_rng(seed).uniform(0, 2e-4, sessions)
    return dataclasses.replace(
        market, panel=dataclasses.replace(market.panel, cash_return=interest)
    )


def field() -> tuple[Contender, ...]:
    """Return contenders of every rhythm, with different limits, two of which start late."""
    rhythms: tuple[Rebalance, ...] = ("daily", "weekly", "monthly", "once")
    return (
        *(contender(Restless(row), one, one) for row, one in enumerate(rhythms)),
        contender(Restless(7), "wide", limits=WIDE),
        contender(Constant([0.2] * 5, first=30), "late"),
        contender(Constant([9.0, -1.0, 0.5, 0.0, 0.3]), "later", "weekly", start=date(2015, 4, 1)),
    )


def simulated(
    rollout: Rollout, market: PortfolioMarket, contenders: Sequence[Contender], costs: TradingCosts
) -> tuple[np.ndarray, np.ndarray]:
    """Return totals and held weights of the simulator fed with the targets of the decisions."""
    fed = np.where(rollout.is_decision[..., None], rollout.targets, np.nan)
    limits = tuple(one.limits for one in contenders)
    fills = Simulator(market.panel, limits, costs).simulate(
        fed, rollout.is_decision, rollout.first, CAPITAL
    )
    units = np.zeros((len(contenders), len(market.panel.tickers)))
    held = np.zeros(rollout.held.shape)
    for session in range(1, len(market.panel)):
        filled = fills.by_ticker[:, session, 0]
        units = np.where(filled == -units, 0.0, units + filled)
        values = np.where(units != 0, units * market.panel.close[session], 0.0)
        held[:, session] = values / fills.equity[:, session, None]
    return fills.totals, held


@pytest.mark.parametrize("costs", [FREE, COSTS, DEAR], ids=["free", "costs", "orders that wait"])
@pytest.mark.parametrize("seed", range(4))
def test_paths_equal_those_of_the_simulator_fed_with_the_decisions(
    seed: int, costs: TradingCosts
) -> None:
    market, contenders = awkward_market(seed), field()
    rollout = roll_out(market, contenders, costs, CAPITAL)
    totals, held = simulated(rollout, market, contenders, costs)

    if costs is DEAR:
        assert (totals[..., kernels.UNFILLED][rollout.equity > 0] > 0).any()
    for row, first in enumerate(rollout.first):
        after = slice(first + 1, None)
        np.testing.assert_array_equal(
            rollout.equity[row, after], totals[row, after, kernels.EQUITY]
        )
        np.testing.assert_array_equal(
            rollout.returns[row, after], totals[row, after, kernels.RETURN]
        )
        np.testing.assert_allclose(rollout.held[row, after], held[row, after], rtol=1e-12)
    assert (rollout.first < 80).all()


@pytest.mark.parametrize("seed", range(4))
def test_targets_of_decisions_keep_the_limits_and_halted_positions(seed: int) -> None:
    market, contenders = awkward_market(seed), field()
    rollout = roll_out(market, contenders, COSTS, CAPITAL)
    for row, one in enumerate(contenders):
        targets, held = rollout.targets[row], rollout.held[row]
        decided = rollout.is_decision[row]
        halted = ~market.panel.has_bar & decided[:, None]
        trades = market.panel.has_bar & decided[:, None]

        np.testing.assert_allclose(targets[halted], held[halted], rtol=1e-12)
        assert (targets[~market.panel.is_listed & decided[:, None]] == 0).all()
        assert targets[trades].min() >= 0
        assert targets[trades].max() <= one.limits.max_weight + 1e-9
        drifted = np.where(halted, held, 0).sum(axis=1)
        sums = targets.sum(axis=1)
        assert (sums[decided] <= np.maximum(one.limits.budget, drifted[decided]) + 1e-9).all()


def test_contender_runs_the_same_path_alone_and_among_others() -> None:
    market, contenders = awkward_market(0), field()
    together = roll_out(market, contenders, COSTS, CAPITAL)
    for row, one in enumerate(contenders):
        alone = roll_out(market, (one,), COSTS, CAPITAL)
        for name, values in vars(alone).items():
            np.testing.assert_array_equal(values[0], getattr(together, name)[row], err_msg=name)


def test_portfolio_waits_without_interest_and_starts_with_the_capital() -> None:
    market = dataclasses.replace(
        market_of_closes(np.full((10, 1), 5.0)),
        panel=panel_of(np.full((10, 1), 5.0), cash_return=0.01),
    )
    rollout = roll_out(market, (contender(Constant([0.0], first=4)),), FREE, CAPITAL)

    assert rollout.first.tolist() == [4]
    assert np.isnan(rollout.equity[0, :4]).all()
    assert np.isnan(rollout.targets[0, :4]).all()
    assert rollout.equity[0, 4] == CAPITAL
    assert rollout.equity[0, 5:] == pytest.approx(CAPITAL * 1.01 ** np.arange(1, 6))
    assert np.isnan(rollout.returns[0, 4])
    assert rollout.returns[0, 5:] == pytest.approx([0.01] * 5)


def test_target_is_carried_forward_while_the_portfolio_drifts() -> None:
    close = np.array([[10.0], [10.0], [20.0], [20.0]]) * [[1, 1]]
    close[:, 1] = 10
    market = market_of_closes(close)
    rollout = roll_out(market, (contender(Constant([0.3, 0.1]), rebalance="once"),), FREE, CAPITAL)

    assert rollout.is_decision[0].tolist() == [True, False, False, False]
    assert rollout.targets[0].tolist() == [[0.3, 0.1]] * 4
    assert rollout.held[0] == pytest.approx(
        np.array([[0, 0], [0.3, 0.1], [0.6 / 1.3, 0.1 / 1.3], [0.6 / 1.3, 0.1 / 1.3]])
    )


@pytest.mark.parametrize("rebalance", ["daily", "weekly", "monthly"])
def test_decisions_are_made_on_the_rebalance_sessions_only(rebalance: Rebalance) -> None:
    market = random_market(90, 2)
    rollout = roll_out(market, (contender(Constant([0.1, 0.2]), rebalance=rebalance),), COSTS, 1e6)
    expected = is_rebalance_session(market.panel.dates, rebalance)
    assert rollout.is_decision[0].tolist() == expected.tolist()


def test_model_of_each_stretch_decides_from_its_start_on() -> None:
    market = random_market(60, 2)
    days = market.panel.dates.tolist()
    stretches = (Stretch(days[10], Constant([0.1, 0.0])), Stretch(days[25], Constant([0.0, 0.2])))
    one = Contender("learned", 1, True, "daily", LIMITS, stretches)
    rollout = roll_out(market, (one,), COSTS, CAPITAL)

    assert rollout.first.tolist() == [10]
    assert rollout.decider[0].tolist() == [NOBODY] * 10 + [0] * 15 + [1] * 35
    assert (rollout.targets[0, 10:25] == [0.1, 0.0]).all()
    assert (rollout.targets[0, 25:] == [0.0, 0.2]).all()


def test_session_without_an_answer_leaves_the_portfolio_as_it_is() -> None:
    class OnlyOnce:
        def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:
            return np.full(len(held), 0.1) if len(view.panel) == 3 else None

    rollout = roll_out(random_market(9, 2), (contender(OnlyOnce()),), COSTS, CAPITAL)
    assert rollout.is_decision[0].tolist() == [False, False, True] + [False] * 6
    assert (rollout.targets[0, 2:] == 0.1).all()


def test_policy_sees_the_weights_held_at_the_close_and_cannot_change_them() -> None:
    seen: list[np.ndarray] = []

    class Greedy:
        def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
            seen.append(held.copy())
            held[:] = 0.3
            return held

    rollout = roll_out(random_market(20, 2), (contender(Greedy()),), COSTS, CAPITAL)

    np.testing.assert_array_equal(np.array(seen), rollout.held[0])
    assert rollout.held[0, 0].tolist() == [0, 0]


def test_policy_that_never_decides_and_no_policy_at_all_give_empty_paths() -> None:
    market = random_market(20, 2)
    never = roll_out(market, (contender(Constant([0.1, 0.1], first=99)),), COSTS, CAPITAL)
    assert never.first.tolist() == [20]
    assert np.isnan(never.equity).all()
    assert roll_out(market, (), COSTS, CAPITAL).targets.shape == (0, 20, 2)


@pytest.mark.parametrize("wrong", [[0.1, np.nan], [np.inf, 0.0], [0.1], [[0.1, 0.1]]])
def test_weights_that_mean_nothing_are_refused_with_policy_and_date(wrong: list) -> None:
    contenders = (contender(Constant(wrong, first=7), "broken"),)
    day = random_market(20, 2).panel.dates[7]
    with pytest.raises(PolicyError, match=rf"'broken' returned .* on {day}; expected 2 finite"):
        roll_out(random_market(20, 2), contenders, COSTS, CAPITAL)


def test_policy_that_cannot_work_weights_out_is_named() -> None:
    class Stuck:
        def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
            raise PolicyError("no solution")

    with pytest.raises(PolicyError, match="Policy 'stuck': no solution"):
        roll_out(random_market(20, 2), (contender(Stuck(), "stuck"),), COSTS, CAPITAL)


SESSIONS = 340


def _one_ticker() -> PortfolioMarket:
    return random_market(SESSIONS, 1)


def _no_forecasts() -> PortfolioMarket:
    return random_market(SESSIONS, 6, first_forecast=SESSIONS)


def _equal_forecasts() -> PortfolioMarket:
    return market_of_closes(random_market(SESSIONS, 6).panel.close, 0.01)


def _constant_price() -> PortfolioMarket:
    close = random_market(SESSIONS, 6).panel.close.copy()
    close[:, 0] = 100
    return market_of_closes(close, 0.01)


def _nothing_moves() -> PortfolioMarket:
    return market_of_closes(np.full((SESSIONS, 6), 10.0), 0.01)


def _missing_day() -> PortfolioMarket:
    close = random_market(SESSIONS, 6).panel.close
    has_bar = np.ones(close.shape, dtype=np.bool_)
    has_bar[is_rebalance_session(_one_ticker().panel.dates, "monthly"), 2] = False
    has_bar[0, 2] = True
    return market_of_closes(close, 0.01, has_bar=has_bar)


def _crash() -> PortfolioMarket:
    market = random_market(SESSIONS, 6, halt_share=0.02)
    close = market.panel.close.copy()
    close[300:] *= 0.1
    return market_of_closes(close, market.forecasts, has_bar=market.panel.has_bar)


def _never_listed() -> PortfolioMarket:
    return random_market(SESSIONS, 6, listed_from={2: SESSIONS})


NEED_FORECASTS = ("forecast_top_k", "forecast_kelly")
NEED_RISK = ("inverse_volatility", "minimum_variance", "hierarchical_risk_parity", "forecast_kelly")


@pytest.mark.parametrize(
    ("make", "blind"),
    [
        (_one_ticker, ()),
        (_no_forecasts, NEED_FORECASTS),
        (_equal_forecasts, ()),
        (_constant_price, ()),
        (_nothing_moves, NEED_RISK),
        (_missing_day, ()),
        (_crash, ()),
        (_never_listed, ()),
    ],
)
def test_every_rule_survives_bad_input_inside_its_limits_or_never_starts(
    make: Callable[[], PortfolioMarket], blind: Sequence[str]
) -> None:
    market = make()
    names = market.panel.tickers
    limits = {"lookback_sessions": 60}
    contenders = rule_contenders(build_settings(tickers=names, proxy=names[0], portfolio=limits))

    rollout = roll_out(market, contenders, DEAR, CAPITAL)

    for row, one in enumerate(contenders):
        assert (rollout.first[row] == SESSIONS) == (one.strategy in blind), one.strategy
        started = slice(rollout.first[row], None)
        assert np.isfinite(rollout.held[row, started]).all()
        assert (rollout.equity[row, started] > 0.2 * CAPITAL).all()
        trades = market.panel.has_bar & rollout.is_decision[row][:, None]
        targets = rollout.targets[row][trades]
        assert targets.size == 0 or targets.max() <= one.limits.max_weight + 1e-9
