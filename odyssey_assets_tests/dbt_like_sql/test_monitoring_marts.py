"""Drift, quality, retrainings and reasons as marts show them, against rows made by hand."""

from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import LINEAGE, PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.tables import DRIFT, DRIFT_SUMMARY, FORECAST_QUALITY
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.dbt_like_sql.monitored import event
from odyssey_assets_tests.dbt_like_sql.small_database import (
    NEWEST,
    WINDOW,
    SmallDatabase,
    reign,
    session,
)
from odyssey_assets_tests.dbt_like_sql.stored import Tables, change_market, read_mart

CHECKPOINT = pd.Timestamp("2024-07-29")


@pytest.fixture
def database() -> SmallDatabase:
    database = SmallDatabase()
    database.add_market("AAA")
    return database


def test_drift_shows_the_newest_sample_of_every_window(warehouse: Warehouse) -> None:
    rows = read_mart(warehouse, "mart_drift").set_index(["ticker", "window"])
    assert len(rows) == 5
    drifted = rows.loc[("AAA", "2024-07-01")]
    assert drifted["as_of"] == pd.Timestamp("2024-08-16")
    assert drifted["is_drifted"]
    assert drifted["method"] == "ks"
    assert drifted["top_features"] == (
        "rsi_14 (p 0.0030), macd (p 0.3000), prediction (p 0.4000)"
    ), "sma_5 is no input"
    assert drifted["mean_psi"] == pytest.approx((0.05 + 0.06 + 0.3) / 3)
    assert drifted["largest_psi"] == 0.3
    assert drifted["largest_psi_feature"] == "rsi_14"
    assert drifted["finding"] == "1 of 3 inputs drifted (minor): rsi_14 (p 0.0030)"
    assert rows.loc[("BBB", "2024-07-01"), "finding"] == "none of 3 inputs drifted"
    unmeasured = rows.loc[("LATE", "2024-07-01")]
    assert unmeasured["finding"] == "no trained fold"
    assert pd.isna(unmeasured["method"])
    assert pd.isna(unmeasured["mean_psi"])
    assert list(rows["is_newest_window"]) == [False, True, False, True, True]


def test_drift_names_the_method_that_gave_the_verdict(database: SmallDatabase) -> None:
    cell = {"ticker": "AAA", "window": WINDOW, "as_of": NEWEST}
    summary = {"status": "measured", "inputs": 2, "drifted_inputs": 1, "is_drifted": True}
    summary |= {"strongest_feature": "macd", "smallest_p_value": 0.002, "severity": "major"}
    database.add(DRIFT_SUMMARY, {**cell, **summary})
    for method, macd, rsi in (("psi", 0.5, 0.1), ("ks", 0.002, 0.3), ("wasserstein", 0.04, 0.01)):
        own = {**cell, "method": method, "is_input": True, "score": 1.0}
        database.add(
            DRIFT,
            {**own, "feature": "macd", "p_value": macd, "is_drifted": macd < 0.01},
            {**own, "feature": "rsi_14", "p_value": rsi, "is_drifted": False},
        )
    [row] = database.read("select * from marts.mart_drift").to_dict("records")
    assert row["method"] == "ks"
    assert row["top_features"] == "macd (p 0.0020), rsi_14 (p 0.3000)"
    assert row["finding"] == "1 of 2 inputs drifted (major): macd (p 0.0020)"


def test_forecast_quality_is_the_newest_row_and_says_what_decayed(
    warehouse: Warehouse, tables: Tables
) -> None:
    rows = read_mart(warehouse, "mart_forecast_quality").set_index("ticker")
    assert list(rows.index) == ["AAA", "BBB"]
    assert (rows["date"] == tables[FORECAST_QUALITY]["date"].max()).all()
    assert (rows["sessions_behind"] == 0).all()
    assert list(rows["is_decayed"]) == [False, True]
    assert list(rows["finding"]) == ["as promised", "information coefficient 0.05, floor 0.16"]
    assert rows["rmse_skill_60"].to_numpy() == pytest.approx(1 - 0.03 / 0.04)


