from odyssey_assets.backtesting.crises import CRISES
from odyssey_assets.backtesting.scenarios import REGIME_NAMES, SHOCKS, ordered_scenarios
from odyssey_assets.backtesting.tables import STRESS
from odyssey_assets_tests.backtesting.synthetic_results import synthetic_results


def test_scenarios_are_ordered_by_date_then_shocks_by_kind_whatever_their_rows() -> None:
    rows = synthetic_results(("equal_weight", "ppo")).stress
    expected = [*(crisis.name for crisis in CRISES), *SHOCKS]
    assert ordered_scenarios(rows) == expected
    assert ordered_scenarios(rows.iloc[::-1]) == expected


def test_unknown_shock_comes_last_and_no_rows_have_no_order() -> None:
    rows = synthetic_results(("equal_weight",)).stress
    rows.loc[rows["scenario"] == SHOCKS[0], "scenario"] = "another shock"
    assert ordered_scenarios(rows)[-1] == "another shock"
    assert ordered_scenarios(STRESS.empty()) == []


def test_every_regime_has_a_name() -> None:
    assert set(REGIME_NAMES) == {-1, 0, 1, 2}
