"""Pictures of risk: months, resampled paths, crises and shocks, and regimes.

Time lines of strategies belong to `backtesting.equity_charts`, the drawing of shaded tables to
`backtesting.cell_grid`.
"""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odyssey_assets.backtesting.cell_grid import CellGrid, draw_cells
from odyssey_assets.backtesting.curves import days_by_strategy, monthly_returns
from odyssey_assets.backtesting.quantile_bands import MEDIAN, quantile_bands
from odyssey_assets.backtesting.scenarios import REGIME_NAMES, ordered_scenarios
from odyssey_assets.core.chart_frame import Space, chart_frame, panel_frame, say_no_data
from odyssey_assets.core.figure_text import (
    UNKNOWN,
    count,
    day,
    display_name,
    percent,
    ratio,
)
from odyssey_assets.core.line_labels import label_ends
from odyssey_assets.core.palette import BLUE, INK, MUTED

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BAND_SHADES = (0.16, 0.24, 0.34, 0.44)


def monthly_returns_chart(daily: pd.DataFrame, strategy: str) -> Figure:
    """Draw what a strategy earned in each month and year.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        strategy: Whose months.
    """
    days = days_by_strategy(daily[daily["strategy"] == strategy]).get(strategy)
    grid = pd.DataFrame() if days is None else monthly_returns(days)
    figure, axes = chart_frame(
        f"Monthly returns of {display_name(strategy)}",
        "after costs; the first and the last month and year may be incomplete"
        if days is None
        else f"after costs, {day(days.index[0])} to {day(days.index[-1])}, {count(len(days))} "
        "sessions; the first and the last month and year may be incomplete",
        is_simulated=_is_simulated(daily[daily["strategy"] == strategy]),
        space=Space(height=1.0 + 0.27 * max(len(grid), 4), left=0.6, bottom=0.1, top=0.86),
    )
    if days is None:
        say_no_data(axes, "no return yet")
        return figure
    values = grid.to_numpy()
    months = np.abs(values[:, :12][np.isfinite(values[:, :12])])
    limit = float(np.quantile(months, 0.97)) or 0.01
    # A year moves about as much as the root of twelve months.
    shades = values / np.r_[np.ones(12), np.sqrt(12.0)]
    texts = [[percent(cell) if np.isfinite(cell) else "" for cell in row] for row in values]
    years = [str(year) for year in grid.index]
    cells = CellGrid(
        shades.clip(-limit, limit), texts, years, (*_MONTHS, "year"), column_gaps=(12,)
    )
    draw_cells(axes, cells, limit)
    return figure


def monte_carlo_chart(monte_carlo: pd.DataFrame, fan: pd.DataFrame, strategy: str) -> Figure:
    """Draw how far resampled paths of a strategy spread, and where those of all others end.

    Args:
        monte_carlo: Rows of `backtesting.monte_carlo`.
        fan: Quantiles of wealth along the paths: columns strategy, session, quantile, wealth.
        strategy: Whose fan.
    """
    ends = monte_carlo[monte_carlo["quantity"] == "terminal_wealth"]
    own = ends[ends["strategy"] == strategy]
    figure, (left, right) = panel_frame(
        f"Resampled paths: {display_name(strategy)} over time, and where all strategies end",
        _resampling_note(own),
        is_simulated=_is_simulated(monte_carlo),
        columns=(5, 3),
        gap=2.6,
        space=Space(left=0.6, right=0.45),
    )
    if own.empty:
        say_no_data(left, "no paths were resampled")
        say_no_data(right, "")
        return figure
    _draw_fan(left, fan[fan["strategy"] == strategy])
    _draw_ends(right, ends, strategy)
    return figure


def stress_chart(stress: pd.DataFrame, proxy: str) -> Figure:
    """Draw what every strategy returned in crises and under shocks.

    Args:
        stress: Rows of `backtesting.stress`.
        proxy: Ticker that stands for the market.
    """
    scenarios = ordered_scenarios(stress)
    names = sorted(stress["strategy"].unique())
    figure, axes = chart_frame(
        "Returns in crises and under shocks",
        "upright: as the strategy then held, italic: its newest portfolio; doubled volatility and "
        "correlations of one: a bad month; costs tripled: the newest year",
        is_simulated=_is_simulated(stress),
        space=Space(height=1.5 + 0.34 * max(len(scenarios), 3), left=1.6, bottom=0.1, top=1.12),
    )
    if stress.empty:
        say_no_data(axes, "no scenario was computed")
        return figure
    draw_cells(axes, _stress_cells(stress, scenarios, names, proxy))
    return figure


def regime_chart(regimes: pd.DataFrame) -> Figure:
    """Draw the Sharpe ratio of every strategy by the regime known at the close before.

    Args:
        regimes: Rows of `backtesting.regimes`.
    """
    names = sorted(regimes["strategy"].unique())
    states = [state for state in REGIME_NAMES if state in set(regimes["regime"])]
    figure, axes = chart_frame(
        "Sharpe ratio by regime of the market",
        "after costs, with its standard error and the mean return a year; by the regime known at "
        "the close before",
        is_simulated=_is_simulated(regimes),
        space=Space(height=1.3 + 0.42 * max(len(names), 3), left=1.9, bottom=0.1, top=1.0),
    )
    if regimes.empty:
        say_no_data(axes, "no session has a regime yet")
        return figure
    rows = regimes.set_index(["strategy", "regime"]).reindex(
        pd.MultiIndex.from_product([names, states])
    )
    values = rows["sharpe"].to_numpy(dtype=float).reshape(len(names), len(states))
    texts = np.array([_regime_text(row) for _, row in rows.iterrows()], dtype=object)
    shares = regimes.groupby("regime")["share"].mean()
    cells = CellGrid(
        values,
        texts.reshape(values.shape).tolist(),
        [display_name(name) for name in names],
        [f"{REGIME_NAMES[state]}\n{percent(shares[state], 0)} of sessions" for state in states],
    )
    draw_cells(axes, cells)
    return figure