def test_forecast_quality_names_every_figure_that_decayed(database: SmallDatabase) -> None:
    flags = {"is_correlation_decayed": True, "is_coverage_decayed": True, "is_sharpe_decayed": True}
    figures = {
        "known_60": 60, "information_coefficient_60": -0.1, "information_coefficient_floor": 0.05,
        "interval_coverage_60": 0.7, "coverage_floor": 0.8, "coverage_ceiling": 1.0,
        "sharpe_60": -2.5, "sharpe_floor": -1.0,
    }  # fmt: skip
    unknown = {**dict.fromkeys(flags, False), "known_60": 0}
    database.add(
        FORECAST_QUALITY,
        {"ticker": "AAA", "date": NEWEST, "window": WINDOW, **flags, **figures},
        {"ticker": "BBB", "date": session(2), "window": WINDOW, **unknown},
    )
    rows = database.read("select * from marts.mart_forecast_quality")
    assert list(rows["finding"]) == [
        "information coefficient -0.10, floor 0.05; interval holds 70 %, bounds 80 % to 100 %; "
        "Sharpe ratio -2.50, floor -1.00",
        "no outcome is known yet",
    ]


def test_retraining_shows_its_cause_its_course_and_its_decision(warehouse: Warehouse) -> None:
    rows = read_mart(warehouse, "mart_retrainings").set_index("event_id")
    done = rows.loc["e1"]
    assert done["state"] == "finished"
    assert done["outcome"] == "promoted"
    assert done["check"] == "monitoring.drift_summary.inputs_have_not_drifted"
    assert done["value"] == 0.003
    assert done["threshold"] == 0.02
    moments = [done[name] for name in ("requested_at", "started_at", "finished_at")]
    assert moments == [CHECKPOINT + pd.Timedelta(hours=22, minutes=at) for at in range(3)]
    assert done["decision"] == "promoted"
    assert done["serves_after"] == CHECKPOINT
    assert done["model_sha256"] == "challenger AAA 2024-07-29"
    assert done["predecessor_sha256"] == "xgboost AAA 2024-07-01"
    assert (done["sharpe_before"], done["sharpe_after"]) == (0.5, 1.0)
    assert (done["rmse_before"], done["rmse_after"]) == (0.04, 0.03)
    assert rows.loc["e3", "decision"] == "rejected"
    assert pd.isna(rows.loc["e3", "serves_after"])
    assert rows.loc["e3", "decision_reason"] == "it was worse"
    assert not rows["is_unsettled"].any()


def test_findings_answered_by_one_retraining_share_its_decision(warehouse: Warehouse) -> None:
    rows = read_mart(warehouse, "mart_retrainings").set_index("event_id")
    assert rows.loc["e2", "cause"] == "decay"
    assert rows.loc["e2", "decision_id"] == rows.loc["e1", "decision_id"]
    assert pd.isna(rows.loc["e4", "decision_id"]), "it was put off"
    assert rows.loc["e4", "outcome"] == "over_budget"
    assert pd.isna(rows.loc["e4", "requested_at"])
    assert rows.loc["e5", "model_sha256"] == "challenger ppo 2024-07-29", "a batch holds both kinds"


def test_retraining_under_way_shows_the_furthest_state_and_the_newest_decision(
    database: SmallDatabase,
) -> None:
    about = {"ticker": "AAA", "window": WINDOW, "as_of": session(5)}
    database.add(RETRAINING_EVENTS, *event("e1", ["reingesting"], **about, cause="data_quality"))
    database.add(RETRAINING_EVENTS, *event("e2", ["requested", "started"], **about, batch="b"))
    judged = {"decision": "pending", "serves_after": None, "is_champion": False, "event_id": "e2"}
    database.add(
        PROMOTIONS,
        reign(session(6), "new", **judged),
        reign(session(8), "new", event_id="e2"),
        reign(session(7), "new", **judged),
    )
    rows = database.read("select * from marts.mart_retrainings").set_index("event_id")
    assert list(rows["state"]) == ["reingesting", "started"]
    assert rows["is_unsettled"].all()
    assert rows.loc["e2", "decision"] == "promoted"
    assert rows.loc["e2", "decided_on"] == pd.Timestamp(session(8))
    assert pd.isna(rows.loc["e1", "decision"])


def test_reason_of_a_weight_is_the_lineage_of_its_decision(
    warehouse: Warehouse, tables: Tables
) -> None:
    found = warehouse.query(
        "select * from marts.mart_why_this_weight order by policy, ticker, date"
    )
    weights = tables[WEIGHTS].sort_values(["policy", "ticker", "date"], ignore_index=True)
    for name in ("policy", "ticker", "date", "is_decision", "target_weight", "held_weight"):
        pd.testing.assert_series_equal(found[name], weights[name], check_dtype=False)
    orders = (weights["target_weight"] - weights["held_weight"]).where(weights["is_decision"], 0.0)
    pd.testing.assert_series_equal(found["order_weight"], orders, check_names=False)
    decided = weights["date"].where(weights["is_decision"])
    decided_on = decided.groupby([weights["policy"], weights["ticker"]]).ffill()
    assert found["decided_on"].equals(decided_on.astype(found["decided_on"].dtype))
    lineage = tables[LINEAGE].set_index(["policy", "ticker", "date"])
    expected = lineage.reindex(
        pd.MultiIndex.from_arrays([found["policy"], found["ticker"], decided_on])
    )
    for name in ("features_sha256", "bar_row_sha256", "forecast_sha256", "prediction"):
        pd.testing.assert_series_equal(
            found[name], expected[name].reset_index(drop=True), check_dtype=False
        )
    assert found["lineage_versions"].eq(1).where(decided_on.notna(), True).all()


