"""The tables of `backtesting`: daily equity, fills, and what they amount to."""

from odyssey_assets.contracts import Column, TableContract

PERIOD_KINDS = ("whole", "common", "year", "window")
STRESS_KINDS = ("replay", "shock")
STRESS_STATUSES = ("computed", "no_data")
RESAMPLED = ("terminal_wealth", "sharpe", "max_drawdown")

_STRATEGY = Column("strategy", "VARCHAR", "Name of the policy in the catalog.")
_WINDOW = Column("window", "DATE", "First day of the half-year window of the row.")
_SESSIONS = Column("sessions", "BIGINT", "Returns behind the row's figures.", minimum=0)
_SEED_COUNT = Column("seed_count", "BIGINT", "Trainings behind the seed columns; 0: a rule.")
_SIMULATED = Column("is_simulated", "BOOLEAN", "Whether any price behind the row is simulated.")


def _usd(name: str, description: str, minimum: float | None = None) -> Column:
    return Column(name, "DOUBLE", f"{description}, USD.", minimum=minimum)


def _figure(
    name: str, description: str, minimum: float | None = None, maximum: float | None = None
) -> Column:
    return Column(
        name,
        "DOUBLE",
        f"{description}; null where it does not exist.",
        is_nullable=True,
        minimum=minimum,
        maximum=maximum,
    )


DAILY = TableContract(
    schema="backtesting",
    name="daily",
    description=(
        "One session of a strategy: orders decided at the close before fill at this open, equity "
        "is marked at this close. Equity change = price gain + interest - costs."
    ),
    grain=("strategy", "date"),
    columns=(
        _STRATEGY,
        Column("date", "DATE", "Session in New York."),
        _WINDOW,
        _usd("equity", "Value at the close", minimum=0),
        Column("return", "DOUBLE", "Equity / equity at the close before - 1.", minimum=-1),
        Column("gross_exposure", "DOUBLE", "Invested share of equity at the close.", minimum=0),
        Column("cash_weight", "DOUBLE", "Cash share of equity at the close.", maximum=1),
        Column("turnover", "DOUBLE", "Traded value / equity at the close before.", minimum=0),
        _usd("price_gain", "Gain of the positions by prices, dividends reinvested"),
        _usd("interest", "Interest on cash"),
        _usd("commission", "Commission paid", minimum=0),
        _usd("slippage", "Slippage paid", minimum=0),
        _usd("impact", "Market impact paid", minimum=0),
        _usd("unfilled_value", "Part of the orders that waits for the next open", minimum=0),
        Column(
            "limit_excess",
            "DOUBLE",
            "Largest excess of a weight, or of all, over its limit after the fill, by price drift "
            "since the decision; 0 inside the limits.",
            minimum=0,
        ),
        Column("drawdown", "DOUBLE", "Equity / highest equity so far - 1.", minimum=-1, maximum=0),
        _SIMULATED,
    ),
    ticker_column=None,
)

TRADES = TableContract(
    schema="backtesting",
    name="trades",
    description="Every fill: decided at the close of an earlier session, filled at an open.",
    grain=("strategy", "date", "ticker"),
    columns=(
        _STRATEGY,
        Column("date", "DATE", "Session at whose open the order filled."),
        Column("ticker", "VARCHAR", "Ticker symbol as the settings name it."),
        _WINDOW,
        Column("decided_on", "DATE", "Session at whose close the order was decided."),
        Column("weight_before", "DOUBLE", "Share of equity held at the close before.", minimum=0),
        Column("weight_after", "DOUBLE", "Share of equity held at this close.", minimum=0),
        Column("price", "DOUBLE", "Opening price as traded, USD a share.", minimum=0),
        Column("shares", "DOUBLE", "Shares as traded; negative when sold."),
        _usd("traded_value", "Shares x price; negative when sold"),
        _usd("commission", "Commission paid", minimum=0),
        _usd("slippage", "Slippage paid", minimum=0),
        _usd("impact", "Market impact paid", minimum=0),
        _usd("costs", "All costs of the fill", minimum=0),
        Column(
            "participation",
            "DOUBLE",
            "Traded value / 20-session average dollar volume; null without volume.",
            is_nullable=True,
            minimum=0,
        ),
        _usd("unfilled_value", "Rest of the order that waits, size", minimum=0),
    ),
    ticker_column=None,
)

