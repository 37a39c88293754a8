"""The lines of a report: one strategy beside its benchmarks, session by session.

What it holds and where resampled paths lead belongs to `tear_sheet_figures`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.curves import (
    ROLLING_SESSIONS,
    cumulative_cost,
    growth_of_one,
    rolling_sharpe,
    seed_band,
    yearly_turnover,
)
from odyssey_assets.backtesting.plotly_parts import (
    SESSIONS,
    Trace,
    layout,
    numbers,
    said,
    transparent,
)
from odyssey_assets.backtesting.tear_sheet_html import Chart
from odyssey_assets.core.axis_ticks import log_ticks
from odyssey_assets.core.figure_text import day, display_name, percent, ratio
from odyssey_assets.core.palette import BLUE, MUTED, ORANGE

# The strategy, then its benchmarks.
_COLORS = (BLUE, ORANGE, MUTED)


@dataclass(frozen=True, eq=False)
class Curves:
    """What one strategy's lines need, computed once for all reports.

    Attributes:
        days: Its rows of `backtesting.daily`, indexed by ascending date.
        rolling: Its rolling Sharpe ratio.
        turnover: Traded value / equity of the last year.
        costs: Costs so far / equity.
    """

    days: pd.DataFrame
    rolling: pd.Series
    turnover: pd.Series
    costs: pd.Series


def curves_of(days: pd.DataFrame) -> Curves:
    """Return the lines of one strategy."""
    return Curves(days, rolling_sharpe(days), yearly_turnover(days), cumulative_cost(days))


def session_dates(curves: Curves) -> list[str]:
    """Return the strategy's sessions: the x values of its lines."""
    return np.datetime_as_string(curves.days.index.to_numpy(), unit="D").tolist()


def growth_chart(curves: Mapping[str, Curves], seed_paths: pd.DataFrame) -> Chart:
    """Return what one dollar became since all lines run, on a logarithmic axis.

    Args:
        curves: The strategy first, then what it is compared with.
        seed_paths: Rows of `portfolio.seed_paths`; give the band of a learned strategy.
    """
    strategy, dates = _subject(curves)
    start = max(own.days.index[0] for own in curves.values())
    growth = {name: growth_of_one(own.days, start) for name, own in curves.items()}
    band = seed_band(seed_paths, strategy, start)
    traces = [] if band is None else _band(dates, *band)
    traces += _lines(growth, dates, ".2f")
    values = pd.concat([line.loc[: dates[-1]] for line in growth.values()])
    values = values[values > 0]
    ends = {name: ratio(line.iloc[-1]) for name, line in growth.items() if len(line)}
    picture = layout("USD", dates)
    if len(values):
        ticks = log_ticks(float(values.min()), float(values.max()))
        labels = [f"{tick:,.10g}" for tick in ticks]
        picture["yaxis"] |= {"type": "log", "tickvals": ticks, "ticktext": labels}
    return Chart(
        "growth",
        f"Value of 1 USD held since {day(start)}",
        f"Value of 1 USD since {day(start)}, logarithmic scale; at the end {said(ends)}.",
        traces,
        picture,
        _legend(curves, ends),
        "After costs; equal distances are equal returns."
        + (" The band spans the independently trained seeds." if band is not None else ""),
        height=400,
    )


def drawdown_chart(curves: Mapping[str, Curves]) -> Chart:
    """Return how far each lay below its highest value so far."""
    _, dates = _subject(curves)
    falls = {name: own.days["drawdown"] for name, own in curves.items()}
    deepest = {name: percent(fall.reindex(dates).min()) for name, fall in falls.items()}
    traces = _lines(falls, dates, ".1%")
    traces[-1] |= {"fill": "tozeroy", "fillcolor": transparent(BLUE, 0.15)}
    return Chart(
        "drawdown",
        "Loss since the highest value so far",
        f"Drawdown over time; deepest {said(deepest)}.",
        traces,
        layout("", dates, tickformat=".0%", rangemode="tozero"),
        _legend(curves, deepest),
    )