def test_reason_of_a_weight_names_versions_and_whether_they_earned_their_place(
    warehouse: Warehouse,
) -> None:
    found = warehouse.query(
        "select * from marts.mart_why_this_weight where policy = 'ppo' and date = '2024-08-16'"
    ).set_index("ticker")
    assert found.loc["AAA", "forecast_version"] == 3
    assert found.loc["AAA", "trained_as_of"] == CHECKPOINT
    assert found.loc["AAA", "is_forecast_champion"]
    assert found.loc["BBB", "forecast_version"] == 2
    assert found.loc["BBB", "is_forecast_unproven"]
    assert (found["policy_version"] == 3).all()
    assert not found["is_policy_champion"].any()
    assert found["is_policy_unproven"].all()
    assert pd.isna(found.loc["LATE", "forecast_version"])


def test_reason_of_a_restated_weight_is_what_agrees_with_the_present(
    warehouse: Warehouse, tables: Tables, tmp_path: Path
) -> None:
    lineage = tables[LINEAGE]
    own = lineage[(lineage["policy"] == "ppo") & (lineage["ticker"] == "AAA")].tail(1)
    later = own.assign(recorded_at=own["recorded_at"] + pd.Timedelta(days=1))
    other_weight = later.assign(lineage_sha256="other weight", target_weight=0.123)
    restated = own.assign(
        lineage_sha256="restated", bar_row_sha256="new", recorded_at=later["recorded_at"]
    )
    ask = (
        "select lineage_sha256, lineage_versions from marts.mart_why_this_weight where policy = "
        f"'ppo' and ticker = 'AAA' and date = '{own['date'].iloc[0]:%Y-%m-%d}'"
    )
    first = change_market(warehouse, tmp_path / "1", {LINEAGE: other_weight}, ()).query(ask)
    assert first.to_numpy().tolist() == [[own["lineage_sha256"].iloc[0], 2]]
    both = pd.concat([other_weight, restated])
    second = change_market(warehouse, tmp_path / "2", {LINEAGE: both}, ()).query(ask)
    assert second.to_numpy().tolist() == [["restated", 3]], "the newest of those that agree"


def test_signals_and_portfolios_say_who_earned_its_place(warehouse: Warehouse) -> None:
    signals = read_mart(warehouse, "mart_daily_signals").set_index("ticker")
    assert list(signals["is_champion"]) == [True, False]
    assert list(signals["is_unproven"]) == [False, True]
    assert list(signals["model_version"]) == [3, 2]
    portfolio = read_mart(warehouse, "mart_current_portfolio").set_index(["policy", "ticker"])
    ppo = portfolio.loc["ppo"]
    assert list(ppo.loc[["AAA", "BBB"], "is_forecast_champion"]) == [True, False]
    assert list(ppo.loc[["AAA", "BBB"], "is_forecast_unproven"]) == [False, True]
    assert ppo["is_policy_unproven"].all()
    assert portfolio.loc["equal_weight", "is_policy_champion"].isna().all()


def test_signals_before_any_decision_are_no_champions(database: SmallDatabase) -> None:
    own = database.add_own_model("AAA")
    forecast = {
        "ticker": "AAA", "date": NEWEST, "window": WINDOW, "model": "xgboost", "horizon": 5,
        "prediction": 0.01, "lower": -0.01, "upper": 0.03, "model_sha256": own,
    }  # fmt: skip
    database.add(PREDICTIONS, forecast)
    [row] = database.read("select * from marts.mart_daily_signals").to_dict("records")
    assert not row["is_champion"]
    assert not row["is_unproven"]
    assert pd.isna(row["model_version"])


def test_marts_of_empty_ledgers_are_empty(database: SmallDatabase) -> None:
    for name in (
        "mart_champions", "mart_retrainings", "mart_drift", "mart_forecast_quality",
        "mart_why_this_weight",
    ):  # fmt: skip
        assert database.read(f"select * from marts.{name}").empty, name
