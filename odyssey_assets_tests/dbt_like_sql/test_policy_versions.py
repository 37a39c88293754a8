"""Versions of the learned policy as marts show them, against the code of the domain and by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.returns import sharpe, total_return
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.tables import POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets_tests.dbt_like_sql.small_database import (
    NEWEST,
    SESSIONS,
    WINDOW,
    SmallDatabase,
    reign,
    session,
)
from odyssey_assets_tests.dbt_like_sql.stored import Tables, read_mart

KEY = ["policy", "role", "model_sha256", "serves_after"]
DAY = pd.Timestamp("2024-07-29")


@pytest.fixture
def database() -> SmallDatabase:
    database = SmallDatabase()
    database.add_market("AAA")
    return database


def _trials(database: SmallDatabase) -> pd.DataFrame:
    return database.read("select * from marts.mart_policy_trials")


def _add_trial(
    database: SmallDatabase,
    role: str,
    sha: str,
    returns: Sequence[float | None] = (0.01, -0.02, 0.03, 0.0, 0.01),
    **values: object,
) -> None:
    """Insert the returns of a version from the 11th session on; None: that session has none."""
    about = {"policy": "ppo", "window": WINDOW, "serves_after": session(10), **values}
    database.add(
        POLICY_TRIALS,
        *(
            {**about, "role": role, "model_sha256": sha, "date": session(11 + at), "return": one}
            for at, one in enumerate(returns)
            if one is not None
        ),
    )


def _add_training(database: SmallDatabase, role: str, sha: str, **values: object) -> None:
    training = {
        "policy": "ppo", "window": WINDOW, "role": role, "model_sha256": sha,
        "trained_as_of": session(10), "requested_as_of": session(10), "validation_sharpe": 0.5,
        "mlflow_run_id": f"run of {sha}", **values,
    }  # fmt: skip
    database.add(POLICY_CHALLENGERS, training)


def _add_own(database: SmallDatabase, sha: str) -> None:
    trained = {
        "policy": "ppo", "window": WINDOW, "seed": 42, "is_main_seed": True, "status": "trained",
        "valid_end": "2024-06-28", "validation_sharpe": 1.25, "model_name": "policies/ppo",
        "model_sha256": sha, "mlflow_run_id": "run of the window's own",
    }  # fmt: skip
    database.add(POLICIES, trained)


def test_trials_have_the_figures_of_their_returns_and_of_what_was_served(
    warehouse: Warehouse, tables: Tables
) -> None:
    found = read_mart(warehouse, "mart_policy_trials").set_index(KEY)
    trials = tables[POLICY_TRIALS]
    served = tables[DAILY].query("strategy == 'ppo'").set_index("date")["return"]
    groups = trials.groupby(KEY)
    assert len(found) == groups.ngroups == 5
    for key, rows in groups:
        own, beside = rows["return"].to_numpy(), served.loc[rows["date"]].to_numpy()
        row = found.loc[key]
        assert (row["sessions"], row["sessions_left_out"]) == (len(rows), 0)
        assert row["first_session"] == rows["date"].min()
        assert row["last_session"] == rows["date"].max()
        assert row["sharpe"] == pytest.approx(float(sharpe(own)), rel=1e-9)
        assert row["serving_sharpe"] == pytest.approx(float(sharpe(beside)), rel=1e-9)
        assert row["total_return"] == pytest.approx(float(total_return(own)), rel=1e-9)
        assert row["serving_total_return"] == pytest.approx(float(total_return(beside)), rel=1e-9)
        for name in ("sharpe", "total_return"):
            assert row[f"{name}_over_serving"] == row[name] - row[f"serving_{name}"]
    assert (found.xs("serving", level="role")["sharpe_over_serving"] == 0).all()
    other = found.xs("stand_in", level="role").iloc[0]
    assert other["sharpe_over_serving"] != 0
    assert found["is_stand_in"].sum() == 1


def test_trials_name_their_training_and_the_newest_word_about_their_model(
    warehouse: Warehouse,
) -> None:
    found = read_mart(warehouse, "mart_policy_trials").set_index(["role", "model_sha256"])
    new = "challenger ppo 2024-07-29"
    for role in ("challenger", "serving"):
        row = found.loc[(role, new)]
        assert (row["trained_as_of"], row["requested_as_of"]) == (DAY, DAY)
        assert (row["validation_sharpe"], row["mlflow_run_id"]) == (0.9, f"run of {new}")
        assert (row["decision"], row["model_version"], row["is_champion"]) == ("promoted", 3, False)
    [stand_in] = found.xs("stand_in", level="role").to_dict("records")
    assert stand_in["requested_as_of"] == DAY
    assert stand_in["trained_as_of"] == stand_in["serves_after"] < DAY
    assert pd.isna(stand_in["decision"])
    for role in ("serving", "predecessor"):
        own = found.loc[(role, "ppo 2024-07-01 42")]
        assert own["validation_sharpe"] == 0.5
        assert own["trained_as_of"] == pd.Timestamp("2024-06-28")
        assert pd.isna(own["requested_as_of"])


def test_trial_counts_only_the_sessions_that_were_served_too(database: SmallDatabase) -> None:
    _add_trial(database, "stand_in", "new", returns=(0.5, 0.01, -0.02, 0.5, 0.03))
    _add_trial(database, "serving", "own", returns=(None, 0.02, 0.01, None, 0.0))
    row = _trials(database).set_index("role").loc["stand_in"]
    assert (row["sessions"], row["sessions_left_out"]) == (3, 2)
    assert row["first_session"] == pd.Timestamp(session(12))
    assert row["last_session"] == pd.Timestamp(session(15))
    assert row["sharpe"] == pytest.approx(float(sharpe(np.array([0.01, -0.02, 0.03]))), rel=1e-12)
    served = np.array([0.02, 0.01, 0.0])
    assert row["serving_sharpe"] == pytest.approx(float(sharpe(served)), rel=1e-12)
    assert row["serving_total_return"] == pytest.approx(float(total_return(served)), rel=1e-12)


def test_trial_beside_nobody_has_no_figures(database: SmallDatabase) -> None:
    _add_trial(database, "challenger", "new")
    [row] = _trials(database).to_dict("records")
    assert (row["sessions"], row["sessions_left_out"]) == (0, 5)
    for name in ("first_session", "sharpe", "serving_sharpe", "total_return"):
        assert pd.isna(row[name]), name


def test_trial_is_held_against_whoever_decided_on_its_sessions(database: SmallDatabase) -> None:
    _add_trial(database, "stand_in", "new")
    _add_trial(database, "serving", "own", returns=(0.01, 0.02, None, None, None))
    _add_trial(
        database, "serving", "promoted", returns=(None, None, 0.03, 0.04, 0.05),
        serves_after=session(12),
    )  # fmt: skip
    row = _trials(database).set_index("role").loc["stand_in"]
    expected = np.array([0.01, 0.02, 0.03, 0.04, 0.05])
    assert row["serving_sharpe"] == pytest.approx(float(sharpe(expected)), rel=1e-12)


def test_trial_whose_returns_do_not_vary_has_no_sharpe_ratio(database: SmallDatabase) -> None:
    _add_trial(database, "challenger", "new", returns=(0.0, 0.0, 0.0))
    _add_trial(database, "serving", "own", returns=(0.0, 0.01, 0.0))
    row = _trials(database).set_index("role").loc["challenger"]
    assert math.isnan(row["sharpe"])
    assert math.isnan(row["sharpe_over_serving"])
    assert row["total_return_over_serving"] == pytest.approx(-0.01)


def test_trial_of_a_training_that_kept_what_it_started_from_names_the_right_one(
    database: SmallDatabase,
) -> None:
    _add_own(database, "same")
    _add_training(database, "challenger", "same")
    _add_training(
        database, "challenger", "same", trained_as_of=session(14), requested_as_of=session(14)
    )
    _add_trial(database, "serving", "same", serves_after="2024-06-30")
    _add_trial(database, "challenger", "same")
    rows = _trials(database).set_index("role")
    assert len(rows) == 2
    assert rows.loc["serving", "mlflow_run_id"] == "run of the window's own"
    assert rows.loc["challenger", "mlflow_run_id"] == "run of same"
    assert rows.loc["challenger", "trained_as_of"] == pd.Timestamp(session(10))


def test_trial_without_a_known_training_has_no_run(database: SmallDatabase) -> None:
    _add_trial(database, "predecessor", "of a window before")
    [row] = _trials(database).to_dict("records")
    assert pd.isna(row["mlflow_run_id"])
    assert pd.isna(row["trained_as_of"])
    assert not row["is_champion"]


def test_policy_quality_is_the_newest_row_and_says_what_decayed(
    warehouse: Warehouse, tables: Tables
) -> None:
    [row] = read_mart(warehouse, "mart_policy_quality").to_dict("records")
    assert row["policy"] == "ppo"
    assert row["date"] == tables[POLICY_QUALITY]["date"].max()
    assert row["sessions_behind"] == 0
    assert row["is_decayed"]
    assert row["sharpe_over_equal_weight_60"] == -2.25
    assert row["model_sha256"] == "challenger ppo 2024-07-29"
    assert row["model_version"] == 3
    assert row["is_unproven"]
    assert not row["is_champion"]
    assert row["finding"] == (
        "Sharpe ratio -2.50, floor -1.75, equal weight -0.25, its validation promised 0.90"
    )


@pytest.mark.parametrize(
    ("ratio", "finding"),
    [(0.4, "no worse than chance explains"), (None, "no Sharpe ratio of 60 sessions yet")],
)
def test_policy_quality_of_a_sound_policy_says_so(
    database: SmallDatabase, ratio: float | None, finding: str
) -> None:
    quality = {"policy": "ppo", "window": WINDOW, "is_sharpe_decayed": False, "model_sha256": "m"}
    database.add(POLICY_QUALITY, {**quality, "date": SESSIONS[-3], "sharpe_60": ratio})
    [row] = database.read("select * from marts.mart_policy_quality").to_dict("records")
    assert row["finding"] == finding
    assert row["sessions_behind"] == 2
    assert not row["is_champion"]
    assert not row["is_unproven"], "nobody has judged it yet"
    assert pd.isna(row["model_version"])


def test_policy_quality_of_a_window_without_training_names_the_model_that_still_decides(
    database: SmallDatabase,
) -> None:
    judged = {"kind": "policy", "subject": "ppo", "decision": "succeeded", "serves_after": None}
    database.add(
        PROMOTIONS,
        reign(session(2), "old", **judged, window="2024-01-01", model_version=7),
        reign(session(2), "old", **judged, window="2025-01-01", model_version=9),
    )
    quality = {"policy": "ppo", "date": NEWEST, "window": WINDOW, "is_sharpe_decayed": False}
    database.add(POLICY_QUALITY, {**quality, "model_sha256": "old"})
    [row] = database.read("select * from marts.mart_policy_quality").to_dict("records")
    assert row["is_champion"]
    assert row["model_version"] == 7