PERFORMANCE = TableContract(
    schema="backtesting",
    name="performance",
    description=(
        "What a strategy earned after costs over a period, with the sample size beside it. The "
        "period `common` begins when the last strategy has begun: rank strategies on it."
    ),
    grain=("strategy", "period"),
    columns=(
        _STRATEGY,
        Column("period", "VARCHAR", "whole, common, a year, or a window's first day."),
        Column("period_kind", "VARCHAR", "Kind of the period.", allowed=PERIOD_KINDS),
        Column("start_date", "DATE", "First session of the period."),
        Column("end_date", "DATE", "Last session of the period."),
        _SESSIONS,
        _figure("total_return", "Compounded return, fraction", minimum=-1),
        _figure("cagr", "Compound annual growth rate, fraction", minimum=-1),
        _figure("volatility", "Annualised standard deviation of daily returns", minimum=0),
        _figure("sharpe", "Annualised Sharpe ratio"),
        _figure("sharpe_standard_error", "Standard error of the annualised Sharpe ratio", 0),
        _figure("probabilistic_sharpe", "Probability that the true Sharpe ratio exceeds 0", 0, 1),
        _figure("sortino", "Annualised Sortino ratio against 0"),
        _figure("calmar", "CAGR / largest drawdown"),
        _figure("max_drawdown", "Deepest fall from a peak, fraction", -1, 0),
        _figure("max_drawdown_sessions", "Sessions of the longest time under water", 0),
        _figure("win_rate", "Share of winning sessions among those that moved", 0, 1),
        _figure("profit_factor", "Sum of gains / sum of losses", minimum=0),
        _figure("turnover", "Traded value / equity, a year", minimum=0),
        _figure("annual_cost", "Costs / equity, a year, fraction", minimum=0),
        _figure("cost_share", "Costs / gain before costs; null without a gain", minimum=0),
        _figure("beta", "Slope of returns on the proxy's"),
        _figure("correlation", "Correlation of returns with the proxy's", -1, 1),
        _figure("value_at_risk_95", "5 % quantile of daily returns, fraction; a loss is negative"),
        _figure(
            "expected_shortfall_95",
            "Mean daily return at or below it, fraction; a loss is negative",
        ),
        _SEED_COUNT,
        _figure("sharpe_seed_low", "Lowest Sharpe ratio of the seeds"),
        _figure("sharpe_seed_high", "Highest Sharpe ratio of the seeds"),
        _figure("total_return_seed_low", "Lowest compounded return of the seeds", minimum=-1),
        _figure("total_return_seed_high", "Highest compounded return of the seeds", minimum=-1),
        _figure("max_drawdown_seed_low", "Deepest drawdown of the seeds", -1, 0),
        _figure("max_drawdown_seed_high", "Shallowest drawdown of the seeds", -1, 0),
        _SIMULATED,
    ),
    date_column=None,
    ticker_column=None,
)

COMPARISONS = TableContract(
    schema="backtesting",
    name="comparisons",
    description=(
        "Every strategy against the yardsticks on the period `common`, after costs, and how sure "
        "the difference of their Sharpe ratios is."
    ),
    grain=("strategy", "baseline"),
    columns=(
        _STRATEGY,
        Column("baseline", "VARCHAR", "The yardstick: equal_weight or buy_and_hold."),
        _SESSIONS,
        _figure("sharpe", "Annualised Sharpe ratio"),
        _figure("baseline_sharpe", "Annualised Sharpe ratio of the yardstick"),
        _figure("difference", "Sharpe ratio above the yardstick's"),
        _figure("difference_error", "Standard error of the difference", minimum=0),
        _figure("total_return_difference", "Compounded return above the yardstick's, fraction"),
        Column("is_better", "BOOLEAN", "Whether the ratio is higher, by however little."),
        Column("is_clear", "BOOLEAN", "Two errors apart or more, on at least 252 sessions."),
        _SEED_COUNT,
        _figure("sharpe_seed_low", "Lowest Sharpe ratio of the seeds"),
        _figure("sharpe_seed_high", "Highest Sharpe ratio of the seeds"),
    ),
    date_column=None,
    ticker_column=None,
)

MONTE_CARLO = TableContract(
    schema="backtesting",
    name="monte_carlo",
    description=(
        "Quantiles over paths resampled from a strategy's daily returns by the stationary block "
        "bootstrap: how much of the result was luck of the order of days."
    ),
    grain=("strategy", "quantity", "quantile"),
    columns=(
        _STRATEGY,
        Column("quantity", "VARCHAR", "What was computed on each path.", allowed=RESAMPLED),
        Column("quantile", "DOUBLE", "Quantile over the paths.", minimum=0, maximum=1),
        _figure("value", "Value of the quantile: multiple of capital, ratio, or fraction"),
        Column("probability_of_loss", "DOUBLE", "Share of paths that lose.", minimum=0, maximum=1),
        Column("paths", "BIGINT", "Resampled paths.", minimum=1),
        Column("path_sessions", "BIGINT", "Sessions of each path.", minimum=1),
        Column("block_sessions", "DOUBLE", "Mean length of a block, sessions.", minimum=1),
        _SESSIONS,
        _SIMULATED,
    ),
    date_column=None,
    ticker_column=None,
)

