"""Trials: what a policy's portfolio would have earned had another version decided from a day on.

A trial is the portfolio itself up to that day, and from the next close on somebody else's: the same
holdings, prices, limits and costs, so that changing hands costs what it would have cost. A
challenger and its stand-in decide after the last session they have seen; for every promotion there
is the portfolio without it. Judging belongs to `monitoring.promotion`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.reigns import Reign, reigns_in
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.contender import Contender, Stretch
from odyssey_assets.portfolio.deciders import NamedModel, load_stretch
from odyssey_assets.portfolio.learned import learned_contenders
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.policies.recorded import RecordedPolicy
from odyssey_assets.portfolio.rollout import Rollout, roll_out
from odyssey_assets.portfolio.schedule import NOBODY
from odyssey_assets.portfolio.tables import POLICY_TRIALS
from odyssey_assets.portfolio.training_plan import POLICY
from odyssey_assets.settings import Settings

DAY = timedelta(days=1)


@dataclass(frozen=True)
class PolicyTrials:
    """What was tried.

    Attributes:
        rows: Rows of `portfolio.policy_trials`.
        unreadable: Why a version could not decide, by its name in the store.
    """

    rows: pd.DataFrame
    unreadable: Mapping[str, str]


@dataclass(frozen=True)
class _Trial:
    """One portfolio.

    Attributes:
        role: Whose it is.
        after: The day up to which it is the portfolio itself.
        contender: Who decides when; its last stretch is the one that is tried.
    """

    role: str
    after: date
    contender: Contender


def run_policy_trials(
    market: PortfolioMarket,
    policies: pd.DataFrame,
    challengers: pd.DataFrame,
    reigns: Sequence[Reign],
    settings: Settings,
    store: ModelStore,
    stored: pd.DataFrame | None = None,
) -> PolicyTrials:
    """Roll the portfolio of the learned policy forward as it was, and as it could have been.

    Only the window of the last session is tried, and only if it has a challenger or a reign. A
    version that cannot be loaded is passed over and named.

    Args:
        market: Prices and forecasts of all sessions.
        policies: Rows of `portfolio.policies` from the beginning.
        challengers: Rows of `portfolio.policy_challengers`.
        reigns: Of policies, in the order of decision.
        settings: Limits, costs, capital, and which policies compete.
        store: Holds the models.
        stored: Rows of `portfolio.weights` as they were decided: what lost models decided stays.
            None: a lost model is an error.

    Raises:
        ModelError: A model that serves was altered or is missing, and `stored` is None.
    """
    days = market.panel.dates
    window = window_of(days[-1].item())
    own = challengers[
        (challengers["policy"] == POLICY) & (challengers["window"] == pd.Timestamp(window.start))
    ]
    ruling = reigns_in(reigns, POLICY, window)
    trained = _own_model(policies, window)
    served = _served(policies, settings, store, reigns, stored)
    if trained is None or served is None or (own.empty and not ruling):
        return PolicyTrials(POLICY_TRIALS.empty(), {})
    unreadable: dict[str, str] = {}
    trials = [
        *_of_challengers(own, served, settings, store, unreadable),
        *_of_predecessors(ruling, trained, served, unreadable),
    ]
    costs = TradingCosts(**settings.costs.model_dump())
    contenders = [served, *(trial.contender for trial in trials)]
    rollout = roll_out(market, contenders, costs, settings.portfolio.capital_usd)
    parts = [_served_rows(rollout, market, served, window)]
    parts += [
        _trial_rows(place, rollout, market, trial, window)
        for place, trial in enumerate(trials, start=1)
    ]
    earned = [part for part in parts if len(part)]
    rows = pd.concat(earned) if earned else POLICY_TRIALS.empty()
    return PolicyTrials(POLICY_TRIALS.conform(rows), unreadable)


def _own_model(policies: pd.DataFrame, window: Window) -> tuple[str, str] | None:
    """Return name and SHA-256 of the model that was trained for the window; None: there is none."""
    rows = policies[
        (policies["policy"] == POLICY)
        & policies["is_main_seed"]
        & (policies["window"] == pd.Timestamp(window.start))
        & (policies["status"] == "trained")
    ]
    if rows.empty:
        return None
    return str(rows["model_name"].iloc[0]), str(rows["model_sha256"].iloc[0])


def _served(
    policies: pd.DataFrame,
    settings: Settings,
    store: ModelStore,
    reigns: Sequence[Reign],
    stored: pd.DataFrame | None,
) -> Contender | None:
    """Return the policy's portfolio as it is served; None where no model was trained."""
    own = [
        one
        for one in learned_contenders(policies, store, settings, reigns, stored)
        if one.strategy == POLICY and one.is_main_seed
    ]
    return own[0] if own else None