def rolling_chart(curves: Mapping[str, Curves]) -> Chart:
    """Return the Sharpe ratio of the last 252 sessions."""
    _, dates = _subject(curves)
    lines = {name: own.rolling for name, own in curves.items()}
    ends = {name: ratio(line.iloc[-1]) for name, line in lines.items() if len(line)}
    is_known = any(line.reindex(dates).notna().any() for line in lines.values())
    return Chart(
        "rolling-sharpe",
        f"Sharpe ratio of the last {ROLLING_SESSIONS} sessions",
        f"Rolling Sharpe ratio over time; at the end {said(ends)}.",
        _lines(lines, dates, ".2f") if is_known else [],
        layout("", dates, zeroline=True),
        _legend(curves, ends),
        "Over one year its standard error is about 1.",
    )


def turnover_chart(curves: Mapping[str, Curves]) -> Chart:
    """Return how much was traded in the last 252 sessions."""
    _, dates = _subject(curves)
    lines = {name: own.turnover for name, own in curves.items()}
    ends = {name: ratio(line.iloc[-1], 1) for name, line in lines.items()}
    return Chart(
        "turnover",
        f"Turnover of the last {ROLLING_SESSIONS} sessions, times equity",
        f"Purchases and sales of the last {ROLLING_SESSIONS} sessions / equity; at the end "
        f"{said(ends)}.",
        _lines(lines, dates, ".2f"),
        layout("", dates, rangemode="tozero"),
        _legend(curves, ends),
        "Purchases and sales both count.",
    )


def cost_chart(curves: Mapping[str, Curves]) -> Chart:
    """Return what trading cost since the strategy began."""
    _, dates = _subject(curves)
    lines = {name: _since(own.costs, dates[0]) for name, own in curves.items()}
    ends = {name: percent(line.iloc[-1]) for name, line in lines.items() if len(line)}
    return Chart(
        "costs",
        "Costs so far, share of equity",
        f"Costs added up since {day(dates[0])}; at the end {said(ends)}.",
        _lines(lines, dates, ".2%"),
        layout("", dates, tickformat=".1%", rangemode="tozero"),
        _legend(curves, ends),
        "Commission, slippage and impact, each session's over the equity before it.",
    )


def _subject(curves: Mapping[str, Curves]) -> tuple[str, pd.Index]:
    """Return the strategy of the report and its sessions."""
    strategy = next(iter(curves))
    return strategy, curves[strategy].days.index


def _lines(lines: Mapping[str, pd.Series], dates: pd.Index, wording: str) -> list[Trace]:
    """Return the lines, that of the strategy last: on top of the others."""
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines" if len(dates) > 1 else "markers",
            "name": display_name(name),
            "x": SESSIONS,
            "y": numbers(line.reindex(dates), 5),
            "line": {"color": color, "width": 2 if at == 0 else 1.3},
            "hovertemplate": f"%{{y:{wording}}}",
        }
        for at, ((name, line), color) in enumerate(zip(lines.items(), _COLORS, strict=False))
    ]
    return traces[::-1]


def _band(dates: pd.Index, low: pd.Series, high: pd.Series) -> list[Trace]:
    edge = {
        "type": "scatter", "mode": "lines", "x": SESSIONS, "line": {"width": 0},
        "hoverinfo": "skip",
    }  # fmt: skip
    return [
        {**edge, "name": "lowest seed", "y": numbers(low.reindex(dates), 5)},
        {
            **edge,
            "name": "highest seed",
            "y": numbers(high.reindex(dates), 5),
            "fill": "tonexty",
            "fillcolor": transparent(BLUE, 0.25),
        },
    ]


def _legend(curves: Mapping[str, Curves], ends: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{display_name(name)} {ends[name]}": color
        for name, color in zip(curves, _COLORS, strict=False)
        if name in ends
    }


def _since(costs: pd.Series, start: pd.Timestamp) -> pd.Series:
    """Return costs added up from `start` on."""
    before = costs.loc[costs.index < start]
    return costs.loc[start:] - (before.iloc[-1] if len(before) else 0.0)
