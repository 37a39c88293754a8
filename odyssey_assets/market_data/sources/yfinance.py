"""Yahoo Finance as a source, asked politely: pauses, bounded retries with backoff, a time limit.

Reading the answer belongs to `sources.yahoo_frame`.
"""

import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

import pandas as pd
import yfinance
from yfinance.exceptions import YFException, YFTickerMissingError

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.sessions import last_completed_session
from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.source import VendorResponse
from odyssey_assets.market_data.sources.yahoo_frame import bar_rows, series_values
from odyssey_assets.settings_sections import YFinanceSettings

HOST = "query2.finance.yahoo.com"
_HTTPS_PORT = 443
_PROBE_TIMEOUT_S = 3.0
MACRO_SYMBOLS: Mapping[str, str] = {
    "VIX": "^VIX",
    "TNX": "^TNX",
    "DXY": "DX-Y.NYB",
    "GOLD": "GC=F",
}
Download = Callable[[str, date, float], pd.DataFrame]


def download_history(symbol: str, start: date, timeout_s: float) -> pd.DataFrame:
    """Ask Yahoo for the daily history of `symbol` from `start` to now: plain prices and actions.

    Raises:
        YFException: Yahoo does not know the symbol, or limits the rate.
        OSError: The network failed.
    """
    yfinance.config.debug.hide_exceptions = False  # otherwise a failure looks like an empty history
    return yfinance.Ticker(symbol).history(
        start=start.isoformat(), auto_adjust=False, actions=True, timeout=timeout_s
    )


class YFinanceSource:
    """Fetches from the requested start to now, so that all later splits are known."""

    name = "yfinance"
    is_simulated = False

    def __init__(
        self,
        settings: YFinanceSettings,
        download: Download = download_history,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._download = download
        self._sleep = sleep
        self._clock = clock
        self._has_asked = False

    def fetch_bars(self, ticker: str, start: date, end: date) -> VendorResponse:
        """Return Yahoo's rows of `ticker`; see `PriceSource.fetch_bars`."""
        frame = self._ask(ticker, start)
        rows = bar_rows(frame, ticker, last_completed_session(self._clock()))
        is_inside = rows["date"].between(pd.Timestamp(start), pd.Timestamp(end))
        received = hash_frame(frame.reset_index().astype({frame.index.name or "index": "str"}))
        return VendorResponse(ticker, rows[is_inside].reset_index(drop=True), received, True)

    def fetch_macro(self, series: str, start: date, end: date) -> pd.DataFrame:
        """Return Yahoo's values of `series`; see `PriceSource.fetch_macro`."""
        symbol = MACRO_SYMBOLS.get(series)
        if symbol is None:
            raise SourceError(
                f"No Yahoo symbol is known for the macro series {series}; known are "
                f"{', '.join(MACRO_SYMBOLS)}. Remove it from ODYSSEY_MACRO_SERIES."
            )
        frame = self._ask(symbol, start)
        values = series_values(frame, symbol, last_completed_session(self._clock()))
        is_inside = values["date"].between(pd.Timestamp(start), pd.Timestamp(end))
        return values[is_inside].reset_index(drop=True)

    def problems(self) -> list[str]:
        """Return whether Yahoo's host can be reached."""
        try:
            socket.create_connection((HOST, _HTTPS_PORT), timeout=_PROBE_TIMEOUT_S).close()
        except OSError as error:
            return [
                f"{HOST} cannot be reached ({error}). Check network and proxy, or use the source "
                "`files` or `simulated`."
            ]
        return []

    def _ask(self, symbol: str, start: date) -> pd.DataFrame:
        """Ask until an answer comes, at most `attempts` times."""
        error: Exception | None = None
        for attempt in range(self._settings.attempts):
            self._wait(attempt)
            try:
                return self._download(symbol, start, self._settings.timeout_s)
            except YFTickerMissingError as unknown:
                raise SourceError(
                    f"Yahoo has no prices of {symbol}: {unknown}. Check the symbol at "
                    "finance.yahoo.com or leave the ticker out."
                ) from unknown
            except (YFException, OSError, ValueError, LookupError) as failure:
                error = failure
        raise SourceError(
            f"Yahoo ({HOST}) did not deliver {symbol} in {self._settings.attempts} attempts: "
            f"{str(error).rstrip('.')}. Check network and proxy, try again later, or use the "
            "source `files` or `simulated`."
        ) from error

    def _wait(self, attempt: int) -> None:
        if attempt:
            self._sleep(self._settings.backoff_s * 2.0 ** (attempt - 1))
        elif self._has_asked:
            self._sleep(self._settings.pause_s)
        self._has_asked = True
