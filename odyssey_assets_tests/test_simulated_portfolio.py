"""A simulated night knows of learned policies what the nightly jobs of that night would know."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.engine import backtest
from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import parse_window, window_of
from odyssey_assets.forecasting.tables import TRIALS
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.monitoring.quality.policies import judge_policy_decay, measure_policy_quality
from odyssey_assets.portfolio.competition import compete
from odyssey_assets.portfolio.market import PortfolioMarket, market_of
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, POLICY_TRIALS, WEIGHTS
from odyssey_assets.portfolio.versions.challengers import train_challenger
from odyssey_assets.portfolio.versions.trials import run_policy_trials
from odyssey_assets.replay import History, LayeredStore
from odyssey_assets.settings import Settings
from odyssey_assets.simulated_portfolio import (
    Rulers,
    SimulatedPortfolio,
    Standing,
    read_portfolio,
)
from odyssey_assets_tests.other_futures import portfolio_with_other_future, with_other_future
from odyssey_assets_tests.simulated_learner import learner_settings, open_learner
from odyssey_assets_tests.tiny_market import TICKERS, WINDOWS, TinyHome, warehouse_of

WINDOW = parse_window(WINDOWS[-1])
TRAINED, LATER = date(2022, 3, 15), date(2022, 4, 6)
EARLIER = date(2021, 8, 2)
NOW = datetime(2022, 3, 15, 22)
NOBODY = Rulers((), ())
NO_CHALLENGER = POLICY_CHALLENGERS.empty()


@dataclass(frozen=True)
class Learned:
    """A home whose policy has learned, and a challenger that a simulation trained.

    Attributes:
        settings: Of the home.
        history: What it has stored.
        store: Reads its models; others are written elsewhere.
        challengers: Rows of the challenger as of `TRAINED`, and of its stand-in.
    """

    settings: Settings
    history: History
    store: LayeredStore
    challengers: pd.DataFrame

    def portfolio(self) -> SimulatedPortfolio:
        """Return the portfolio before anybody has looked at it."""
        kept = read_portfolio(warehouse_of(self.settings))
        return SimulatedPortfolio(self.history, kept, self.settings, self.store)

    def rulers(self) -> tuple[Rulers, pd.DataFrame]:
        """Return reigns of a forecaster and of the challenger, and what that forecaster said."""
        row = self.challengers[self.challengers["role"] == "challenger"].iloc[0]
        name = tuple(str(row["model_name"]).split("/"))
        policy = Reign("ppo", WINDOW, TRAINED, name, str(row["model_sha256"]))
        forecaster = Reign("SPY", WINDOW, date(2022, 2, 10), ("xgboost", "SPY", "x"), "other")
        return Rulers((forecaster,), (policy,)), said_by_another(self.history)

    def market(self, day: date, rulers: Rulers, said: pd.DataFrame) -> PortfolioMarket:
        """Return prices and forecasts as a nightly job would read them."""
        known = self.history.until(day).served(said, rulers.forecasters)
        macro = read_portfolio(warehouse_of(self.settings)).macro
        until = macro[macro["date"] <= pd.Timestamp(day)]
        return market_of(known.bars, known.predictions, until, self.settings)


@pytest.fixture(scope="module")
def learned(learner_home: TinyHome, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """Return the home, and a challenger as of the middle of its newest window."""
    settings = learner_settings(learner_home.copy(tmp_path_factory.mktemp("learner")))
    history = open_learner(settings, TRAINED, TRAINED).history
    own = ModelStore(tmp_path_factory.mktemp("trained"))
    store = LayeredStore(own, ModelStore(home_of(settings).models))
    before = Learned(settings, history, store, NO_CHALLENGER)
    portfolio = before.portfolio()
    trained = portfolio.train(night(portfolio, TRAINED), (), NOW)
    assert trained.skipped is None
    return replace(before, challengers=trained.rows)


def said_by_another(history: History) -> pd.DataFrame:
    """Return what another forecaster says of every session of the newest window."""
    rows = history.predictions
    is_meant = (rows["ticker"] == "SPY") & (rows["model"] == "xgboost")
    own = rows[is_meant & (rows["window"] == pd.Timestamp(WINDOW.start))]
    said = own.assign(
        prediction=-own["prediction"], model_sha256="other", role="challenger", recorded_at=NOW
    )
    return TRIALS.conform(said[list(TRIALS.column_names)])


def night(
    portfolio: SimulatedPortfolio,
    day: date,
    rulers: Rulers = NOBODY,
    said: pd.DataFrame | None = None,
    challengers: pd.DataFrame = NO_CHALLENGER,
) -> Standing:
    """Return what is known at the close of `day`, where a policy had learned."""
    parts = () if said is None else (said[said["date"] <= pd.Timestamp(day)], said)
    found = portfolio.standing(day, rulers, parts or (TRIALS.empty(),), challengers)
    assert found is not None
    return found


def until(day: date, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["date"] <= pd.Timestamp(day)]


def assert_equal_rows(one: pd.DataFrame, other: pd.DataFrame) -> None:
    assert len(one)
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), other.reset_index(drop=True), check_exact=True
    )


@pytest.mark.parametrize("day", [EARLIER, date(2022, 1, 3), LATER])
def test_without_reigns_the_home_s_own_figures_are_known(learned: Learned, day: date) -> None:
    warehouse, standing = warehouse_of(learned.settings), night(learned.portfolio(), day)
    policies = warehouse.read(POLICIES)
    policies = policies[policies["window"] <= pd.Timestamp(window_of(day).start)]
    daily, weights = (until(day, warehouse.read(table)) for table in (DAILY, WEIGHTS))
    for strategy in ("ppo", "equal_weight"):
        own, stored = (each[each["strategy"] == strategy] for each in (standing.daily, daily))
        assert_equal_rows(own, stored)
    assert_equal_rows(standing.policies, policies)
    figures = measure_policy_quality(daily, weights, policies, NO_CHALLENGER)
    assert_equal_rows(standing.quality, judge_policy_decay(figures, learned.settings.decay))
    assert standing.names == ("ppo",)


def test_under_reigns_known_is_what_the_jobs_would_hold_and_try(learned: Learned) -> None:
    rulers, said = learned.rulers()
    portfolio, stored = learned.portfolio(), learned.history
    plain = night(portfolio, LATER).daily
    for day in (TRAINED, date(2022, 3, 16), LATER):
        standing = night(portfolio, day, rulers, said, learned.challengers)
        market = learned.market(day, rulers, said)
        held = compete(
            market, standing.policies, learned.settings, learned.store, rulers.policies
        ).weights
        bars, macro = (until(day, rows) for rows in (stored.bars, portfolio.kept.macro))
        daily = backtest(held, bars, macro, learned.settings).daily
        for strategy in ("ppo", "equal_weight"):
            expected, found = (
                each[each["strategy"] == strategy] for each in (daily, standing.daily)
            )
            assert_equal_rows(found, expected)
        tried = run_policy_trials(
            market, standing.policies, learned.challengers, rulers.policies, learned.settings,
            learned.store,
        ).rows  # fmt: skip
        key = list(POLICY_TRIALS.grain)
        one, other = (
            rows.sort_values(key)
            for rows in (portfolio.tried(standing, rulers.policies, learned.challengers), tried)
        )
        assert_equal_rows(one, other)
    assert set(one["role"]) == {"serving", "challenger", "stand_in", "predecessor"}
    assert not plain["return"].equals(standing.daily["return"]), "the reigns must change something"


def test_challenger_learns_what_was_known_and_nothing_else(
    learned: Learned, tmp_path: Path
) -> None:
    market = learned.market(TRAINED, NOBODY, TRIALS.empty())
    store = LayeredStore(ModelStore(tmp_path), learned.store.lower)
    standing = night(learned.portfolio(), TRAINED)
    policies = standing.policies
    expected = train_challenger(market, policies, None, (), learned.settings, store, None, NOW)
    assert_equal_rows(learned.challengers, expected.rows)
    asked = learned.challengers.set_index("role")["requested_as_of"].dt.date
    assert asked.to_dict() == {"challenger": TRAINED, "stand_in": TRAINED}


def test_future_that_is_another_changes_nothing_that_is_known(learned: Learned) -> None:
    rulers, said = learned.rulers()
    rng = np.random.default_rng(5)
    history = with_other_future(learned.history, TRAINED, rng)
    portfolio = learned.portfolio()
    other = portfolio_with_other_future(portfolio, history, TRAINED, rng)
    later = until(LATER, history.predictions)
    assert not later.equals(until(LATER, learned.history.predictions)), "something must be another"
    challengers = learned.challengers
    for ruling, words in ((NOBODY, said_by_another(history)), (rulers, said)):
        one = night(portfolio, TRAINED, ruling, said, challengers)
        two = night(other, TRAINED, ruling, words, challengers)
        assert_equal_rows(one.daily, two.daily)
        assert_equal_rows(one.quality, two.quality)
        tried, again = (
            each.tried(standing, ruling.policies, challengers)
            for each, standing in ((portfolio, one), (other, two))
        )
        assert_equal_rows(tried, again)
        rows = [
            each.train(standing, ruling.policies, NOW).rows
            for each, standing in ((portfolio, one), (other, two))
        ]
        assert_equal_rows(rows[0], rows[1])
    after = [night(each, LATER, rulers, said).daily for each in (portfolio, other)]
    assert not after[0].equals(after[1]), "the other future must come"


def test_portfolios_are_rolled_again_only_when_somebody_else_serves(learned: Learned) -> None:
    rulers, said = learned.rulers()
    portfolio = learned.portfolio()
    first = night(portfolio, TRAINED)
    assert night(portfolio, LATER).rolled is first.rolled
    assert night(portfolio, LATER, challengers=learned.challengers).rolled is first.rolled
    changed = night(portfolio, LATER, rulers, said)
    assert changed.rolled is not first.rolled
    assert (
        night(portfolio, LATER, Rulers(rulers.forecasters, ()), said).rolled is not changed.rolled
    )
    assert night(portfolio, EARLIER).rolled.window == window_of(EARLIER)


def test_versions_are_tried_again_when_a_challenger_comes(learned: Learned) -> None:
    portfolio = learned.portfolio()
    standing = night(portfolio, LATER)
    assert portfolio.tried(standing, (), NO_CHALLENGER).empty
    roles = portfolio.tried(standing, (), learned.challengers)["role"]
    assert set(roles) == {"serving", "challenger", "stand_in"}


def test_nothing_is_known_where_no_policy_had_learned_or_none_is_wanted(learned: Learned) -> None:
    portfolio = learned.portfolio()
    before = date(2020, 12, 31)
    assert portfolio.standing(before, NOBODY, (TRIALS.empty(),), NO_CHALLENGER) is None
    assert portfolio.standing(EARLIER, NOBODY, (TRIALS.empty(),), NO_CHALLENGER) is not None
    rules = learner_settings(
        home_of(learned.settings).root, portfolio={"policies": ("equal_weight",)}
    )
    without = replace(portfolio, settings=rules)
    assert without.standing(LATER, NOBODY, (TRIALS.empty(),), NO_CHALLENGER) is None


def test_lost_model_leaves_what_it_decided(learned: Learned, tmp_path: Path) -> None:
    own = warehouse_of(learned.settings).read(POLICIES)
    newest = own[(own["window"] == pd.Timestamp(WINDOW.start)) & own["is_main_seed"]]
    lost = tuple(str(newest["model_name"].iloc[0]).split("/"))
    upper = ModelStore(tmp_path)
    for name in learned.store.names(("policies",)):
        model = learned.store.find(name)
        if model is not None and name != lost:
            upper.save(name, model.payload, model.content, model.provenance)
    without = replace(learned.portfolio(), store=upper)
    assert_equal_rows(night(without, LATER).daily, night(learned.portfolio(), LATER).daily)
    assert set(TICKERS) == set(without.kept.record["ticker"])
