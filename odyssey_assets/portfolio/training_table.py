"""Turns trainings, done and skipped, into the rows of `portfolio.policies` and its curves."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.collaborators import StoredModel
from odyssey_assets.portfolio.tables import POLICIES, TRAINING_CURVES
from odyssey_assets.portfolio.training_curve import CurvePoint, best_point
from odyssey_assets.portfolio.training_plan import POLICY, Training
from odyssey_assets.portfolio.window_plans import WindowPlan

_BOUNDARIES = ("train_start", "train_end", "valid_start", "valid_end")


@dataclass(frozen=True)
class Trained:
    """The rows of both tables, as their contracts want them."""

    policies: pd.DataFrame
    training_curves: pd.DataFrame


def tabulate(
    done: Iterable[tuple[Training, StoredModel]], skipped: Iterable[WindowPlan], main_seed: int
) -> Trained:
    """Return the rows of trainings and of windows without any."""
    finished = list(done)
    policies = [_policy_row(training, stored) for training, stored in finished]
    policies += [_skipped_row(plan, main_seed) for plan in skipped]
    curves = [row for training, stored in finished for row in _curve_rows(training, stored)]
    return Trained(_conform(POLICIES, policies), _conform(TRAINING_CURVES, curves))


def _conform(contract: TableContract, rows: list[dict[str, object]]) -> pd.DataFrame:
    if not rows:
        return contract.empty()
    frame = pd.DataFrame(rows)
    numbers = [
        column.name
        for column in contract.columns
        if column.is_nullable and column.type in ("BIGINT", "DOUBLE")
    ]
    return contract.conform(frame.astype({name: contract.column(name).dtype for name in numbers}))


def _policy_row(training: Training, stored: StoredModel) -> dict[str, object]:
    return {
        **_key(training),
        "is_main_seed": training.is_main_seed,
        "status": "trained",
        "reason": None,
        **model_figures(training, stored),
    }


def model_figures(training: Training, stored: StoredModel) -> dict[str, object]:
    """Return what a row tells of a stored model: spans, steps, choice, data, names and hashes."""
    content = stored.content
    chosen = best_point(_curve(content))
    return {
        **{name: pd.Timestamp(str(content[name])) for name in _BOUNDARIES},
        "steps": content["steps_taken"],
        "selected_steps": chosen.steps,
        "validation_sharpe": chosen.validation_sharpe,
        "training_reward": chosen.mean_reward,
        "hyperparameters": json.dumps(content["hyperparameters"], sort_keys=True),
        "threads": content["threads"],
        "warm_start_sha256": content["warm_start_sha256"],
        "data_sha256": content["data_sha256"],
        "model_name": "/".join(training.name_parts(_text(content["warm_start_sha256"]))),
        "model_sha256": stored.model_sha256,
        "mlflow_run_id": stored.provenance["mlflow_run_id"],
    }


def _skipped_row(plan: WindowPlan, main_seed: int) -> dict[str, object]:
    absent = (column.name for column in POLICIES.columns if column.is_nullable)
    return {
        **dict.fromkeys(absent),
        "window": pd.Timestamp(plan.window.start),
        "policy": POLICY,
        "seed": main_seed,
        "is_main_seed": True,
        "status": "skipped",
        "reason": plan.reason,
        "steps": 0,
    }


def _curve_rows(training: Training, stored: StoredModel) -> list[dict[str, object]]:
    curve = _curve(stored.content)
    chosen = best_point(curve)
    return [{**_key(training), **point.content, "is_selected": point is chosen} for point in curve]


def _key(training: Training) -> dict[str, object]:
    return {
        "window": pd.Timestamp(training.window.start),
        "policy": POLICY,
        "seed": training.seed,
    }


def _curve(content: Mapping[str, Any]) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint.of(point) for point in content["curve"])


def _text(value: object) -> str | None:
    return None if value is None else str(value)
