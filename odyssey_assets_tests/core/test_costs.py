import pytest

from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.settings_sections import CostSettings


def test_cost_rate_is_commission_and_slippage_as_a_fraction() -> None:
    assert ProportionalCosts(10.0, 5.0).rate == pytest.approx(0.0015, rel=1e-15)
    assert ProportionalCosts(0.0, 0.0).rate == 0.0


def test_cost_settings_give_their_costs() -> None:
    costs = CostSettings(commission_bps=2.0, slippage_bps=1.0).proportional
    assert costs == ProportionalCosts(commission_bps=2.0, slippage_bps=1.0)
