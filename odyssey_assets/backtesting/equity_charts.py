"""Pictures of strategies over time, all in one: growth, drawdown, Sharpe ratio, turnover and costs.

The learned strategies, the best one and the two benchmarks stand out; the others are pale but
named. Lines come from `backtesting.curves`; losses, months, scenarios and regimes belong to
`backtesting.risk_charts`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odyssey_assets.backtesting.comparison import BENCHMARKS
from odyssey_assets.backtesting.curves import (
    ROLLING_SESSIONS,
    common_start,
    cumulative_cost,
    days_by_strategy,
    growth_of_one,
    rolling_sharpe,
    seed_band,
)
from odyssey_assets.backtesting.verdict import ranked, standing
from odyssey_assets.core.chart_frame import (
    Space,
    chart_frame,
    date_axis,
    log_axis,
    panel_frame,
    percent_axis,
    say_no_data,
)
from odyssey_assets.core.figure_text import day, display_name, percent, ratio
from odyssey_assets.core.line_labels import label_ends
from odyssey_assets.core.palette import BLUE, INK, MUTED, ORANGE, PALE

_LABEL_MARGIN = 2.2
_DASHES = (0, (4.0, 1.5))
_NO_DATA = "no strategy has a return yet"


@dataclass(frozen=True)
class _Look:
    """How the line of one strategy is drawn."""

    color: str
    label_color: str
    width: float
    style: str | tuple[int, tuple[float, float]]
    order: int


def equity_chart(
    daily: pd.DataFrame, seed_paths: pd.DataFrame, performance: pd.DataFrame
) -> Figure:
    """Draw what one dollar became in every strategy since all of them run, seeds as a band.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        seed_paths: Rows of `portfolio.seed_paths`.
        performance: Rows of `backtesting.performance`; name the best strategy and the ranks.
    """
    days = days_by_strategy(daily)
    learned = sorted(set(seed_paths["policy"]) & set(days))
    start = common_start(days) if days else None
    figure, axes = chart_frame(
        f"Value of 1 USD after costs since {day(start)}",
        standing(performance, learned),
        is_simulated=_is_simulated(daily),
        space=Space(right=_LABEL_MARGIN),
    )
    if start is None:
        say_no_data(axes, _NO_DATA)
        return figure
    growth = {name: growth_of_one(rows, start) for name, rows in days.items()}
    growth = {name: line for name, line in growth.items() if len(line)}
    looks = _looks(days, performance, learned)
    for name in learned:
        band = seed_band(seed_paths, name, start)
        if band is not None:
            axes.fill_between(
                band[0].index, band[0], band[1], color=looks[name].color, alpha=0.25, linewidth=0
            )
    _draw_lines(axes, growth, looks)
    axes.axhline(1, color=INK, linewidth=0.6)
    values = pd.concat(growth.values())
    values = values[values > 0]
    if len(values):
        log_axis(axes, values.min(), values.max())
    axes.set_ylabel("USD, log scale")
    _finish(axes, growth, looks, lambda name, value: f"{display_name(name)} {ratio(value)}")
    return figure


def drawdown_chart(daily: pd.DataFrame, performance: pd.DataFrame) -> Figure:
    """Draw how far every strategy lay below its highest value so far, a strip a strategy.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        performance: Rows of `backtesting.performance`; give the order and name the best strategy.
    """
    days = days_by_strategy(daily)
    order = _ordered(days, performance)
    figure, axes = chart_frame(
        "Drawdown: loss since the highest value so far",
        "after costs; all strips have one scale; beside each its deepest fall and when that was",
        is_simulated=_is_simulated(daily),
        space=Space(height=1.4 + 0.5 * max(len(days), 2), left=1.9, right=1.75),
    )
    if not days:
        say_no_data(axes, _NO_DATA)
        return figure
    looks = _looks(days, performance, _learned(performance))
    depth = max(*(-float(rows["drawdown"].min()) for rows in days.values()), 0.01) * 1.15
    for at, name in enumerate(order):
        fall, look = days[name]["drawdown"], looks[name]
        dates = fall.index.to_numpy()
        axes.fill_between(dates, -at, fall / depth - at, color=look.color, alpha=0.75, linewidth=0)
        axes.hlines(-at, dates[0], dates[-1], color=look.label_color, linewidth=0.8)
        axes.annotate(
            f"{percent(fall.min())}  {day(fall.idxmin())}",
            (1.0, -at - 0.5),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=look.label_color,
        )
    axes.set_ylim(-len(order), 0.05)
    axes.set_yticks([-at - 0.5 for at in range(len(order))], map(display_name, order))
    axes.grid(visible=False, axis="y")
    date_axis(axes)
    return figure


def rolling_sharpe_chart(daily: pd.DataFrame, performance: pd.DataFrame) -> Figure:
    """Draw the Sharpe ratio of the last 252 sessions of every strategy.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        performance: Rows of `backtesting.performance`; name the best strategy.
    """
    days = days_by_strategy(daily)
    lines = {name: rolling_sharpe(rows).dropna() for name, rows in days.items()}
    lines = {name: line for name, line in lines.items() if len(line)}
    figure, axes = chart_frame(
        f"Sharpe ratio of the last {ROLLING_SESSIONS} sessions",
        "after costs, annualised, no risk-free rate; its standard error over one year is about 1",
        is_simulated=_is_simulated(daily),
        space=Space(right=_LABEL_MARGIN),
    )
    if not lines:
        say_no_data(axes, f"no strategy has {ROLLING_SESSIONS} returns that vary yet")
        return figure
    looks = _looks(lines, performance, _learned(performance))
    _draw_lines(axes, lines, looks)
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.set_ylabel("Sharpe ratio")
    _finish(axes, lines, looks, lambda name, value: f"{display_name(name)} {ratio(value)}")
    return figure


def cost_chart(daily: pd.DataFrame, performance: pd.DataFrame) -> Figure:
    """Draw how much every strategy trades in a year, and what its trades have cost so far.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        performance: Rows of `backtesting.performance`; give turnover and name the best strategy.
    """
    days = days_by_strategy(daily)
    start = common_start(days) if days else None
    figure, (left, right) = panel_frame(
        f"Turnover and what it cost since {day(start)}",
        "left: purchases and sales a year, multiple of equity; right: commission, slippage and "
        "impact so far, share of equity then",
        is_simulated=_is_simulated(daily),
        columns=(2, 3),
        gap=0.85,
        space=Space(left=1.9, right=_LABEL_MARGIN),
    )
    if start is None:
        say_no_data(left, _NO_DATA)
        say_no_data(right, "")
        return figure
    looks = _looks(days, performance, _learned(performance))
    _draw_turnover(left, ranked(performance)["turnover"].dropna().sort_values(), looks)
    costs = {
        name: cumulative_cost(rows.loc[start:])
        for name, rows in days.items()
        if rows.index[-1] >= start
    }
    _draw_lines(right, costs, looks)
    right.set_ylim(0, max(*(float(line.max()) for line in costs.values()), 1e-3) * 1.05)
    percent_axis(right, decimals=1 if right.get_ylim()[1] < 0.05 else 0)
    _finish(right, costs, looks, lambda name, value: f"{display_name(name)} {percent(value)}")
    return figure


def _draw_turnover(axes: Axes, turnover: pd.Series, looks: Mapping[str, _Look]) -> None:
    names = [name for name in turnover.index if name in looks]
    bars = axes.barh(
        [display_name(name) for name in names],
        turnover.loc[names],
        color=[looks[name].color for name in names],
        height=0.65,
    )
    axes.bar_label(bars, fmt=lambda value: ratio(value, 1), padding=4, fontsize=9, color=INK)
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.15)


def _looks(
    days: Mapping[str, pd.DataFrame | pd.Series], performance: pd.DataFrame, learned: list[str]
) -> dict[str, _Look]:
    best = next(iter(ranked(performance).index), None)
    looks = {}
    for name in days:
        if name in learned:
            looks[name] = _Look(BLUE, BLUE, 1.6, "-", 5)
        elif name == best:
            looks[name] = _Look(ORANGE, ORANGE, 1.5, "-", 4)
        elif name in BENCHMARKS:
            looks[name] = _Look(INK, INK, 1.0, "-" if name == BENCHMARKS[0] else _DASHES, 3)
        else:
            looks[name] = _Look(PALE, MUTED, 0.8, "-", 2)
    return looks


def _ordered(days: Mapping[str, pd.DataFrame], performance: pd.DataFrame) -> list[str]:
    """Return the strategies, highest Sharpe ratio first, then those without one."""
    order = [str(name) for name in ranked(performance).index if name in days]
    return [*order, *(name for name in days if name not in order)]


def _learned(performance: pd.DataFrame) -> list[str]:
    return sorted(set(performance.loc[performance["seed_count"] > 0, "strategy"]))


def _draw_lines(axes: Axes, lines: Mapping[str, pd.Series], looks: Mapping[str, _Look]) -> None:
    for name, line in lines.items():
        look = looks[name]
        axes.plot(
            line.index.to_numpy(),
            line.to_numpy(),
            color=look.color,
            linewidth=look.width,
            linestyle=look.style,
            zorder=look.order,
            marker="." if len(line) == 1 else "",
        )


def _finish(
    axes: Axes,
    lines: Mapping[str, pd.Series],
    looks: Mapping[str, _Look],
    wording: Callable[[str, float], str],
) -> None:
    date_axis(axes)
    ends = {name: float(line.iloc[-1]) for name, line in lines.items()}
    label_ends(axes, ends, {name: looks[name].label_color for name in ends}, wording)


def _is_simulated(daily: pd.DataFrame) -> bool:
    return bool(daily["is_simulated"].any())
