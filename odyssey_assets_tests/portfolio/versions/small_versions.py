"""Challengers of the policies of `small_training`, and the reigns that a promotion makes of them.

The newest window, in which they are trained, has 78 sessions. There are more tickers than one
portfolio can hold at the most, and they learn fast, so that no two policies hold the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore, Tracker
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window
from odyssey_assets.infrastructure.model_store import ModelStore as SignedModels
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_plan import POLICY
from odyssey_assets.portfolio.versions.challengers import TrainedChallenger, train_challenger
from odyssey_assets.settings import Settings
from odyssey_assets.settings_sections import PromotionSettings
from odyssey_assets_tests.portfolio.small_training import small_market, tiny_settings, train

NOW = datetime(2017, 5, 1, 12)
UNSEEN, TICKERS = 10, 6
MARKET = small_market(TICKERS)


def quick_settings(promotion: dict[str, Any] | None = None, **ppo: Any) -> Settings:
    """Return settings of one seed that needs few unseen returns."""
    learning = {"seeds_newest_window": 1, "learning_rate": 0.01, **ppo}
    settings = tiny_settings(TICKERS, **learning)
    chosen = PromotionSettings(**{"min_unseen_returns": UNSEEN, **(promotion or {})})
    return settings.model_copy(update={"promotion": chosen})


SETTINGS = quick_settings()


@dataclass(frozen=True)
class Home:
    """A store with the windows' own policies of the small market, and the rows that tell of them.

    Attributes:
        folder: Of the store.
        policies: Rows of `portfolio.policies`.
    """

    folder: Path
    policies: pd.DataFrame

    @property
    def store(self) -> ModelStore:
        """The store."""
        return SignedModels(self.folder)


def trained_home(folder: Path) -> Home:
    """Train the windows' own policies into a store."""
    return Home(folder, train(SignedModels(folder), MARKET, SETTINGS).policies)


def challenge(
    home: Home,
    as_of: str | None,
    *,
    market: PortfolioMarket = MARKET,
    reigns: Sequence[Reign] = (),
    settings: Settings = SETTINGS,
    tracker: Tracker | None = None,
    **options: Any,
) -> TrainedChallenger:
    """Train a challenger as of a day into the store of a home."""
    day = None if as_of is None else date.fromisoformat(as_of)
    return train_challenger(
        market, home.policies, day, reigns, settings, home.store, tracker, NOW, **options
    )


def reign_of(rows: pd.DataFrame, role: str = "challenger") -> Reign:
    """Return the reign of the only version of that role, from its training on."""
    [row] = rows[rows["role"] == role].to_dict("records")
    return Reign(
        POLICY,
        Window(row["window"].date()),
        row["trained_as_of"].date(),
        tuple(row["model_name"].split("/")),
        row["model_sha256"],
    )


def reign_of_window(policies: pd.DataFrame, window: str, serves: Window, after: date) -> Reign:
    """Return the reign, after a day, of the model that a window was trained for."""
    own = policies[(policies["window"] == window) & policies["is_main_seed"]].iloc[0]
    return Reign(POLICY, serves, after, tuple(own["model_name"].split("/")), own["model_sha256"])
