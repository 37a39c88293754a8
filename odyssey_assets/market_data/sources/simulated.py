"""The embedded market as a source: delivered as Yahoo does, split-adjusted as of the fetch.

So the whole way from a vendor's basis to as-traded bars runs by default. How the market comes about
belongs to `sources.simulation`.
"""

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.sessions import last_completed_session
from odyssey_assets.core.windows import window_of
from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.source import RESPONSE_COLUMNS, VendorResponse
from odyssey_assets.market_data.sources.basis import later_payouts, later_splits
from odyssey_assets.market_data.sources.simulation.macro import SERIES
from odyssey_assets.market_data.sources.simulation.market import (
    MarketPlan,
    SimulatedMarket,
    simulate_market,
)
from odyssey_assets.settings import Settings

_PRICE_DECIMALS = 8


class SimulatedSource:
    """A seeded market of the tickers in the settings, from `start` to `end` or yesterday."""

    name = "simulated"
    is_simulated = True

    def __init__(
        self, settings: Settings, last_session: Callable[[], date] = last_completed_session
    ) -> None:
        self._settings = settings
        self._last_session = last_session

    def fetch_bars(self, ticker: str, start: date, end: date) -> VendorResponse:
        """Return the simulated rows of `ticker`; see `PriceSource.fetch_bars`."""
        if ticker not in self._settings.tickers:
            raise SourceError(
                f"The simulated market has no ticker {ticker}; it trades "
                f"{', '.join(self._settings.tickers)}. Add it to --tickers or ODYSSEY_TICKERS."
            )
        delivered = _delivered(self._market(), self._settings.tickers.index(ticker))
        rows = _between(delivered, start, end)
        numbers = [name for name in RESPONSE_COLUMNS if name not in ("defect", "content")]
        return VendorResponse(ticker, rows, hash_frame(rows, numbers), is_as_traded=True)

    def fetch_macro(self, series: str, start: date, end: date) -> pd.DataFrame:
        """Return the simulated values of `series`; see `PriceSource.fetch_macro`."""
        if series not in SERIES:
            raise SourceError(
                f"The simulated market has no macro series {series}; it has {', '.join(SERIES)}. "
                "Remove it from ODYSSEY_MACRO_SERIES."
            )
        market = self._market()
        values = pd.DataFrame({"date": market.dates, "value": market.macro[series]})
        return _between(values, start, end)

    def problems(self) -> list[str]:
        """Return nothing: the market needs neither file nor network."""
        return []

    def _market(self) -> SimulatedMarket:
        settings = self._settings
        end = settings.end or self._last_session()
        return simulate_market(
            MarketPlan(
                seed=settings.simulated.seed,
                tickers=settings.tickers,
                start=settings.start,
                end=end,
                predictability=settings.simulated.predictability,
                break_start=settings.simulated.break_start or window_of(end).start,
                break_tickers=settings.simulated.break_tickers,
            )
        )


def _delivered(market: SimulatedMarket, column: int) -> pd.DataFrame:
    """Return a ticker's whole history on Yahoo's basis: shares as of the last day."""
    bars = market.bars
    is_listed = ~np.isnan(bars.close[:, column])
    ratio = bars.split_ratio[is_listed, column]
    adjustment = later_splits(ratio)
    prices = {
        name: np.round(getattr(bars, name)[is_listed, column] / adjustment, _PRICE_DECIMALS)
        for name in ("open", "high", "low", "close")
    }
    dividend = np.round(bars.dividend[is_listed, column] / adjustment, _PRICE_DECIMALS)
    payouts = later_payouts(prices["close"], dividend)
    rows = pd.DataFrame(
        {
            "date": market.dates[is_listed],
            **prices,
            "adj_close": np.round(prices["close"] * payouts, _PRICE_DECIMALS),
            "volume": np.round(bars.volume[is_listed, column] * adjustment, 2),
            "dividend": dividend,
            "split_ratio": ratio,
            "split_adjustment": adjustment,
            "defect": None,
            "content": None,
        }
    )
    return rows.astype({"defect": "str", "content": "str"})[list(RESPONSE_COLUMNS)]


def _between(rows: pd.DataFrame, start: date, end: date) -> pd.DataFrame:
    is_inside = rows["date"].between(pd.Timestamp(start), pd.Timestamp(end))
    return rows[is_inside].reset_index(drop=True)
