"""Challengers on the small market, and the reigns that a promotion makes of them."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window
from odyssey_assets.forecasting.challengers import FittedChallengers, fit_challengers
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.settings import Settings
from odyssey_assets_tests.forecasting.small_market import SmallMarket, fast_settings

NOW = datetime(2018, 9, 1, 12)


def quick_settings(**overrides: Any) -> Settings:
    """Return settings with one quick model beside the baseline, and few unseen sessions."""
    forecasting = {"models": ("ridge", "historical_mean"), **overrides.pop("forecasting", {})}
    promotion = {"min_unseen_sessions": 10, **overrides.pop("promotion", {})}
    return fast_settings(forecasting=forecasting, promotion=promotion, **overrides)


def challenge(
    folder: Path,
    market: SmallMarket,
    as_of: str | None = None,
    tickers: tuple[str, ...] = ("AAA",),
    reigns: tuple[Reign, ...] = (),
    settings: Settings | None = None,
) -> FittedChallengers:
    """Fit challengers into the store in `folder`."""
    return fit_challengers(
        market.features,
        market.labels,
        market.bars,
        tickers,
        None if as_of is None else date.fromisoformat(as_of),
        reigns,
        settings or quick_settings(),
        ModelStore(folder),
        None,
        NOW,
    )


def reign_of(rows: pd.DataFrame, role: str = "challenger", ticker: str = "AAA") -> Reign:
    """Return the reign of the only version of that role and ticker, from its training on."""
    [row] = rows[(rows["role"] == role) & (rows["ticker"] == ticker)].to_dict("records")
    return Reign(
        ticker,
        Window(row["window"].date()),
        row["trained_as_of"].date(),
        tuple(row["model_name"].split("/")),
        row["model_sha256"],
    )
