import json
from pathlib import Path
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import parse_window
from odyssey_assets.infrastructure.model_store import ModelStore, StoredModel
from odyssey_assets.portfolio.tables import POLICIES, TRAINING_CURVES
from odyssey_assets.portfolio.training_plan import Training
from odyssey_assets.portfolio.training_table import tabulate
from odyssey_assets.portfolio.window_plans import WindowPlan
from odyssey_assets_tests.portfolio.small_training import (
    first_training,
    small_market,
    tiny_settings,
)

TRAINING = first_training(small_market(), tiny_settings())
SKIPPED = WindowPlan(parse_window("2015-01-01"), reason="no forecasts before 2014-07-01")


def point(steps: int, reward: float | None, ratio: float | None) -> dict[str, Any]:
    return {
        "steps": steps,
        "mean_reward": reward,
        "validation_sharpe": ratio,
        "validation_return": 0.01 * steps,
        "validation_turnover": 0.2,
    }


def stored(folder: Path, *curve: dict[str, Any]) -> tuple[Training, StoredModel]:
    content = {
        **TRAINING.full_identity("a" * 64),
        "steps_taken": curve[-1]["steps"],
        "threads": 1,
        "curve": list(curve),
    }
    name = TRAINING.name_parts("a" * 64)
    return TRAINING, ModelStore(folder).save(name, b"graph", content, {"mlflow_run_id": "run"})


def test_row_says_what_was_learned_chosen_and_stored(tmp_path: Path) -> None:
    done = stored(tmp_path, point(0, None, 0.5), point(64, 0.1, 0.75), point(128, 0.2, 0.75))
    (row,) = tabulate([done], [], 42).policies.to_dict("records")
    spans, days = TRAINING.spans, small_market().panel.dates
    assert row["train_start"] == pd.Timestamp(days[spans.first])
    assert row["train_end"] == pd.Timestamp(days[spans.valid_first - 1])
    assert row["valid_start"] == pd.Timestamp(days[spans.valid_first])
    assert row["valid_end"] == pd.Timestamp(days[spans.stop - 1])
    assert (row["steps"], row["selected_steps"], row["validation_sharpe"]) == (128, 64, 0.75)
    assert row["training_reward"] == 0.1
    assert json.loads(row["hyperparameters"]) == TRAINING.identity["hyperparameters"]
    assert row["model_sha256"] == done[1].model_sha256
    assert ModelStore(tmp_path).find(row["model_name"].split("/")) == done[1]
    assert (row["warm_start_sha256"], row["mlflow_run_id"]) == ("a" * 64, "run")


def test_curve_has_a_row_a_point_and_one_that_was_chosen(tmp_path: Path) -> None:
    done = stored(tmp_path, point(0, None, None), point(64, 0.1, -2.0), point(128, 0.2, -3.0))
    curves = tabulate([done], [], 42).training_curves
    assert curves["steps"].tolist() == [0, 64, 128]
    assert curves["is_selected"].tolist() == [False, True, False]
    assert curves["mean_reward"].isna().tolist() == [True, False, False]
    assert curves["validation_sharpe"].isna().tolist() == [True, False, False]


def test_training_without_any_ratio_has_null_figures(tmp_path: Path) -> None:
    trained = tabulate([stored(tmp_path, point(0, None, None))], [], 42)
    (row,) = trained.policies.to_dict("records")
    assert (row["selected_steps"], row["status"]) == (0, "trained")
    assert pd.isna(row["validation_sharpe"])
    assert pd.isna(row["training_reward"])


def test_skipped_window_has_a_row_with_its_reason_and_nothing_else() -> None:
    (row,) = tabulate([], [SKIPPED], 7).policies.to_dict("records")
    assert (row["seed"], row["is_main_seed"], row["status"]) == (7, True, "skipped")
    assert row["reason"] == SKIPPED.reason
    assert row["steps"] == 0
    empty = [column.name for column in POLICIES.columns if column.is_nullable]
    assert all(pd.isna(row[name]) for name in empty if name != "reason")


def test_frames_keep_their_contracts_with_and_without_rows(tmp_path: Path) -> None:
    done = stored(tmp_path, point(0, None, 0.5), point(64, 0.1, None))
    for trained in (
        tabulate([done], [SKIPPED], 42),
        tabulate([done], [], 42),
        tabulate([], [SKIPPED], 42),
        tabulate([], [], 42),
    ):
        for contract, frame in (
            (POLICIES, trained.policies),
            (TRAINING_CURVES, trained.training_curves),
        ):
            pd.testing.assert_frame_equal(contract.conform(frame), frame)
            assert frame.dtypes.equals(contract.empty().dtypes)
