"""All portfolios of the competition, rolled forward together through the execution simulator.

Every contender decides on its own rebalance sessions from what is known at that close; between
them its portfolio drifts and waiting orders go on. Rows for the tables are made in
`portfolio.weight_table`; who takes part is decided in `portfolio.competition`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from odyssey_assets.core.execution import Book, Simulator, TradingCosts
from odyssey_assets.errors import PolicyError
from odyssey_assets.portfolio.contender import Contender
from odyssey_assets.portfolio.market import MarketView, PortfolioMarket
from odyssey_assets.portfolio.schedule import NOBODY, is_rebalance_session, stretch_in_force


@dataclass(frozen=True, eq=False)
class Rollout:
    """What every contender wanted, held and was worth; NaN before its first decision.

    Attributes:
        targets: Feasible weights of the last decision, carried forward, shape (contenders,
            sessions, tickers).
        is_decision: Whether the contender decided at this close, shape (contenders, sessions).
        held: Weights held at the close, shape (contenders, sessions, tickers).
        equity: Value at the close, USD, shape (contenders, sessions); the capital at the first
            decision.
        returns: Equity / equity at the close before - 1, same shape; NaN at the first decision.
        decider: Which of the contender's stretches made the last decision, same shape; `NOBODY`
            before the first.
        first: Row of the first decision, shape (contenders,); the number of sessions if there is
            none.
    """

    targets: np.ndarray
    is_decision: np.ndarray
    held: np.ndarray
    equity: np.ndarray
    returns: np.ndarray
    decider: np.ndarray
    first: np.ndarray


def roll_out(
    market: PortfolioMarket,
    contenders: Sequence[Contender],
    costs: TradingCosts,
    capital_usd: float,
) -> Rollout:
    """Step all contenders through all sessions, each from cash at its first decision.

    Weights and values equal, to the bit, those of `Simulator.simulate` fed with the targets of the
    decision rows.

    Args:
        market: Prices and forecasts of all sessions.
        contenders: Who competes.
        costs: What their fills cost.
        capital_usd: What each starts with.

    Raises:
        PolicyError: A policy could not work out weights, or returned some of another shape or not
            finite.
    """
    race = _Race(market, contenders, costs, capital_usd)
    if contenders:
        for session in range(len(market.panel)):
            race.decide(session)
            race.record(session)
            race.advance(session)
    return race.rollout


class _Race:
    """All portfolios between two closes: what they own, and what they want."""

    def __init__(
        self,
        market: PortfolioMarket,
        contenders: Sequence[Contender],
        costs: TradingCosts,
        capital_usd: float,
    ) -> None:
        sessions, tickers = market.panel.close.shape
        count, dates = len(contenders), market.panel.dates
        self._market, self._contenders, self._capital = market, contenders, float(capital_usd)
        self._simulator = Simulator(market.panel, tuple(one.limits for one in contenders), costs)
        self._in_force = np.empty((count, sessions), dtype=np.int64)
        self._may_decide = np.empty((count, sessions), dtype=np.bool_)
        for row, one in enumerate(contenders):
            self._in_force[row] = stretch_in_force(one.stretches, dates)
            self._may_decide[row] = is_rebalance_session(dates, one.rebalance)
        self._may_decide &= self._in_force != NOBODY
        self._book = Book.of_cash(capital_usd, count, tickers)
        self._equity, self._returns = np.full(count, self._capital), np.full(count, np.nan)
        self._targets, self._held = np.zeros((count, tickers)), np.zeros((count, tickers))
        self._decides, self._has_started = np.zeros((2, count), dtype=np.bool_)
        self._decider = np.full(count, NOBODY)
        self.rollout = Rollout(
            targets=np.full((count, sessions, tickers), np.nan),
            is_decision=np.zeros((count, sessions), dtype=np.bool_),
            held=np.full((count, sessions, tickers), np.nan),
            equity=np.full((count, sessions), np.nan),
            returns=np.full((count, sessions), np.nan),
            decider=np.full((count, sessions), NOBODY),
            first=np.full(count, sessions),
        )

    def decide(self, session: int) -> None:
        """Ask every contender whose turn it is, and make what it wants feasible."""
        rows = np.full(len(self._contenders), session)
        self._held = self._simulator.weights(self._book, rows)
        self._decides[:] = False
        asked = np.flatnonzero(self._may_decide[:, session]).tolist()
        if not asked:
            return
        view = self._market.until(session)
        wanted = np.zeros(self._targets.shape)
        for row in asked:
            weights = _decision(
                self._contenders[row], self._in_force[row, session], view, self._held[row]
            )
            if weights is not None:
                wanted[row], self._decides[row] = weights, True
        if self._decides.any():
            feasible = self._simulator.feasible(self._book, rows, wanted)
            self._targets[self._decides] = feasible[self._decides]
            self._decider[self._decides] = self._in_force[self._decides, session]
            self._start(session)

    def _start(self, session: int) -> None:
        """Note who decides for the first time; who decides once is not asked again."""
        starts = self._decides & ~self._has_started
        self.rollout.first[starts] = session
        self._has_started |= starts
        for row in np.flatnonzero(starts).tolist():
            if self._contenders[row].rebalance == "once":
                self._may_decide[row] = False

    def record(self, session: int) -> None:
        """Write down where every contender that has started stands at the close."""
        here = self._has_started
        self.rollout.targets[here, session] = self._targets[here]
        self.rollout.is_decision[here, session] = self._decides[here]
        self.rollout.held[here, session] = self._held[here]
        self.rollout.equity[here, session] = self._equity[here]
        self.rollout.returns[here, session] = self._returns[here]
        self.rollout.decider[here, session] = self._decider[here]

    def advance(self, session: int) -> None:
        """Step to the next close; who has not started keeps the capital, without interest."""
        if session + 1 == len(self._market.panel):
            return
        rows = np.full(len(self._contenders), session)
        fills = self._simulator.step(self._book, rows, self._targets, self._decides)
        waits = ~self._has_started
        self._book.cash[waits] = self._capital
        self._equity = np.where(waits, self._capital, fills.equity)
        self._returns = np.where(waits, np.nan, fills.returns)


def _decision(
    contender: Contender, stretch: int, view: MarketView, held: np.ndarray
) -> np.ndarray | None:
    """Return the contender's weights, shape (tickers,), or None while it cannot decide.

    Raises:
        PolicyError: The policy could not work them out, or they are of another shape or not finite.
    """
    try:
        weights = contender.stretches[stretch].policy.decide(view, held.copy())
    except PolicyError as error:
        raise PolicyError(f"Policy {contender.strategy!r}: {error}") from error
    if weights is None:
        return None
    if np.shape(weights) != held.shape or not np.isfinite(weights).all():
        raise PolicyError(
            f"Policy {contender.strategy!r} returned {weights!r} on {view.date}; expected "
            f"{len(held)} finite weights, one a ticker, or None. Fix the policy or take it out of "
            "portfolio.policies."
        )
    return weights
