"""Prices as arrays of sessions by tickers: what fills, what is marked, what can be traded.

The one way from rows of `market_data.bars` to what the execution simulator, the policies and the
backtests see. Row t holds what is known at the close of session t; `open` is known at the open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.errors import ContractError

VOLUME_SESSIONS = 20
VOLATILITY_SESSIONS = 20
DAYS_PER_RATE_YEAR = 360
MAX_RATE_AGE_DAYS = 31


@dataclass(frozen=True, eq=False)
class PricePanel:
    """Prices of all tickers, sessions ascending.

    Attributes:
        dates: Sessions, `datetime64[D]`, shape (sessions,).
        tickers: Names, in the order of the columns.
        open: Adjusted opening price; on a session without a bar the last close; NaN before the
            ticker's first bar. Shape (sessions, tickers), as all below.
        close: Adjusted closing price, carried forward over sessions without a bar; NaN before.
        factor: Adjusted price / as-traded price, carried forward; NaN before the first bar.
        has_bar: Whether the ticker traded that session; a filled bar is none.
        dollar_volume: Mean of as-traded close x volume over the last 20 sessions, USD; sessions
            without a bar count 0; NaN before the first bar.
        volatility: Standard deviation (ddof 1) of the last 20 daily returns; NaN with fewer.
        cash_return: Interest on cash from the close before to this close, fraction; shape
            (sessions,).
    """

    dates: np.ndarray
    tickers: tuple[str, ...]
    open: np.ndarray
    close: np.ndarray
    factor: np.ndarray
    has_bar: np.ndarray
    dollar_volume: np.ndarray
    volatility: np.ndarray
    cash_return: np.ndarray

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.dates)

    @cached_property
    def is_listed(self) -> np.ndarray:
        """Whether the ticker had its first bar by that session, shape (sessions, tickers)."""
        return ~np.isnan(self.close)

    @cached_property
    def returns(self) -> np.ndarray:
        """Adjusted close / close before - 1; NaN up to the first bar, 0 where no bar came."""
        before = np.vstack([np.full((1, len(self.tickers)), np.nan), self.close[:-1]])
        return self.close / before - 1

    def until(self, session: int) -> "PricePanel":
        """Return the panel as it was known at the close of row `session`; arrays are views."""
        return self.between(0, session + 1)

    def between(self, start: int, stop: int) -> "PricePanel":
        """Return the rows [start, stop); what was known in them stays as it was."""
        rows = slice(start, stop)
        return PricePanel(
            self.dates[rows],
            self.tickers,
            self.open[rows],
            self.close[rows],
            self.factor[rows],
            self.has_bar[rows],
            self.dollar_volume[rows],
            self.volatility[rows],
            self.cash_return[rows],
        )


def build_price_panel(
    bars: pd.DataFrame, tickers: Sequence[str], cash_rate: pd.Series | None = None
) -> PricePanel:
    """Arrange bars as a panel over every session on which any ticker has a row.

    Args:
        bars: Rows of `market_data.bars`; tickers not asked for are left out.
        tickers: Columns of the panel, in this order; one without rows is never listed.
        cash_rate: Annual rate of cash in percent by date, ascending; each is used from the session
            after its own date on, until a newer one comes, for `MAX_RATE_AGE_DAYS` at most. Cash
            earns nothing where there is none.

    Raises:
        ContractError: No ticker has a bar.
    """
    rows = bars[bars["ticker"].isin(tickers)].reset_index(drop=True)
    if rows.empty:
        raise ContractError(
            f"None of the tickers {', '.join(tickers)} has a bar. Materialize market_data.bars."
        )
    own = adjusted_bars(rows).assign(
        dollars=rows["close"] * rows["volume"], is_real=~rows["is_filled"] & (rows["volume"] > 0)
    )
    wide = own.set_index(["date", "ticker"]).unstack("ticker").sort_index()  # noqa: PD010 (several values)

    def matrix(name: str) -> pd.DataFrame:
        return wide[name].reindex(columns=list(tickers))

    close = matrix("close").astype(np.float64).ffill()
    has_bar = matrix("is_real").eq(True).to_numpy()
    opens = matrix("open").astype(np.float64).where(has_bar, close.shift(1)).fillna(close)
    dollars = matrix("dollars").astype(np.float64).fillna(0.0).where(close.notna())
    return PricePanel(
        dates=wide.index.to_numpy().astype("datetime64[D]"),
        tickers=tuple(tickers),
        open=np.ascontiguousarray(opens),
        close=np.ascontiguousarray(close),
        factor=np.ascontiguousarray(matrix("total_return_factor").astype(np.float64).ffill()),
        has_bar=np.ascontiguousarray(has_bar),
        dollar_volume=np.ascontiguousarray(dollars.rolling(VOLUME_SESSIONS, min_periods=1).mean()),
        volatility=np.ascontiguousarray(
            (close / close.shift(1) - 1).rolling(VOLATILITY_SESSIONS).std()
        ),
        cash_return=_cash_returns(wide.index, cash_rate),
    )


def _cash_returns(dates: pd.DatetimeIndex, cash_rate: pd.Series | None) -> np.ndarray:
    """Return rate x days / 360 since the session before: the money market's actual/360."""
    if cash_rate is None or cash_rate.dropna().empty:
        return np.zeros(len(dates))
    known = cash_rate.dropna()
    row = known.index.searchsorted(dates, side="right") - 1
    age = dates.to_numpy() - known.index.to_numpy()[row]
    is_known = (row >= 0) & (age <= np.timedelta64(MAX_RATE_AGE_DAYS, "D"))
    rate = np.where(is_known, known.to_numpy(dtype=np.float64)[row], 0.0)
    days = np.diff(dates.to_numpy().astype("datetime64[D]").astype(np.int64))
    return np.append(0.0, rate[:-1] / 100 * days / DAYS_PER_RATE_YEAR)
