"""Figures about the portfolios: where each strategy stands, and what it has earned after costs."""

from odyssey_assets.core.metrics import Metric, MetricQuery

STANDING = MetricQuery(
    ("strategy",),
    (
        Metric("odyssey_portfolio_equity_usd", "Value at the newest close.", "equity"),
        Metric(
            "odyssey_portfolio_session_return_ratio",
            "Return of the newest session.",
            "return",
        ),
        Metric(
            "odyssey_portfolio_drawdown_ratio",
            "Value / highest value so far - 1; 0 or less.",
            "drawdown",
        ),
        Metric("odyssey_portfolio_invested_ratio", "Invested share of value.", "gross_exposure"),
        Metric("odyssey_portfolio_cash_ratio", "Share of value in cash.", "cash_weight"),
        Metric(
            "odyssey_portfolio_turnover_ratio",
            "Value traded in the newest session / value at the close before.",
            "turnover",
        ),
    ),
    """
    select strategy, equity, "return", drawdown, gross_exposure, cash_weight, turnover
    from backtesting.daily
    qualify row_number() over (partition by strategy order by date desc) = 1
    order by strategy
    """,
)
COSTS = MetricQuery(
    ("strategy",),
    (Metric("odyssey_portfolio_costs_usd", "Commission, slippage and impact so far.", "costs"),),
    """
    select strategy, sum(commission + slippage + impact) as costs
    from backtesting.daily
    group by strategy
    order by strategy
    """,
)
PERFORMANCE = MetricQuery(
    ("strategy", "period"),
    (
        Metric("odyssey_portfolio_sharpe", "Annualised Sharpe ratio after costs.", "sharpe"),
        Metric(
            "odyssey_portfolio_sharpe_standard_error",
            "Standard error of the annualised Sharpe ratio.",
            "sharpe_standard_error",
        ),
        Metric(
            "odyssey_portfolio_total_return_ratio", "Compounded return after costs.", "total_return"
        ),
        Metric(
            "odyssey_portfolio_max_drawdown_ratio",
            "Deepest fall from a peak; 0 or less.",
            "max_drawdown",
        ),
        Metric(
            "odyssey_portfolio_volatility_ratio",
            "Annualised standard deviation of daily returns.",
            "volatility",
        ),
    ),
    """
    select
        strategy,
        period,
        sharpe,
        sharpe_standard_error,
        total_return,
        max_drawdown,
        volatility
    from backtesting.performance
    where period_kind in ('whole', 'common')
    order by strategy, period
    """,
)
WEIGHTS = MetricQuery(
    ("strategy", "ticker"),
    (
        Metric(
            "odyssey_portfolio_target_weight_ratio",
            "Share of value wanted from the next open on.",
            "target_weight",
        ),
        Metric(
            "odyssey_portfolio_held_weight_ratio",
            "Share of value held at the newest close.",
            "held_weight",
        ),
    ),
    """
    select policy as strategy, ticker, target_weight, held_weight
    from portfolio.weights
    qualify date = max(date) over (partition by policy)
    order by policy, ticker
    """,
)

PORTFOLIO_QUERIES = (STANDING, COSTS, PERFORMANCE, WEIGHTS)
