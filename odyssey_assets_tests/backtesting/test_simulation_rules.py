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


def test_rules_name_the_series_the_forecaster_and_the_horizon() -> None:
    settings = build_settings(
        portfolio={"cash_rate_series": "SOFR", "forecast_model": "ridge"},
        forecasting={"horizon_sessions": 20},
    )
    rules = simulation_rules(settings)
    assert "SOFR" in rules["Cash"]
    assert "ridge" in rules["Forecasts"]
    assert "20 sessions" in rules["Forecasts"]


def test_rules_follow_money_from_the_decision_to_the_cash() -> None:
    rules = simulation_rules(build_settings())
    order = [name for name in rules if name in ("Timing", "Commission", "Limits", "Cash")]
    assert order == ["Timing", "Commission", "Limits", "Cash"]
    assert all(text.endswith(".") for text in rules.values())
    assert len(set(rules.values())) == len(rules)
