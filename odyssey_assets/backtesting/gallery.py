"""The pictures of the performance table, and who gets pictures of its own.

Every picture has a text for readers who cannot see it.
"""

from collections.abc import Iterable, Mapping

import pandas as pd
from matplotlib.figure import Figure

from odyssey_assets.backtesting.comparison import BENCHMARKS
from odyssey_assets.backtesting.equity_charts import (
    cost_chart,
    drawdown_chart,
    equity_chart,
    rolling_sharpe_chart,
)
from odyssey_assets.backtesting.risk_charts import monthly_returns_chart
from odyssey_assets.portfolio.catalog import POLICIES


def drawn_alone(strategies: Iterable[str]) -> list[str]:
    """Return, sorted, who gets pictures of its own: what was learned, and its benchmarks.

    The tear sheet of every strategy shows the same; a picture takes a tenth of a second each night.
    """
    chosen = {*BENCHMARKS, *(entry.name for entry in POLICIES if entry.is_learned)}
    return sorted(chosen & set(strategies))


def equity_gallery(
    daily: pd.DataFrame, seed_paths: pd.DataFrame, performance: pd.DataFrame
) -> Mapping[str, tuple[Figure, str]]:
    """Return name, figure and alternative text of each picture.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        seed_paths: Rows of `portfolio.seed_paths` from the beginning.
        performance: Rows of `backtesting.performance`.
    """
    by_month = {
        f"months_{strategy}": (
            monthly_returns_chart(daily, strategy),
            f"Monthly returns of {strategy} after costs",
        )
        for strategy in drawn_alone(daily["strategy"].unique())
    }
    return {
        "equity": (equity_chart(daily, seed_paths, performance), "Equity of every strategy"),
        "drawdown": (drawdown_chart(daily, performance), "Drawdown of every strategy"),
        "rolling_sharpe": (
            rolling_sharpe_chart(daily, performance),
            "Sharpe ratio of every strategy over the last 252 sessions",
        ),
        "costs": (cost_chart(daily, performance), "Turnover and cumulative cost by strategy"),
        **by_month,
    }
