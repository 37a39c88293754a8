"""How a backtest was simulated, in words with the settings' numbers, for whoever reads a report."""

from collections.abc import Mapping

from odyssey_assets.settings import Settings


def simulation_rules(settings: Settings) -> Mapping[str, str]:
    """Return name and wording of each rule, in the order in which money meets them."""
    costs, portfolio = settings.costs, settings.portfolio
    impact = (
        f"square-root law, coefficient {costs.impact_coefficient:g}"
        if costs.impact_coefficient
        else "none assumed"
    )
    return {
        "Timing": "Decided at a close, filled at the next open, marked at the next close.",
        "Prices": "As traded, dividends reinvested on their ex-date; no fill without a bar.",
        "Capital": f"{portfolio.capital_usd:,.0f} USD in cash before the first decision.",
        "Commission": f"{costs.commission_bps:g} bps of traded value.",
        "Slippage": f"{costs.slippage_bps:g} bps of traded value.",
        "Market impact": f"{impact}.".capitalize(),
        "Fill cap": (
            f"{costs.max_participation:.0%} of the 20-session average dollar volume a session; "
            "the rest waits."
        ),
        "Limits": (
            f"Long only, at most {portfolio.max_weight:.0%} in a ticker (buy and hold: all in the "
            f"proxy), {portfolio.max_invested:.0%} invested, at least {portfolio.min_cash:.0%} "
            "cash."
        ),
        "Cash": f"Earns the macro series {portfolio.cash_rate_series} if there is one, else 0.",
        "Forecasts": (
            f"Out of sample only, by {portfolio.forecast_model}, "
            f"{settings.forecasting.horizon_sessions} sessions ahead."
        ),
    }
