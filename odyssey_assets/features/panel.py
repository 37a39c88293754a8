"""The bars of all tickers as arrays: adjusted, sorted, one span of rows a ticker.

Only shape and adjustment belong here; the formulas are in `library`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.errors import ContractError
from odyssey_assets.features.clipping import ClippedReturns, clip_returns
from odyssey_assets.features.series import FloatArray, TickerBars
from odyssey_assets.settings_sections import FeatureSettings

BAR_COLUMNS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Panel:
    """Adjusted bars of all tickers.

    Attributes:
        keys: `ticker` and `date` of every row, sorted by both.
        calendar: Every session of the exchange from the first to the last row's.
        positions: Each row's place in `calendar`.
        spans: The rows of each ticker, in ticker order.
        columns: Each bar column, one element a row.
    """

    keys: pd.DataFrame
    calendar: pd.DatetimeIndex
    positions: NDArray[np.int64]
    spans: dict[str, slice]
    columns: dict[str, FloatArray]

    def ticker_bars(
        self, ticker: str, settings: FeatureSettings
    ) -> tuple[TickerBars, ClippedReturns]:
        """Return one ticker's bars with its returns, and how these were clipped."""
        span = self.spans[ticker]
        columns = {name: values[span] for name, values in self.columns.items()}
        close = columns["close"]
        simple_return, log_return = np.full(close.size, np.nan), np.full(close.size, np.nan)
        growth = close[1:] / close[:-1]
        simple_return[1:] = growth - 1.0
        log_return[1:] = np.log(growth)
        clipped = clip_returns(log_return, settings)
        bars = TickerBars(
            ticker=ticker,
            sessions=self.positions[span],
            simple_return=simple_return,
            log_return=log_return,
            clipped_log_return=clipped.clipped,
            **columns,
        )
        return bars, clipped


def build_panel(bars: pd.DataFrame) -> Panel:
    """Arrange rows of `market_data.bars`, at least one, as a panel.

    Raises:
        ContractError: A bar is dated on a day on which New York does not trade.
    """
    ordered, codes, tickers = _ordered(bars)
    dates = ordered["date"].to_numpy(dtype="datetime64[us]")
    calendar = sessions_between(pd.Timestamp(dates.min()).date(), pd.Timestamp(dates.max()).date())
    adjusted = adjusted_bars(ordered)
    ends = np.cumsum(np.bincount(codes)).tolist()
    return Panel(
        keys=ordered[["ticker", "date"]],
        calendar=calendar,
        positions=_positions(calendar, dates),
        spans={
            ticker: slice(start, end)
            for ticker, start, end in zip(tickers, [0, *ends[:-1]], ends, strict=True)
        },
        columns={
            name: np.ascontiguousarray(adjusted[name], dtype=np.float64) for name in BAR_COLUMNS
        },
    )


def _ordered(bars: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64], list[str]]:
    """Return the bars by ticker and date, each row's ticker as a number, and the tickers."""
    codes, tickers = pd.factorize(bars["ticker"], sort=True)
    dates = bars["date"].to_numpy(dtype="datetime64[us]").astype(np.int64)
    ticker_step, date_step = np.diff(codes), np.diff(dates)
    if ((ticker_step > 0) | ((ticker_step == 0) & (date_step > 0))).all():
        return bars.reset_index(drop=True), codes, [str(ticker) for ticker in tickers]
    order = np.lexsort((dates, codes))
    ordered = bars.iloc[order].reset_index(drop=True)
    return ordered, codes[order], [str(ticker) for ticker in tickers]


def _positions(calendar: pd.DatetimeIndex, dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
    sessions = calendar.to_numpy(dtype="datetime64[us]")
    positions = np.searchsorted(sessions, dates)
    is_unknown = sessions[np.minimum(positions, sessions.size - 1)] != dates
    if is_unknown.any():
        raise ContractError(
            f"{int(is_unknown.sum())} bars are dated on days without a session, first "
            f"{pd.Timestamp(dates[is_unknown][0]).date()}. Cleaning quarantines such rows "
            "(`not_a_session`): compute features from `market_data.bars`."
        )
    return positions