def _of_challengers(
    rows: pd.DataFrame,
    served: Contender,
    settings: Settings,
    store: ModelStore,
    unreadable: dict[str, str],
) -> Iterator[_Trial]:
    """Yield the trial of every challenger and stand-in that can be loaded, each once."""
    known = rows.drop_duplicates(["role", "model_sha256"]).sort_values(["trained_as_of", "role"])
    for row in known.to_dict("records"):
        after = row["trained_as_of"].date()
        named = NamedModel(
            tuple(str(row["model_name"]).split("/")),
            str(row["model_sha256"]),
            f"of a challenger trained as of {after}",
            "portfolio.policy_challengers",
            "ask for another challenger",
        )
        try:
            stretch = load_stretch(after + DAY, named, store, settings)
        except ModelError as error:
            unreadable[str(row["model_name"])] = str(error)
            continue
        yield _Trial(row["role"], after, _cut(served, after, stretch))


def _of_predecessors(
    ruling: Sequence[Reign],
    own_model: tuple[str, str],
    served: Contender,
    unreadable: dict[str, str],
) -> Iterator[_Trial]:
    """Yield the portfolio without each reign.

    Of a predecessor that is lost only what it decided is known, and nothing after the reign began.
    """
    models = [own_model, *(("/".join(one.model_name), one.model_sha256) for one in ruling)]
    for (name, sha256), reign in zip(models, ruling, strict=False):  # nobody follows the last one
        after, start = reign.serves_after, max(reign.serves_after + DAY, reign.window.start)
        before = [one for one in served.stretches if one.start is None or one.start < start]
        # A reign that was decided before its window opened began together with its predecessor.
        beside = [one for one in served.stretches if one.start == start]
        kept = (*before, *(one for one in beside if one.model_sha256 == sha256))
        if kept and not isinstance(kept[-1].policy, RecordedPolicy):
            yield _Trial("predecessor", after, replace(served, stretches=kept))
        else:
            unreadable[name] = (
                f"The model {name}, which served up to {after}, cannot be loaded: what it would "
                "have earned later is not known. Put it back into the model store."
            )


def _cut(served: Contender, after: date, then: Stretch) -> Contender:
    """Return the portfolio with nobody new after a day but `then`."""
    kept = (one for one in served.stretches if one.start is None or one.start <= after)
    return replace(served, stretches=(*kept, then))


def _served_rows(
    rollout: Rollout, market: PortfolioMarket, served: Contender, window: Window
) -> pd.DataFrame:
    """Return what the portfolio earned by decisions of the window, whoever took them."""
    decider = _decider_of_returns(rollout.decider[0])
    parts = []
    for place, stretch in enumerate(served.stretches):
        if stretch.start is None or not window.start <= stretch.start < window.end:
            continue
        rows = np.flatnonzero(decider == place)
        parts.append(_rows("serving", stretch.start - DAY, stretch, rows, 0, rollout, market))
    return pd.concat(parts, ignore_index=True) if parts else POLICY_TRIALS.empty()


def _trial_rows(
    place: int, rollout: Rollout, market: PortfolioMarket, trial: _Trial, window: Window
) -> pd.DataFrame:
    """Return what a version would have earned by its own decisions, inside the window."""
    last = len(trial.contender.stretches) - 1
    days = market.panel.dates
    # Decided at a close after the day, so earned from the second session after it on.
    first = int(np.searchsorted(days, np.datetime64(trial.after, "D"), side="right")) + 1
    first = max(first, int(np.searchsorted(days, np.datetime64(window.start, "D"))))
    earned = np.flatnonzero(_decider_of_returns(rollout.decider[place]) == last)
    rows = earned[earned >= first]
    stretch = trial.contender.stretches[last]
    return _rows(trial.role, trial.after, stretch, rows, place, rollout, market)


def _decider_of_returns(decider: np.ndarray) -> np.ndarray:
    """Return which stretch took the decision that each session's return is of."""
    return np.concatenate([[NOBODY], decider[:-1]])


def _rows(
    role: str,
    after: date,
    stretch: Stretch,
    rows: np.ndarray,
    place: int,
    rollout: Rollout,
    market: PortfolioMarket,
) -> pd.DataFrame:
    days = pd.DatetimeIndex(market.panel.dates[rows].astype("datetime64[us]"))
    return pd.DataFrame(
        {
            "policy": POLICY,
            "window": pd.Timestamp(window_of(market.panel.dates[-1].item()).start),
            "role": role,
            "model_sha256": stretch.model_sha256,
            "serves_after": pd.Timestamp(after),
            "date": days,
            "return": rollout.returns[place, rows],
            "equity": rollout.equity[place, rows],
        }
    )
