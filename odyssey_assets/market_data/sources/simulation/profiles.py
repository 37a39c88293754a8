"""Who trades on the embedded market: sector, risk, price level, volume and dividends of a ticker.

The fifteen default tickers are written down and resemble their namesakes; every other name gets a
stock whose profile follows from the name alone. Numbers of the market as a whole belong to
`simulation.factors`.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from odyssey_assets.market_data.sources.simulation.draws import stream

SECTORS = (
    "technology", "consumer", "communication", "healthcare",
    "financials", "industrials", "energy", "utilities",
)  # fmt: skip
RATES, ABROAD = "rates", "abroad"
_LATE_LISTING_SHARE = 1 / 30
_DIVIDEND_SHARE = 0.5


@dataclass(frozen=True)
class TickerProfile:
    """What distinguishes one ticker.

    Attributes:
        sector: Name of the factor it shares with its peers.
        beta: Exposure to the market factor.
        sector_loading: Exposure to the sector factor.
        own_volatility: Volatility of its own part, a year.
        drift: Mean log return besides the market's, a year.
        first_price: Price at the first session, USD.
        daily_volume: Usual volume, shares of the first session's basis.
        dividend_yield: Cash dividends, share of the price a year.
        dividend_months: Months between dividends; 0 for none.
        is_fund: Funds do not split.
        listed: First session; None where it is listed from the beginning.
    """

    sector: str
    beta: float
    sector_loading: float
    own_volatility: float
    drift: float
    first_price: float
    daily_volume: float
    dividend_yield: float = 0.0
    dividend_months: int = 0
    is_fund: bool = False
    listed: date | None = None


_TESLA_LISTED, _META_LISTED = date(2010, 6, 29), date(2012, 5, 18)
_KNOWN = {
    "AAPL": TickerProfile("technology", 1.1, 0.7, 0.20, 0.11, 210.0, 15e6, 0.012, 3),
    "NVDA": TickerProfile("technology", 1.5, 1.1, 0.30, 0.16, 120.0, 14e6, 0.002, 3),
    "TSLA": TickerProfile("consumer", 1.4, 0.8, 0.42, 0.20, 24.0, 12e6, listed=_TESLA_LISTED),
    "MSFT": TickerProfile("technology", 1.0, 0.7, 0.16, 0.08, 31.0, 50e6, 0.018, 3),
    "GOOGL": TickerProfile("communication", 1.0, 0.7, 0.19, 0.07, 310.0, 5e6),
    "AMZN": TickerProfile("consumer", 1.2, 0.8, 0.22, 0.10, 134.0, 8e6),
    "META": TickerProfile("communication", 1.2, 0.9, 0.28, 0.10, 38.0, 30e6, listed=_META_LISTED),
    "SPY": TickerProfile("index", 1.0, 0.0, 0.008, 0.02, 113.0, 180e6, 0.018, 3, True),
    "QQQ": TickerProfile("technology", 1.05, 0.5, 0.02, 0.03, 46.0, 90e6, 0.008, 3, True),
    "EFA": TickerProfile(ABROAD, 0.85, 0.8, 0.03, 0.0, 56.0, 20e6, 0.028, 6, True),
    "IEF": TickerProfile(RATES, -0.10, 0.5, 0.008, 0.02, 89.0, 1.2e6, 0.025, 1, True),
    "HYG": TickerProfile("credit", 0.35, 0.25, 0.015, 0.04, 88.0, 4e6, 0.055, 1, True),
    "BIL": TickerProfile("cash", 0.0, 0.0, 0.0025, 0.015, 91.7, 1.5e6, 0.015, 1, True),
    "INTC": TickerProfile("technology", 1.0, 0.6, 0.20, -0.02, 21.0, 60e6, 0.03, 3),
    "AMD": TickerProfile("technology", 1.5, 1.0, 0.38, 0.08, 9.7, 30e6),
}


def profile_of(ticker: str) -> TickerProfile:
    """Return the profile of `ticker`: the written one, or a stock that follows from the name."""
    return _KNOWN.get(ticker) or _profile_from_name(ticker)


def _profile_from_name(ticker: str) -> TickerProfile:
    draw = stream(0, f"profile/{ticker}")
    sector = SECTORS[int(draw.integers(len(SECTORS)))]
    beta, loading, own, drift, price, volume, pays, share, late, days = draw.random(10)
    is_payer = pays < _DIVIDEND_SHARE
    listed = date(2011, 1, 3) + timedelta(days=int(1500 * days))
    return TickerProfile(
        sector=sector,
        beta=0.6 + beta,
        sector_loading=0.4 + 0.6 * loading,
        own_volatility=0.15 + 0.2 * own,
        drift=-0.02 + 0.12 * drift,
        first_price=15.0 * 12.0**price,
        daily_volume=5e5 * 40.0**volume,
        dividend_yield=0.01 + 0.03 * share if is_payer else 0.0,
        dividend_months=3 if is_payer else 0,
        listed=listed if late < _LATE_LISTING_SHARE else None,
    )
