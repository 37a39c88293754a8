"""What a person reads at the end of `odyssey run`: rows, seconds, quality, what went wrong.

Running the jobs belongs to `headless`, drawing tables and lines to `infrastructure.console`.
"""

from collections.abc import Mapping

import pandas as pd
from rich.console import Console

from odyssey_assets.infrastructure.console import print_frame, print_lines, print_mapping
from odyssey_assets.infrastructure.driver import JobOutcome
from odyssey_assets.infrastructure.home import Home, home_of
from odyssey_assets.infrastructure.published import query_published
from odyssey_assets.infrastructure.refresh import PUBLISHED_KEY
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import QUARANTINE
from odyssey_assets.settings import Settings

PUBLISHED = PUBLISHED_KEY.to_user_string()
MAX_REASONS = 20
MAX_WARNING_LENGTH = 400
QUALITY_BY_TICKER = """
select
    ticker,
    scored_rows as forecasts,
    rmse,
    historical_mean_rmse as mean_rmse,
    direction_accuracy as direction,
    information_coefficient as ic,
    sharpe_fold_mean as sharpe,
    interval_coverage as coverage,
    beats_historical_mean as beats_mean
from marts.mart_model_leaderboard
where model = 'xgboost'
order by ticker
"""
STRATEGIES = """
select
    rank,
    strategy,
    total_return as gain,
    sharpe,
    sharpe_standard_error as error,
    case when seed_count > 0 then printf('%.2f to %.2f', sharpe_seed_low, sharpe_seed_high) end
        as seeds,
    max_drawdown as drawdown,
    turnover,
    annual_cost as cost,
    beats_equal_weight as beats_equal
from marts.mart_strategy_comparison
order by rank
"""
COMPARED_DAYS = """
select min(start_date) as first, max(end_date) as last, max(sessions) as sessions
from backtesting.performance
where period = 'common'
"""
STRATEGY_LEGEND = (
    "gain: total return. error: standard error of the Sharpe ratio. seeds: Sharpe ratio from the "
    "worst to the\nbest trained seed. turnover: traded value / equity a year. cost: share of "
    "equity a year. beats_equal:\nSharpe ratio above equal weight's."
)
QUALITY_LEGEND = (
    "rmse, mean_rmse: error of the forecast and of the historical mean, fraction of price. "
    "ic: rank correlation\nwith the outcome. sharpe: sign strategy after costs. beats_mean: "
    "whether the forecast was worth anything."
)


def summarise(
    console: Console,
    settings: Settings,
    outcomes: Mapping[str, JobOutcome],
    seconds: Mapping[str, float],
) -> None:
    """Print what a run stored and how well it forecasts, then every warning and failure."""
    home = home_of(settings)
    is_success = all(outcome.is_success for outcome in outcomes.values())
    if home.warehouse.exists():
        _print_stored(console, Warehouse(home, settings.warehouse))
    print_mapping(console, "Time by stage", {**seconds, "all": sum(seconds.values())}, "seconds")
    if is_success:
        quality = query_published(home.published, QUALITY_BY_TICKER)
        suffix = " (simulated data)" if settings.source == "simulated" else ""
        print_frame(console, f"Forecast quality, out of sample{suffix}", quality)
        print_lines(console, "dim", [QUALITY_LEGEND])
        _print_strategies(console, home, suffix)
    for outcome in outcomes.values():
        for check, found in outcome.warnings:
            print_lines(console, "yellow", warning_lines(check, found))
        print_lines(console, "red", [f"failed    {message}" for message in outcome.errors])
    is_published = any(PUBLISHED in outcome.assets for outcome in outcomes.values())
    _print_places(console, settings, is_success=is_success, is_published=is_published)


def warning_lines(check: str, found: Mapping[str, object]) -> list[str]:
    """Return a failed check in one line, then one for each name that it gives a reason for."""
    text = ", ".join(
        f"{name} {value}"
        for name, value in found.items()
        if isinstance(value, str | int | float) or (isinstance(value, list) and value)
    )
    reasons = [value for value in found.values() if isinstance(value, Mapping)]
    return [
        f"warning   {check}: {text[:MAX_WARNING_LENGTH]}",
        *(f"          {name}: {why}" for reason in reasons for name, why in reason.items()),
    ]


def _print_stored(console: Console, warehouse: Warehouse) -> None:
    counts = warehouse.query(
        "select schema_name || '.' || table_name as name, estimated_size as rows "
        "from duckdb_tables() where database_name = current_database() and schema_name <> 'meta' "
        "order by all"
    )
    rows = dict(zip(counts["name"], counts["rows"].astype(int), strict=True))
    print_mapping(console, "Rows stored", rows, "rows")
    reasons = quarantined(warehouse)
    if len(reasons):
        print_frame(console, "Rows quarantined", reasons.head(MAX_REASONS))


def quarantined(warehouse: Warehouse) -> pd.DataFrame:
    """Return ticker, reason, rows, first and last day of what lies in quarantine."""
    stored = warehouse.read(QUARANTINE, columns=("ticker", "reason", "date"))
    grouped = stored.groupby(["ticker", "reason"])["date"]
    return grouped.agg(rows="size", first="min", last="max").reset_index()


def _print_strategies(console: Console, home: Home, suffix: str) -> None:
    strategies = query_published(home.published, STRATEGIES)
    if strategies.empty:
        print_lines(console, "yellow", ["No strategy has a return yet."])
        return
    days = query_published(home.published, COMPARED_DAYS).iloc[0]
    title = (
        f"Strategies after costs, {days['first']:%Y-%m-%d} to {days['last']:%Y-%m-%d}, "
        f"{days['sessions']} sessions{suffix}"
    )
    print_frame(console, title, strategies)
    print_lines(console, "dim", [STRATEGY_LEGEND])
    print_lines(console, "bold", [standing_line(strategies)])


def standing_line(strategies: pd.DataFrame) -> str:
    """Return the best strategy after costs and where the learned ones stand, in one line.

    Args:
        strategies: Rows with `rank`, `strategy`, `sharpe` and `seeds` (null for a rule), at least
            one, best first.
    """
    best = strategies.iloc[0]
    if pd.isna(best["sharpe"]):
        return "No strategy has a Sharpe ratio yet."
    learned = strategies[strategies["seeds"].notna() & strategies["sharpe"].notna()]
    parts = [f"Best after costs: {best['strategy']}, Sharpe ratio {best['sharpe']:.2f}."]
    parts += [
        f"{one['strategy']}: rank {one['rank']} of {len(strategies)}, Sharpe ratio "
        f"{one['sharpe']:.2f} (seeds {one['seeds']})."
        for _, one in learned.iterrows()
    ]
    return " ".join(parts)


def _print_places(
    console: Console, settings: Settings, *, is_success: bool, is_published: bool
) -> None:
    home = home_of(settings)
    lines = [f"UI        odyssey ui --home {home.root}   (http://127.0.0.1:3000)"]
    if home.published.exists():
        kept = (
            "what failed is in it as it was before" if is_published else "as it was before this run"
        )
        note = "" if is_success else f"   ({kept})"
        query = f'odyssey query "select * from marts.mart_daily_signals" --home {home.root}'
        lines = [f"Database  {home.published}{note}", f"Query     {query}", *lines]
    if home.tear_sheets.exists():
        lines.append(f"Reports   {home.tear_sheets}")
    print_lines(console, "bold", lines)
