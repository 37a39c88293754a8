"""What a policy sees: prices and out-of-sample forecasts, cut at the session that decides.

A `MarketView` holds nothing later than its session, so no policy can look ahead. Prices come from
`core.price_panel`; what a policy makes of them belongs to `portfolio.policies`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.core.cash_rate import cash_rate_of
from odyssey_assets.core.price_panel import PricePanel, build_price_panel
from odyssey_assets.errors import ContractError
from odyssey_assets.settings import Settings


@dataclass(frozen=True, eq=False)
class PortfolioMarket:
    """Prices and forecasts of all sessions.

    Attributes:
        panel: Prices, sessions by tickers.
        forecasts: Forecast return made at the close of each session, fraction; NaN where there is
            none; shape (sessions, tickers).
        half_widths: Half width of the forecast's interval, same shape.
        horizon: Sessions ahead that are forecast.
    """

    panel: PricePanel
    forecasts: np.ndarray
    half_widths: np.ndarray
    horizon: int

    def until(self, session: int) -> "MarketView":
        """Return what is known at the close of row `session`."""
        rows = slice(0, session + 1)
        return MarketView(
            self.panel.until(session), self.forecasts[rows], self.half_widths[rows], self.horizon
        )


@dataclass(frozen=True, eq=False)
class MarketView:
    """Prices and forecasts known at one close; the last row of every array is that session.

    Attributes: as `PortfolioMarket`.
    """

    panel: PricePanel
    forecasts: np.ndarray
    half_widths: np.ndarray
    horizon: int

    @property
    def date(self) -> np.datetime64:
        """The session at whose close the view is known."""
        return np.datetime64(self.panel.dates[-1])

    @property
    def is_tradable(self) -> np.ndarray:
        """Whether each ticker has a bar this session, shape (tickers,)."""
        return np.asarray(self.panel.has_bar[-1])

    @property
    def forecast(self) -> np.ndarray:
        """Newest forecast of each ticker; NaN where there is none, shape (tickers,)."""
        return np.asarray(self.forecasts[-1])


def market_of(
    bars: pd.DataFrame, predictions: pd.DataFrame, macro: pd.DataFrame, settings: Settings
) -> PortfolioMarket:
    """Arrange stored rows as the settings want them: tickers, model, horizon, cash rate.

    Args:
        bars: Rows of `market_data.bars` from the beginning.
        predictions: Rows of `forecasting.predictions` from the beginning.
        macro: Rows of `market_data.macro` from the beginning.
        settings: Names what is seen.

    Raises:
        ContractError: No ticker has a bar.
    """
    return build_market(
        bars,
        predictions,
        settings.tickers,
        settings.portfolio.forecast_model,
        settings.forecasting.horizon_sessions,
        cash_rate_of(macro, settings.portfolio.cash_rate_series),
    )


def build_market(
    bars: pd.DataFrame,
    predictions: pd.DataFrame,
    tickers: Sequence[str],
    forecast_model: str,
    horizon: int,
    cash_rate: pd.Series | None = None,
) -> PortfolioMarket:
    """Arrange bars and forecasts as arrays.

    Args:
        bars: Rows of `market_data.bars`.
        predictions: Rows of `forecasting.predictions`; other models and horizons are left out.
        tickers: Columns, in this order.
        forecast_model: Whose forecasts are seen.
        horizon: Sessions ahead.
        cash_rate: As `build_price_panel` takes it.

    Raises:
        ContractError: No ticker has a bar, or a forecast was made on a day without one.
    """
    panel = build_price_panel(bars, tickers, cash_rate)
    own = predictions[
        (predictions["model"] == forecast_model)
        & (predictions["horizon"] == horizon)
        & predictions["ticker"].isin(tickers)
    ]
    shape = panel.close.shape
    forecasts, half_widths = np.full(shape, np.nan), np.full(shape, np.nan)
    rows = pd.Index(panel.dates.astype("datetime64[us]")).get_indexer(own["date"])
    if (rows < 0).any():
        raise ContractError(
            f"forecasting.predictions holds {int((rows < 0).sum())} forecasts of days without a "
            f"bar, first {own['date'][rows < 0].min():%Y-%m-%d}. Materialize market_data.bars and "
            "forecasting.predictions for the same windows."
        )
    columns = pd.Index(panel.tickers).get_indexer(own["ticker"])
    forecasts[rows, columns] = own["prediction"]
    half_widths[rows, columns] = (own["upper"] - own["lower"]) / 2
    return PortfolioMarket(panel, forecasts, half_widths, horizon)
