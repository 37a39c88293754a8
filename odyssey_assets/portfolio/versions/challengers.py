"""Challengers of a learned policy: trained inside a window, from everything known at a close.

Beside each challenger a stand-in can be trained by the same recipe on less, so that there are
sessions which neither it nor the incumbent has seen. What the versions would have earned is worked
out by `portfolio.versions.trials`, who serves is decided in `monitoring.promotion`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from odyssey_assets.core.collaborators import ModelStore, StoredModel, Tracker
from odyssey_assets.core.reigns import Reign, reign_at, reigns_in
from odyssey_assets.core.windows import Window
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS
from odyssey_assets.portfolio.training import carry_out, models_of
from odyssey_assets.portfolio.training_chain import Workshop
from odyssey_assets.portfolio.training_plan import POLICY, Training, plan_chain_inside
from odyssey_assets.portfolio.training_table import model_figures
from odyssey_assets.portfolio.window_plans import WindowPlan, plan_inside
from odyssey_assets.settings import Settings

Role = Literal["challenger", "stand_in"]
_SHARED = (
    "train_start", "train_end", "valid_start", "valid_end", "steps", "selected_steps",
    "validation_sharpe", "warm_start_sha256", "data_sha256", "model_name", "model_sha256",
    "mlflow_run_id",
)  # fmt: skip


@dataclass(frozen=True)
class TrainedChallenger:
    """What came of a request.

    Attributes:
        rows: Rows of `portfolio.policy_challengers`, the stand-in included.
        skipped: Why there is no challenger; None where there is one.
        without_stand_in: Why the challenger has no stand-in; None where it has one.
    """

    rows: pd.DataFrame
    skipped: str | None
    without_stand_in: str | None


def train_challenger(
    market: PortfolioMarket,
    policies: pd.DataFrame,
    as_of: date | None,
    reigns: Sequence[Reign],
    settings: Settings,
    store: ModelStore,
    tracker: Tracker | None,
    recorded_at: datetime,
    tensorboard_dir: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> TrainedChallenger:
    """Train a challenger of the learned policy, and a stand-in where it helps.

    Nothing after `as_of` is learned from. The same data give the same models; one that is stored
    already is used again, and a training that was cut short goes on. Stand-ins are trained unless
    challengers are to prove themselves (`promotion.mode` shadow).

    Args:
        market: Prices and forecasts of all sessions from the beginning.
        policies: Rows of `portfolio.policies`: the windows' own models.
        as_of: Newest day whose data may be seen; None for the last session.
        reigns: Of policies: who serves in the place of a window's own model.
        settings: Hyperparameters, limits, costs, seed, promotion.
        store: Keeps models and checkpoints.
        tracker: Keeps a record of the runs; None for no record.
        recorded_at: Moment that the rows carry, UTC without time zone.
        tensorboard_dir: Folder of TensorBoard logs; None: no logs.
        progress: Called with a line for people at each checkpoint.

    Raises:
        ModelError: The model to start from was altered, or one cannot be written.
        TrainingError: The model to start from is not stored, or a training met numbers that are
            not finite.
    """
    days = market.panel.dates
    least = settings.portfolio.ppo.min_train_windows
    plan = plan_inside(market, as_of or days[-1].item(), least)
    if plan.spans is None:
        return _none(str(plan.reason))
    own = _own_row(policies, plan.window)
    if own is None or own["status"] != "trained":
        reason = "it was not trained" if own is None else own["reason"]
        return _none(f"its window has no policy to challenge: {reason}")
    last = days[plan.spans.stop - 1].item()
    stand_in = _plan_stand_in(market, plan, _serves_after(plan.window, reigns, last), settings)
    plans: dict[Role, WindowPlan] = {"stand_in": stand_in, "challenger": plan}
    chain = plan_chain_inside(market, tuple(plans.values()), settings)
    workshop = Workshop(market, settings, store, models_of(policies), tensorboard_dir, {})
    done = carry_out(workshop, [chain], tracker, progress)
    roles = [role for role, one in plans.items() if one.spans is not None]
    rows = [
        _row(role, training, stored, last, recorded_at)
        for role, (training, stored) in zip(roles, done, strict=True)
    ]
    return TrainedChallenger(_conform(rows), None, stand_in.reason)


def _none(reason: str) -> TrainedChallenger:
    return TrainedChallenger(POLICY_CHALLENGERS.empty(), reason, "there is no challenger")


def _own_row(policies: pd.DataFrame, window: Window) -> Mapping[Any, Any] | None:
    """Return the row of the window's own training, done or skipped."""
    rows = policies[
        (policies["policy"] == POLICY)
        & policies["is_main_seed"]
        & (policies["window"] == pd.Timestamp(window.start))
    ]
    return None if rows.empty else rows.iloc[0].to_dict()


def _serves_after(window: Window, reigns: Sequence[Reign], last: date) -> date:
    """Return the day after which the incumbent has decided in the window.

    What it has seen lies before, and only its own decisions can be compared with anybody's.
    """
    reign = reign_at(reigns_in(reigns, POLICY, window), last + timedelta(days=1))
    return window.start - timedelta(days=1) if reign is None else reign.serves_after


def _plan_stand_in(
    market: PortfolioMarket, challenger: WindowPlan, serves_after: date, settings: Settings
) -> WindowPlan:
    """Plan the newest version that leaves enough returns which neither side has seen.

    What it decides at the first close after its training is traded at the next open, so its first
    return is of the second session after.
    """
    window = challenger.window
    if settings.promotion.mode == "shadow":
        return WindowPlan(window, reason="the challenger proves itself")
    unseen, days = settings.promotion.min_unseen_returns, market.panel.dates
    stop = 0 if challenger.spans is None else challenger.spans.stop
    last = stop - 1 - (unseen + 1)
    first = int(np.searchsorted(days, np.datetime64(serves_after, "D"), side="right"))
    if last < first:
        return WindowPlan(
            window,
            reason=(
                f"the incumbent decides after {serves_after}, and {unseen} returns of decisions "
                f"after a later session have not been earned by {days[stop - 1]}"
            ),
        )
    return plan_inside(market, days[last].item(), settings.portfolio.ppo.min_train_windows)


def _row(
    role: Role, training: Training, stored: StoredModel, requested: date, recorded_at: datetime
) -> dict[str, object]:
    figures = model_figures(training, stored)
    return {
        "policy": POLICY,
        "window": pd.Timestamp(training.window.start),
        "role": role,
        "trained_as_of": figures["valid_end"],
        "requested_as_of": pd.Timestamp(requested),
        **{name: figures[name] for name in _SHARED},
        "recorded_at": recorded_at,
    }


def _conform(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows).astype({"validation_sharpe": "float64"})
    return POLICY_CHALLENGERS.conform(frame)
