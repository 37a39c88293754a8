"""Learned policies in accelerated time: rolled through a window at once, shown day by day.

What a portfolio decides and earns follows from what was known at each close, so that its rows up to
a day are those that the nightly jobs of that day would have had, whatever comes after. It is rolled
anew when somebody else serves, versions also when somebody else challenges. Windows' own models
and what equal weight earned are the home's. What is done about it belongs to `simulated_loop`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from odyssey_assets.backtesting.engine import backtest
from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.forecasting.tables import TRIALS
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import MACRO
from odyssey_assets.monitoring.quality.policies import (
    BENCHMARK,
    judge_policy_decay,
    measure_policy_quality,
)
from odyssey_assets.portfolio.catalog import learned_policies
from odyssey_assets.portfolio.deciders import RECORD_COLUMNS
from odyssey_assets.portfolio.learned import learned_contenders
from odyssey_assets.portfolio.market import PortfolioMarket, market_of
from odyssey_assets.portfolio.rollout import roll_out
from odyssey_assets.portfolio.tables import POLICIES, WEIGHTS
from odyssey_assets.portfolio.versions.challengers import TrainedChallenger, train_challenger
from odyssey_assets.portfolio.versions.trials import run_policy_trials
from odyssey_assets.portfolio.weight_table import weight_rows
from odyssey_assets.replay import History
from odyssey_assets.settings import Settings

DECIDERS = ["policy", "date", "model_sha256"]


@dataclass(frozen=True)
class KeptPortfolio:
    """What a home has stored that no simulated decision changes.

    Attributes:
        policies: Rows of `portfolio.policies`: the windows' own models.
        equal_weight: Rows of `backtesting.daily` of equal weight, which look at prices alone.
        record: What learned policies decided, by `RECORD_COLUMNS`: for models that were lost.
        macro: Rows of `market_data.macro`.
    """

    policies: pd.DataFrame
    equal_weight: pd.DataFrame
    record: pd.DataFrame
    macro: pd.DataFrame


def read_portfolio(warehouse: Warehouse) -> KeptPortfolio:
    """Return what a home has stored; what it never stored has no rows.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    daily, record = warehouse.read(DAILY), warehouse.read(WEIGHTS, columns=RECORD_COLUMNS)
    return KeptPortfolio(
        policies=warehouse.read(POLICIES),
        equal_weight=daily[daily["strategy"] == BENCHMARK],
        record=record[record["model_sha256"].notna()],
        macro=warehouse.read(MACRO),
    )


@dataclass(frozen=True)
class Rulers:
    """Who reigns, in the order of decision.

    Attributes:
        forecasters: Reigns of forecasters.
        policies: Reigns of policies.
    """

    forecasters: tuple[Reign, ...]
    policies: tuple[Reign, ...]


@dataclass(frozen=True)
class RolledWindow:
    """Portfolios up to the end of a window, as if those who serve now went on.

    Attributes:
        window: The window.
        rulers: Who serves.
        market: Prices and forecasts.
        daily: Rows of `backtesting.daily` of the learned policies.
        deciders: Which model decided at each close: policy, date, model_sha256.
    """

    window: Window
    rulers: Rulers
    market: PortfolioMarket
    daily: pd.DataFrame
    deciders: pd.DataFrame


@dataclass(frozen=True)
class Standing:
    """What was known of the learned policies at a close.

    Attributes:
        day: The session.
        names: Those that had a model by then.
        policies: Rows of `portfolio.policies` of the windows that had opened.
        daily: Rows of `backtesting.daily`: of these policies, and of equal weight.
        quality: Rows of `monitoring.policy_quality`.
        rolled: Where they come from; nobody may be shown its rows after the day.
    """

    day: date
    names: tuple[str, ...]
    policies: pd.DataFrame
    daily: pd.DataFrame
    quality: pd.DataFrame
    rolled: RolledWindow


