"""The execution simulator: the only place where a portfolio pays for what it wants.

Target weights decided at the close of t become orders, the orders are cut to the limits, fill at
the open of t + 1 against commission, slippage and impact, and the portfolio is marked at the close
of t + 1. The training environment, every policy and every backtest step here; the arithmetic of one
step lies in `core.execution_kernels`. Prices belong to `core.price_panel`, limits to
`core.constraints`.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.costs import BASIS_POINT
from odyssey_assets.core.price_panel import PricePanel

FILL_FIELDS = 5
NO_CAP = 1e9


@dataclass(frozen=True)
class TradingCosts:
    """What a fill costs, and how large it may be.

    Attributes:
        commission_bps: Basis points of traded value.
        slippage_bps: Basis points of traded value.
        impact_coefficient: Impact in daily standard deviations at full participation: costs
            coefficient x sigma x sqrt(traded / average volume) x traded, the square-root law
            (Torre 1997; Almgren et al. 2005). 0: none.
        max_participation: Largest fill as a share of the 20-session average dollar volume; None:
            no cap, volume is not looked at.
    """

    commission_bps: float
    slippage_bps: float
    impact_coefficient: float = 0.0
    max_participation: float | None = None

    @property
    def rates(self) -> np.ndarray:
        """The costs as the kernels take them."""
        cap = NO_CAP if self.max_participation is None else self.max_participation
        return np.array(
            [
                self.commission_bps * BASIS_POINT,
                self.slippage_bps * BASIS_POINT,
                self.impact_coefficient,
                cap,
            ]
        )


@dataclass(eq=False)
class Book:
    """What portfolios own; `step` changes it in place.

    Attributes:
        units: Held units of adjusted price, shape (portfolios, tickers).
        pending: Units ordered and not yet filled, same shape; negative to sell.
        cash: USD, shape (portfolios,).
    """

    units: np.ndarray
    pending: np.ndarray
    cash: np.ndarray

    @classmethod
    def of_cash(cls, capital: float, portfolios: int, tickers: int) -> "Book":
        """Return portfolios that hold nothing but `capital` USD each."""
        shape = (portfolios, tickers)
        return cls(np.zeros(shape), np.zeros(shape), np.full(portfolios, float(capital)))


@dataclass(frozen=True, eq=False)
class Fills:
    """What happened in one step or along a path.

    The first axes are (portfolios,) after `step` and (portfolios, sessions) after `simulate`;
    `totals` ends in the figures of `execution_kernels`, `by_ticker` in (5, tickers): units filled,
    commission, slippage, impact, USD that waits.
    """

    totals: np.ndarray
    by_ticker: np.ndarray

    @property
    def equity(self) -> np.ndarray:
        """Value at the close, USD."""
        return self.totals[..., kernels.EQUITY]

    @property
    def returns(self) -> np.ndarray:
        """Equity / equity at the close before - 1."""
        return self.totals[..., kernels.RETURN]

    @property
    def costs(self) -> np.ndarray:
        """Commission, slippage and impact, USD."""
        return self.totals[..., kernels.COMMISSION : kernels.IMPACT + 1].sum(axis=-1)

    @property
    def turnover(self) -> np.ndarray:
        """Traded value / equity at the close before."""
        return self.totals[..., kernels.TURNOVER]


class Simulator:
    """Steps portfolios through a panel under limits and costs.

    Args:
        panel: Prices; a step needs its session and the next one.
        limits: One for all portfolios, or one a portfolio.
        costs: What fills cost.
    """

    def __init__(
        self, panel: PricePanel, limits: Limits | tuple[Limits, ...], costs: TradingCosts
    ) -> None:
        self.panel = panel
        self._limits = limits
        self._rates = costs.rates
        self._market = (
            panel.open, panel.close, panel.has_bar, panel.dollar_volume, panel.volatility,
            panel.cash_return,
        )  # fmt: skip

    def step(
        self, book: Book, sessions: np.ndarray, targets: np.ndarray, is_decision: np.ndarray
    ) -> Fills:
        """Take each portfolio from the close of its session to the next close; changes `book`.

        Args:
            book: Holdings at the close of `sessions`.
            sessions: Row of the panel of each portfolio, shape (portfolios,); not the last row.
            targets: Weights wanted, shape (portfolios, tickers); read where a decision is made.
            is_decision: Whether the portfolio decided at this close, shape (portfolios,).
        """
        portfolios, tickers = book.units.shape
        totals = np.empty((portfolios, kernels.TOTALS))
        by_ticker = np.empty((portfolios, FILL_FIELDS, tickers))
        _step(
            sessions, targets, is_decision, self._market, self.limits_of(portfolios), self._rates,
            book.units, book.pending, book.cash, by_ticker, totals,
        )  # fmt: skip
        return Fills(totals, by_ticker)

    def limits_of(self, portfolios: int) -> np.ndarray:
        """Return max_weight and budget of each portfolio, shape (portfolios, 2)."""
        several = self._limits if isinstance(self._limits, tuple) else (self._limits,) * portfolios
        return np.array([(one.max_weight, one.budget) for one in several])

    def equity(self, book: Book, sessions: np.ndarray) -> np.ndarray:
        """Return the value of each portfolio at the close of its session, USD."""
        return book.cash + self._values(book, sessions).sum(axis=1)

    def weights(self, book: Book, sessions: np.ndarray) -> np.ndarray:
        """Return the held weights at the close of each portfolio's session."""
        values = self._values(book, sessions)
        return values / (book.cash + values.sum(axis=1))[:, None]

    def _values(self, book: Book, sessions: np.ndarray) -> np.ndarray:
        return np.where(book.units != 0.0, book.units * self.panel.close[sessions], 0.0)

    def simulate(
        self,
        targets: np.ndarray,
        is_decision: np.ndarray,
        first: np.ndarray,
        capital: float,
        *,
        keeps_fills: bool = True,
    ) -> Fills:
        """Run whole paths from cash; row t of the result is what happened up to the close of t.

        Args:
            targets: Weights wanted at each close, shape (portfolios, sessions, tickers).
            is_decision: Whether they were decided then, shape (portfolios, sessions).
            first: Row of each portfolio's first possible decision; it holds `capital` until then,
                and rows up to it are NaN.
            capital: USD each portfolio starts with.
            keeps_fills: False leaves `by_ticker` without rows, for paths by the thousand.
        """
        portfolios, sessions, tickers = targets.shape
        totals = np.full((portfolios, sessions, kernels.TOTALS), np.nan)
        kept = sessions if keeps_fills else 1
        by_ticker = np.zeros((portfolios if keeps_fills else 1, kept, FILL_FIELDS, tickers))
        _simulate(
            targets, is_decision, first, float(capital), self._market,
            self.limits_of(portfolios), self._rates, by_ticker, totals,
        )  # fmt: skip
        return Fills(totals, by_ticker if keeps_fills else by_ticker[:, :0])