def _stress_cells(
    stress: pd.DataFrame, scenarios: Sequence[str], names: Sequence[str], proxy: str
) -> CellGrid:
    """Return scenarios by the market and the strategies, a gap before shocks."""
    by_cell = stress.set_index(["scenario", "strategy"])
    returns, methods, statuses = (
        by_cell[name].unstack().reindex(scenarios, columns=names).to_numpy()  # noqa: PD010 (unique)
        for name in ("portfolio_return", "method", "status")
    )
    by_scenario = stress.groupby("scenario").agg({"proxy_return": "first", "kind": "first"})
    of_market = by_scenario.reindex(scenarios)
    is_shock = of_market["kind"].to_numpy() == "shock"
    values = np.column_stack([of_market["proxy_return"], returns]).astype(np.float64)
    # A shock that is none of the market has no figure of the market, which is not missing.
    is_missing = np.column_stack([~is_shock, statuses == "no_data"]) & ~np.isfinite(values)
    texts = np.where(is_missing, "no data", "").astype(object)
    for cell in zip(*np.nonzero(np.isfinite(values)), strict=True):
        texts[cell] = percent(values[cell])
    is_own = np.column_stack([np.ones(len(values), bool), methods == "own_path"])
    return CellGrid(
        values,
        texts.tolist(),
        scenarios,
        [proxy, *(_wrapped(display_name(name)) for name in names)],
        is_slanted=~is_own & np.isfinite(values),
        row_gaps=(int(np.argmax(is_shock)),) if 0 < is_shock.sum() < len(is_shock) else (),
        column_gaps=(1,),
    )


def _draw_fan(axes: Axes, fan: pd.DataFrame) -> None:
    wide = fan.pivot_table(index="session", columns="quantile", values="wealth")
    bands = quantile_bands(list(wide.columns))
    for shade, (low, high) in zip(_BAND_SHADES, bands, strict=False):
        axes.fill_between(wide.index, wide[low], wide[high], color=BLUE, alpha=shade, linewidth=0)
    if MEDIAN in wide.columns:
        axes.plot(wide.index, wide[MEDIAN], color=BLUE, linewidth=1.6)
    axes.axhline(1, color=INK, linewidth=0.6)
    axes.margins(x=0)
    axes.set_xlabel("sessions")
    axes.set_ylabel("value of 1 USD")
    if len(wide):
        last = {_quantile_name(q): float(wide[q].iloc[-1]) for q in wide.columns}
        label_ends(axes, last, dict.fromkeys(last, BLUE))


def _draw_ends(axes: Axes, ends: pd.DataFrame, strategy: str) -> None:
    wide = ends.pivot_table(index="strategy", columns="quantile", values="value")
    wide = wide.sort_values(wide.columns[len(wide.columns) // 2])
    bands = quantile_bands(list(wide.columns))
    height = np.arange(len(wide))
    colors = [BLUE if name == strategy else MUTED for name in wide.index]
    for shade, (low, high) in zip(_BAND_SHADES, bands, strict=False):
        width = wide[high] - wide[low]
        axes.barh(height, width, left=wide[low], color=colors, alpha=shade, height=0.6)
    if MEDIAN in wide.columns:
        axes.scatter(wide[MEDIAN], height, color=colors, s=26, marker="|", linewidths=2)
    axes.axvline(1, color=INK, linewidth=0.6)
    axes.set_yticks(height, [display_name(name) for name in wide.index])
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("value of 1 USD at the end of a path")


def _resampling_note(own: pd.DataFrame) -> str:
    if own.empty:
        return "stationary block bootstrap of daily returns after costs"
    row = own.iloc[0]
    return (
        f"{count(row['paths'])} paths of {count(row['path_sessions'])} sessions, in blocks of "
        f"{ratio(row['block_sessions'], 0)} on average, from {count(row['sessions'])} sessions "
        f"after costs; {percent(row['probability_of_loss'], 0)} of the paths lose money"
    )


def _quantile_name(quantile: float) -> str:
    return "median" if quantile == MEDIAN else f"{100 * quantile:g}%"


def _regime_text(row: pd.Series) -> str:
    if not np.isfinite(row["sharpe"]):
        return UNKNOWN
    error, earned = ratio(row["sharpe_standard_error"]), percent(row["mean_annual_return"])
    return f"{ratio(row['sharpe'])} ± {error}  {earned} a year"


def _wrapped(name: str) -> str:
    return "\n".join(textwrap.wrap(name, 9, break_long_words=False))


def _is_simulated(rows: pd.DataFrame) -> bool:
    return bool(rows["is_simulated"].any())
