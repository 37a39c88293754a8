"""What `odyssey backtest` does: a policy again, under other costs, limits or days of decision.

Sees all domains at once, as `headless` does. Reads the published database, so it waits for nobody
and changes nothing. Wording of options belongs to `cli`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast, get_args

import pandas as pd

from odyssey_assets.backtesting.engine import backtest
from odyssey_assets.backtesting.performance import measure_performance
from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.contracts import TableContract
from odyssey_assets.core.constraints import ROUNDING
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.errors import SettingsError
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.infrastructure.home import Home, home_of, load_settings
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.published import query_published
from odyssey_assets.market_data.tables import BARS, MACRO
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets.portfolio.catalog import chosen_policies
from odyssey_assets.portfolio.competition import contenders_of
from odyssey_assets.portfolio.contender import Contender, Rebalance
from odyssey_assets.portfolio.market import market_of
from odyssey_assets.portfolio.rollout import roll_out
from odyssey_assets.portfolio.tables import POLICIES, SEED_PATHS
from odyssey_assets.portfolio.weight_table import seed_path_rows, weight_rows
from odyssey_assets.settings import Settings
from odyssey_assets.settings_sections import PortfolioSettings

STORED, ASKED = "stored run", "what if"
FIGURES = (
    "start_date", "end_date", "sessions", "total_return", "cagr", "volatility", "sharpe",
    "sharpe_standard_error", "sharpe_seed_low", "sharpe_seed_high", "seed_count", "max_drawdown",
    "max_drawdown_sessions", "turnover", "annual_cost", "beta",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What is asked; None keeps what the settings say.

    Attributes:
        policy: Name in the catalog.
        start: First day; the portfolio starts there from cash. None: where the policy began.
        end: Last day. None: the last published session.
        commission_bps: Basis points of traded value.
        slippage_bps: Basis points of traded value.
        max_weight: Of equity in one ticker.
        min_cash: Of equity in cash.
        rebalance: When the policy decides.
    """

    policy: str
    start: date | None = None
    end: date | None = None
    commission_bps: float | None = None
    slippage_bps: float | None = None
    max_weight: float | None = None
    min_cash: float | None = None
    rebalance: str | None = None


@dataclass(frozen=True)
class Answer:
    """What came out.

    Attributes:
        figures: A row a figure; the stored run and the one asked for side by side.
        notes: What a reader must know to compare them, in sentences.
    """

    figures: pd.DataFrame
    notes: tuple[str, ...]


def answer(question: Question, home: Path | None = None) -> Answer:
    """Backtest the policy as asked and compare it with the stored run over the same sessions.

    Raises:
        SettingsError: The policy, an option or the dates make no sense.
        WarehouseError: Nothing is published yet.
        ModelError: A model of the policy is missing or has been altered.
    """
    settings = _asked_settings(question, home)
    published = home_of(settings)
    bars, predictions, macro = (
        _until(_read(published, contract), question.end) for contract in (BARS, PREDICTIONS, MACRO)
    )
    stored = _within(_read(published, DAILY), question)
    stored = stored[stored["strategy"] == question.policy]
    if stored.empty:
        raise SettingsError(
            f"The published database holds no backtest of {question.policy!r} between "
            f"{question.start or 'the beginning'} and {question.end or 'the end'}. Choose other "
            "days, or run `odyssey run`."
        )
    policies, ledger = _read(published, POLICIES), _read(published, PROMOTIONS)
    contenders = _asked_contenders(question, policies, ledger, settings, published)
    market = market_of(bars, predictions, macro, settings)
    costs = TradingCosts(**settings.costs.model_dump())
    rollout = roll_out(market, contenders, costs, settings.portfolio.capital_usd)
    daily = backtest(weight_rows(rollout, market, contenders), bars, macro, settings).daily
    daily, stored = _shared_sessions(daily, stored)
    if daily.empty:
        raise SettingsError(
            f"{question.policy!r} has no return after it first decides between "
            f"{question.start or 'the beginning'} and {question.end or 'the end'}. Choose an "
            "earlier first day or a later last one."
        )
    figures = {
        STORED: _figures(stored, _within(_read(published, SEED_PATHS), question), bars, settings),
        ASKED: _figures(daily, seed_path_rows(rollout, market, contenders), bars, settings),
    }
    table = pd.DataFrame(figures).rename_axis("figure").reset_index()
    return Answer(table, _notes(question, settings, contenders))