@njit(cache=True)
def _step(
    sessions: np.ndarray,
    targets: np.ndarray,
    is_decision: np.ndarray,
    market: tuple,
    limits: np.ndarray,
    rates: np.ndarray,
    units: np.ndarray,
    pending: np.ndarray,
    cash: np.ndarray,
    by_ticker: np.ndarray,
    totals: np.ndarray,
) -> None:
    opens, close, has_bar, volume, sigma, cash_return = market
    for p in range(len(sessions)):
        t = sessions[p]
        cash[p] = kernels.advance(
            targets[p],
            is_decision[p],
            (close[t], has_bar[t], volume[t], sigma[t]),
            (opens[t + 1], close[t + 1], has_bar[t + 1], cash_return[t + 1]),
            (limits[p, 0], limits[p, 1]),
            rates,
            units[p],
            pending[p],
            cash[p],
            by_ticker[p],
            totals[p],
        )


@njit(cache=True)
def _simulate(
    targets: np.ndarray,
    is_decision: np.ndarray,
    first: np.ndarray,
    capital: float,
    market: tuple,
    limits: np.ndarray,
    rates: np.ndarray,
    by_ticker: np.ndarray,
    totals: np.ndarray,
) -> None:
    opens, close, has_bar, volume, sigma, cash_return = market
    portfolios, sessions, tickers = targets.shape
    keeps_fills = by_ticker.shape[1] > 1
    for p in range(portfolios):
        units, pending, cash = np.zeros(tickers), np.zeros(tickers), capital
        for t in range(first[p], sessions - 1):
            row = by_ticker[p, t + 1] if keeps_fills else by_ticker[0, 0]
            cash = kernels.advance(
                targets[p, t],
                is_decision[p, t],
                (close[t], has_bar[t], volume[t], sigma[t]),
                (opens[t + 1], close[t + 1], has_bar[t + 1], cash_return[t + 1]),
                (limits[p, 0], limits[p, 1]),
                rates,
                units,
                pending,
                cash,
                row,
                totals[p, t + 1],
            )
