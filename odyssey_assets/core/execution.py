"""The execution simulator: the only place where a portfolio pays for what it wants.

Target weights decided at the close of t become orders, the orders are cut to the limits, fill at
the open of t + 1 against commission, slippage and impact, and the portfolio is marked at the close
of t + 1. The training environment, every policy and every backtest step here; the arithmetic lies
in `core.execution_orders` and `core.execution_kernels`. Prices belong to `core.price_panel`, limits
to `core.constraints`.
"""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.costs import BASIS_POINT
from odyssey_assets.core.execution_loops import advance_books
from odyssey_assets.core.execution_orders import market_array, value_books
from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.errors import SettingsError

MAX_PROPORTIONAL_BPS = 5_000
"""With the largest impact on top, a sale still brings something."""


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
            no cap.

    A volume that is not known counts as none: under a cap nothing fills, and impact is the largest
    there is (`MAX_IMPACT` of the traded value). Without a volatility there is no impact.
    """

    commission_bps: float
    slippage_bps: float
    impact_coefficient: float = 0.0
    max_participation: float | None = None

    def __post_init__(self) -> None:
        """Refuse costs that no trade could pay."""
        for name, value in vars(self).items():
            if value is not None and not 0 <= value < np.inf:
                raise SettingsError(f"{name} must be finite and not negative; found {value}.")
        if self.commission_bps + self.slippage_bps >= MAX_PROPORTIONAL_BPS:
            raise SettingsError(
                f"commission_bps {self.commission_bps} and slippage_bps {self.slippage_bps} must "
                f"stay below {MAX_PROPORTIONAL_BPS} together: a fill cannot cost half its value."
            )

    @property
    def rates(self) -> np.ndarray:
        """The costs as the kernels take them."""
        cap = kernels.NO_CAP if self.max_participation is None else self.max_participation
        proportional = np.array([self.commission_bps, self.slippage_bps]) * BASIS_POINT
        return np.append(proportional, [self.impact_coefficient, cap])


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

    A decision at a close cancels what still waits from the one before, and orders as many units as
    lead to the feasible weights once expected costs are paid. At the next open orders fill where
    there is a bar, sales first; purchases reach no further than limits and cash. What the volume,
    a missing bar, the limits or the cash hold back waits for the opens after, until the next
    decision. A position without a bar is kept. Price drift, and what cannot be sold, may carry
    weights over their limits, never a purchase; `LIMIT_EXCESS` reports it.

    Args:
        panel: Prices; a step needs its session and the next one.
        limits: One for all portfolios, or one each.
        costs: What fills cost.
    """

    def __init__(
        self, panel: PricePanel, limits: Limits | tuple[Limits, ...], costs: TradingCosts
    ) -> None:
        self.panel = panel
        several = limits if isinstance(limits, tuple) else (limits,)
        self._limits = np.array([(one.max_weight, one.budget) for one in several]).reshape(-1, 2)
        self._rates = costs.rates
        self._market = market_array(panel)
        self._cash_return = np.append(panel.cash_return, 0.0)

    def step(
        self, book: Book, sessions: np.ndarray, targets: np.ndarray, is_decision: np.ndarray
    ) -> Fills:
        """Take each portfolio from the close of its session to the next close; changes `book`.

        Args:
            book: Holdings at the close of `sessions`.
            sessions: Row of the panel of each portfolio, shape (portfolios,); not the last row.
            targets: Weights wanted, shape (portfolios, tickers); read where a decision is made and
                the ticker has a bar.
            is_decision: Whether the portfolio decided at this close, shape (portfolios,).

        Raises:
            ValueError: A shape is wrong, a session has none after it, or a target that is read is
                not finite. The book is as it was.
        """
        rows = self._rows(book, sessions, len(self.panel) - 2)
        decides = _shaped(is_decision, rows.shape, np.bool_)
        after, fills, _ = self._step(book, rows, targets, decides)
        book.units[...], book.pending[...], book.cash[...] = after.units, after.pending, after.cash
        return fills

    def feasible(self, book: Book, sessions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the weights that orders for `targets` would aim at, shape (portfolios, tickers).

        A ticker with a bar gets its weight nearest to the target inside the limits, one without
        keeps its held weight, an unlisted one has 0. Feasible weights given as targets come back
        to the bit, and `step` does the same with either.

        Args:
            book: Holdings at the close of `sessions`; stays as it is.
            sessions: Row of the panel of each portfolio, shape (portfolios,).
            targets: Weights wanted; not read where the ticker has no bar.

        Raises:
            ValueError: As `step`.
        """
        rows = self._rows(book, sessions, len(self.panel) - 1)
        return self._step(book, rows, targets, np.ones(len(rows), dtype=np.bool_))[2]

    def equity(self, book: Book, sessions: np.ndarray) -> np.ndarray:
        """Return the value of each portfolio at the close of its session, USD."""
        return self._valued(book, sessions)[0]

    def weights(self, book: Book, sessions: np.ndarray) -> np.ndarray:
        """Return the held weights at the close of each portfolio's session."""
        return self._valued(book, sessions)[1]

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

        Equals, to the bit, `step` from session to session.

        Args:
            targets: Weights wanted at each close, shape (portfolios, sessions, tickers).
            is_decision: Whether they were decided then, shape (portfolios, sessions).
            first: Row of each portfolio's first possible decision; it holds `capital` until then,
                and rows up to it are NaN.
            capital: USD each portfolio starts with.
            keeps_fills: False leaves `by_ticker` without rows, for paths by the thousand.

        Raises:
            ValueError: As `step`.
        """
        portfolios, (sessions, tickers) = len(targets), self.panel.close.shape
        self._check_portfolios(portfolios)
        wanted = _shaped(targets, (portfolios, sessions, tickers))
        decides = _shaped(is_decision, wanted.shape[:2], np.bool_)
        starts = _shaped(first, (portfolios,), np.int64)
        if (starts < 0).any():
            raise ValueError(f"Found first rows {starts}, expected rows from 0 on.")
        totals = np.full((portfolios, sessions, kernels.TOTALS), np.nan)
        kept = sessions if keeps_fills else 0
        by_ticker = np.zeros((portfolios, kept, kernels.FILL_ROWS, tickers))
        book = Book.of_cash(capital, portfolios, tickers)
        fills = Fills(totals, by_ticker)
        span = (starts, np.full(portfolios, sessions - 1), np.zeros(portfolios, dtype=np.int64))
        self._advance(span, (wanted, decides), book, fills)
        return fills

    def _step(
        self, book: Book, rows: np.ndarray, targets: np.ndarray, decides: np.ndarray
    ) -> tuple[Book, Fills, np.ndarray]:
        """Return the book after one session, what happened in it, and the weights aimed at."""
        portfolios, tickers = book.units.shape
        wanted = _shaped(targets, (portfolios, tickers))[:, None]
        totals = np.empty((portfolios, 2, kernels.TOTALS))
        by_ticker = np.empty((portfolios, 2, kernels.FILL_ROWS, tickers))
        after = Book(book.units.copy(), book.pending.copy(), book.cash.copy())
        aims = self._advance(
            (rows, rows + 1, rows), (wanted, decides[:, None]), after, Fills(totals, by_ticker)
        )
        return after, Fills(totals[:, 1], by_ticker[:, 1]), aims

    def _advance(
        self,
        span: tuple[np.ndarray, ...],
        decisions: tuple[np.ndarray, ...],
        book: Book,
        fills: Fills,
    ) -> np.ndarray:
        aims = np.empty(book.units.shape)
        portfolio, session, ticker = advance_books(
            span, decisions, self._market, self._cash_return, self._limits, self._rates,
            (book.units, book.pending, book.cash), (fills.by_ticker, fills.totals, aims),
        )  # fmt: skip
        if portfolio >= 0:
            raise ValueError(
                f"The target of portfolio {portfolio} for {self.panel.tickers[ticker]} on "
                f"{self.panel.dates[session]} is not finite. A ticker with a bar needs a weight."
            )
        return aims

    def _valued(self, book: Book, sessions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = self._rows(book, sessions, len(self.panel) - 1)
        equity, weights = np.empty(len(rows)), np.empty(book.units.shape)
        value_books(rows, self._market, book.units.copy(), book.cash.copy(), equity, weights)
        return equity, weights

    def _rows(self, book: Book, sessions: np.ndarray, last: int) -> np.ndarray:
        self._check_portfolios(len(book.cash))
        rows = _shaped(sessions, book.cash.shape, np.int64)
        if book.units.shape != (len(rows), len(self.panel.tickers)):
            raise ValueError(
                f"Found units of shape {book.units.shape}, expected {len(rows)} portfolios and "
                f"{len(self.panel.tickers)} tickers."
            )
        if (rows < 0).any() or (rows > last).any():
            raise ValueError(f"Found sessions {rows}, expected rows from 0 to {last}.")
        return rows

    def _check_portfolios(self, portfolios: int) -> None:
        if len(self._limits) not in (1, portfolios):
            raise ValueError(f"Found {len(self._limits)} limits for {portfolios} portfolios.")


def _shaped(values: np.ndarray, shape: tuple[int, ...], kind: type = np.float64) -> np.ndarray:
    """Return values in the one layout that the kernels are compiled for: packed and writable."""
    array: np.ndarray = np.ascontiguousarray(values, dtype=kind)
    if array.shape != shape:
        raise ValueError(f"Found an array of shape {array.shape}, expected {shape}.")
    return array if array.flags.writeable else array.copy()