STRESS = TableContract(
    schema="backtesting",
    name="stress",
    description=(
        "Each strategy in known crises, replayed where data exist, and its newest portfolio under "
        "shocks."
    ),
    grain=("strategy", "scenario"),
    columns=(
        _STRATEGY,
        Column("scenario", "VARCHAR", "Name of the crisis or the shock."),
        Column("kind", "VARCHAR", "replay or shock.", allowed=STRESS_KINDS),
        Column("status", "VARCHAR", "Whether there were data.", allowed=STRESS_STATUSES),
        Column(
            "method",
            "VARCHAR",
            "own_path: as the strategy then held; newest_weights: its newest portfolio held "
            "through the prices of then; shock: its newest portfolio under the shock.",
            is_nullable=True,
        ),
        Column(
            "reason", "VARCHAR", "Why there are no figures; null if computed.", is_nullable=True
        ),
        Column("start_date", "DATE", "First session; null for a shock.", is_nullable=True),
        Column("end_date", "DATE", "Last session; null for a shock.", is_nullable=True),
        _SESSIONS,
        _figure(
            "portfolio_return",
            "Return over the scenario, fraction; with costs tripled of the newest year, with "
            "volatility doubled or correlations to one the 5 % quantile over 20 sessions",
            minimum=-1,
        ),
        _figure("unshocked_return", "The same without the shock, fraction", minimum=-1),
        _figure("max_drawdown", "Deepest fall inside the scenario, fraction", -1, 0),
        _figure("proxy_return", "Return of the proxy over the scenario, fraction", minimum=-1),
        _figure("volatility", "Annualised volatility in the scenario", minimum=0),
        _figure("unshocked_volatility", "The same without the shock", minimum=0),
        _figure("annual_cost", "Costs / equity a year in the scenario", minimum=0),
        _figure(
            "covered_weight",
            "Part of the newest portfolio's invested weight that has prices for the scenario; the "
            "rest is taken to move as this part",
            0,
            1,
        ),
        _SIMULATED,
    ),
    date_column=None,
    ticker_column=None,
)

REGIMES = TableContract(
    schema="backtesting",
    name="regimes",
    description=(
        "A strategy's returns by the proxy's regime at the close before: the regime was known "
        "when the return began."
    ),
    grain=("strategy", "regime"),
    columns=(
        _STRATEGY,
        Column("regime", "BIGINT", "`features.regime` of the proxy; -1: not known yet."),
        _SESSIONS,
        Column("share", "DOUBLE", "Share of the strategy's sessions.", minimum=0, maximum=1),
        _figure("mean_annual_return", "Mean daily return x 252, fraction"),
        _figure("volatility", "Annualised volatility", minimum=0),
        _figure("sharpe", "Annualised Sharpe ratio"),
        _figure("sharpe_standard_error", "Standard error of the annualised Sharpe ratio", 0),
        _figure("max_drawdown", "Deepest fall of the regime's sessions strung together", -1, 0),
        _figure("win_rate", "Share of winning sessions among those that moved", 0, 1),
        _figure("turnover", "Traded value / equity, a year", minimum=0),
        _SIMULATED,
    ),
    date_column=None,
    ticker_column=None,
)

TEAR_SHEETS = TableContract(
    schema="backtesting",
    name="tear_sheets",
    description="One self-contained HTML report a strategy, under the home's reports folder.",
    grain=("strategy",),
    columns=(
        _STRATEGY,
        Column("path", "VARCHAR", "File below the home, with / between parts."),
        Column("title", "VARCHAR", "Title of the report."),
        Column("content_sha256", "VARCHAR", "SHA-256 of the file."),
        Column("size_bytes", "BIGINT", "Size of the file.", minimum=1),
    ),
    date_column=None,
    ticker_column=None,
)

WINDOW_TABLES = (DAILY, TRADES)
SUMMARY_TABLES = (PERFORMANCE, COMPARISONS, MONTE_CARLO, STRESS, REGIMES, TEAR_SHEETS)
TABLES = (*WINDOW_TABLES, *SUMMARY_TABLES)