def _asked_settings(question: Question, home: Path | None) -> Settings:
    """Return the settings to backtest under; they name the policy asked for and no other."""
    costs = {"commission_bps": question.commission_bps, "slippage_bps": question.slippage_bps}
    settings = load_settings(
        home=home,
        costs={name: value for name, value in costs.items() if value is not None},
        portfolio=_asked_limits(question, load_settings(home=home).portfolio),
    )
    known = [entry.name for entry in chosen_policies(settings)]
    if question.policy not in known:
        raise SettingsError(f"{question.policy!r} is no policy of this home: {', '.join(known)}.")
    if question.rebalance is not None and question.rebalance not in get_args(Rebalance):
        raise SettingsError(
            f"A policy decides {', '.join(get_args(Rebalance))}; found {question.rebalance!r}."
        )
    if question.start and question.end and question.end <= question.start:
        raise SettingsError(f"The last day {question.end} is not after the first {question.start}.")
    alone = settings.portfolio.model_copy(update={"policies": (question.policy,)})
    return settings.model_copy(update={"portfolio": alone})


def _asked_limits(question: Question, config: PortfolioSettings) -> dict[str, float]:
    """Return the limits asked for; what may be invested goes along with the cash reserve."""
    limits: dict[str, float] = {}
    if question.min_cash is not None:
        limits["min_cash"] = question.min_cash
        rest = round(1 - question.min_cash, 12)
        is_rest = config.max_invested + config.min_cash > 1 - ROUNDING
        invested = rest if is_rest else min(config.max_invested, rest)
        if 0 < rest <= 1:
            limits |= {"max_invested": invested, "max_weight": min(config.max_weight, invested)}
    if question.max_weight is not None:
        limits["max_weight"] = question.max_weight
    return limits


def _asked_contenders(
    question: Question,
    policies: pd.DataFrame,
    ledger: pd.DataFrame,
    settings: Settings,
    home: Home,
) -> tuple[Contender, ...]:
    """Return the policy's contenders, all its seeds, deciding when and from when it is asked."""
    reigns = reigns_of(ledger, "policy")
    own = list(contenders_of(policies, settings, ModelStore(home.models), reigns))
    if question.rebalance is not None:
        asked = cast(Rebalance, question.rebalance)
        own = [dataclasses.replace(one, rebalance=asked) for one in own]
    if question.max_weight is not None:  # it binds a policy of one ticker too
        own = [_capped(one, question.max_weight) for one in own]
    if question.start is not None:
        own = [_starting(one, question.start) for one in own]
    return tuple(own)


def _capped(contender: Contender, max_weight: float) -> Contender:
    return dataclasses.replace(
        contender, limits=dataclasses.replace(contender.limits, max_weight=max_weight)
    )


def _starting(contender: Contender, start: date) -> Contender:
    """Return the contender holding cash before `start`."""
    later = [one for one in contender.stretches if one.start is not None and one.start > start]
    earlier = [one for one in contender.stretches if one.start is None or one.start <= start]
    first = [dataclasses.replace(earlier[-1], start=start)] if earlier else []
    return dataclasses.replace(contender, stretches=(*first, *later))


def _read(home: Home, contract: TableContract) -> pd.DataFrame:
    columns = ", ".join(f'"{name}"' for name in contract.column_names)
    rows = query_published(home.published, f"select {columns} from {contract.qualified_name}")
    return contract.conform(rows)


def _until(rows: pd.DataFrame, end: date | None) -> pd.DataFrame:
    return rows if end is None else rows[rows["date"] <= pd.Timestamp(end)]


def _within(rows: pd.DataFrame, question: Question) -> pd.DataFrame:
    first = date.min if question.start is None else question.start
    return _until(rows[rows["date"].dt.date >= first], question.end)


def _shared_sessions(one: pd.DataFrame, two: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    shared = set(one["date"]) & set(two["date"])
    return one[one["date"].isin(shared)], two[two["date"].isin(shared)]


def _figures(
    daily: pd.DataFrame, seed_paths: pd.DataFrame, bars: pd.DataFrame, settings: Settings
) -> Mapping[str, object]:
    rows = measure_performance(daily, seed_paths, bars, settings.proxy)
    whole = rows[rows["period"] == "whole"]
    return whole.iloc[0][list(FIGURES)].to_dict()


def _notes(
    question: Question, settings: Settings, contenders: Sequence[Contender]
) -> tuple[str, ...]:
    notes = []
    if question.start is not None:
        notes.append(
            "The portfolio asked for starts from cash; the stored run was invested by then."
        )
    if any(one.seed is not None for one in contenders):
        notes.append(
            "A learned policy is not trained again: it decides as it learned to under the "
            "settings of its training."
        )
    if settings.source == "simulated":
        notes.append("Simulated data.")
    return tuple(notes)
