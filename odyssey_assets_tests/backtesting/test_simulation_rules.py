from odyssey_assets.backtesting.simulation_rules import simulation_rules
from odyssey_assets.settings import build_settings


def test_rules_name_the_numbers_of_the_settings() -> None:
    settings = build_settings(
        costs={"commission_bps": 7.5, "slippage_bps": 2, "max_participation": 0.03},
        portfolio={"capital_usd": 250_000, "max_weight": 0.11, "max_invested": 0.66},
    )
    said = " ".join(simulation_rules(settings).values())
    for number in ("7.5", "2 bps", "3%", "250,000", "11%", "66%", "20%"):
        assert number in said


def test_rules_say_whether_market_impact_is_assumed() -> None:
    without = simulation_rules(build_settings())
    with_impact = simulation_rules(build_settings(costs={"impact_coefficient": 0.25}))
    assert "0.25" in with_impact["Market impact"]
    assert without["Market impact"] != with_impact["Market impact"]