@dataclass
class SimulatedPortfolio:
    """Gives each night what the nightly jobs would know of learned policies.

    Attributes:
        history: Of everything else, whole.
        kept: What the home has stored of the portfolio.
        settings: Of the home.
        store: Holds the models, and takes those that are trained.
    """

    history: History
    kept: KeptPortfolio
    settings: Settings
    store: ModelStore
    _rolled: RolledWindow | None = None
    _tried: pd.DataFrame | None = None
    _tried_for: tuple[Window, Rulers, tuple[Reign, ...], int] | None = None

    def standing(
        self, day: date, rulers: Rulers, said: Sequence[pd.DataFrame], challengers: pd.DataFrame
    ) -> Standing | None:
        """Return what was known at the close of `day`; None where no policy had learned yet.

        Args:
            day: The session.
            rulers: Who had been promoted before.
            said: Rows of `forecasting.trials`, in parts that may overlap: of every window in which
                a forecaster reigns, and of the running one for all its sessions.
            challengers: Rows of `portfolio.policy_challengers`.
        """
        window = window_of(day)
        stored = self.kept.policies
        policies = stored[stored["window"] <= pd.Timestamp(window.start)]
        trained = set(policies.loc[policies["status"] == "trained", "policy"])
        names = tuple(name for name in learned_policies(self.settings) if name in trained)
        if not names:
            return None
        rolled = self._rolled
        if rolled is None or (rolled.window, rolled.rulers) != (window, rulers):
            rolled = self._rolled = self._roll(window, rulers, said, policies)
        daily, deciders = (_up_to(day, rows) for rows in (rolled.daily, rolled.deciders))
        daily = pd.concat([daily, _up_to(day, self.kept.equal_weight)], ignore_index=True)
        figures = measure_policy_quality(daily, deciders, policies, challengers)
        quality = judge_policy_decay(figures, self.settings.decay)
        return Standing(day, names, policies, daily, quality, rolled)

    def train(
        self, standing: Standing, reigns: Sequence[Reign], now: datetime
    ) -> TrainedChallenger:
        """Train a challenger from what was known at a close, and its stand-in.

        Args:
            standing: What was known.
            reigns: Of policies, in the order of decision.
            now: Moment that the rows carry, UTC without time zone.

        Raises:
            ModelError: The model to start from was altered, or one cannot be written.
            TrainingError: As `train_challenger`.
        """
        whole = standing.rolled.market
        sessions = int((whole.panel.dates <= pd.Timestamp(standing.day)).sum())
        known = PortfolioMarket(
            whole.panel.between(0, sessions),
            whole.forecasts[:sessions],
            whole.half_widths[:sessions],
            whole.horizon,
        )
        return train_challenger(
            known, standing.policies, standing.day, reigns, self.settings, self.store, None, now
        )

    def tried(
        self, standing: Standing, reigns: Sequence[Reign], challengers: pd.DataFrame
    ) -> pd.DataFrame:
        """Return the rows of `portfolio.policy_trials` as they were known at a close.

        Args:
            standing: What else was known.
            reigns: Of policies, in the order of decision.
            challengers: Rows of `portfolio.policy_challengers`.
        """
        rolled = standing.rolled
        key = (rolled.window, rolled.rulers, tuple(reigns), len(challengers))
        if self._tried is None or self._tried_for != key:
            self._tried_for = key
            self._tried = run_policy_trials(
                rolled.market, standing.policies, challengers, reigns, self.settings, self.store,
                self.kept.record,
            ).rows  # fmt: skip
        return _up_to(standing.day, self._tried)

    def _roll(
        self,
        window: Window,
        rulers: Rulers,
        said: Sequence[pd.DataFrame],
        policies: pd.DataFrame,
    ) -> RolledWindow:
        """Roll the portfolios of the learned policies from the beginning to the window's end."""
        trials = pd.concat(said, ignore_index=True).drop_duplicates(list(TRIALS.grain))
        served = self.history.served(trials, rulers.forecasters).predictions
        bars, predictions, macro = (
            rows[rows["date"] < pd.Timestamp(window.end)]
            for rows in (self.history.bars, served, self.kept.macro)
        )
        market = market_of(bars, predictions, macro, self.settings)
        everybody = learned_contenders(
            policies, self.store, self.settings, rulers.policies, self.kept.record
        )
        contenders = [one for one in everybody if one.is_main_seed]
        costs = TradingCosts(**self.settings.costs.model_dump())
        rollout = roll_out(market, contenders, costs, self.settings.portfolio.capital_usd)
        weights = weight_rows(rollout, market, contenders)
        return RolledWindow(
            window,
            rulers,
            market,
            backtest(weights, bars, macro, self.settings).daily,
            weights[DECIDERS].drop_duplicates(ignore_index=True),
        )


def _up_to(day: date, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["date"] <= pd.Timestamp(day)]
