"""Figures about learned policies, on rows made by hand."""

from pathlib import Path

from odyssey_assets.monitoring.metrics.policy_health import POLICY_HEALTH_QUERIES
from odyssey_assets.monitoring.tables import POLICY_QUALITY
from odyssey_assets_tests.monitoring.metrics.figures import figures_of


def test_quality_of_a_policy_is_of_the_newest_session(tmp_path: Path) -> None:
    newest = {
        "policy": "ppo", "date": "2024-08-30", "sharpe_20": -3.5, "sharpe_60": -2.5,
        "equal_weight_sharpe_60": 0.25, "expected_sharpe": 0.75, "sharpe_floor": -1.75,
        "is_sharpe_decayed": True,
    }  # fmt: skip
    older = {"policy": "ppo", "date": "2024-08-29", "sharpe_60": 9.0, "expected_sharpe": 9.0}
    other = {"policy": "sac", "date": "2024-08-28", "sharpe_60": 0.5}
    found = figures_of(tmp_path, {POLICY_QUALITY: [older, newest, other]}, POLICY_HEALTH_QUERIES)
    assert found["odyssey_policy_sharpe"] == {
        "policy=ppo,sessions=20": -3.5,
        "policy=ppo,sessions=60": -2.5,
        "policy=sac,sessions=60": 0.5,
    }
    assert found["odyssey_policy_is_decayed"] == {"policy=ppo": 1.0, "policy=sac": 0.0}
    assert found["odyssey_policy_sharpe_floor"] == {"policy=ppo": -1.75}
    assert found["odyssey_policy_expected_sharpe"] == {"policy=ppo": 0.75}
    assert found["odyssey_policy_equal_weight_sharpe"] == {"policy=ppo": 0.25}


def test_policies_that_nobody_has_watched_have_no_figures(tmp_path: Path) -> None:
    found = figures_of(tmp_path, {POLICY_QUALITY: []}, POLICY_HEALTH_QUERIES)
    assert found["odyssey_policy_is_decayed"] == {}
    assert found["odyssey_policy_sharpe"] == {}
