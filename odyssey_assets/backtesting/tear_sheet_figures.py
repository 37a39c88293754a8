"""What a strategy holds and where resampled paths of it lead, as charts of a report.

Lines of the strategy beside its benchmarks belong to `tear_sheet_lines`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.plotly_parts import (
    AXIS,
    Trace,
    hex_color,
    layout,
    numbers,
    said,
    transparent,
)
from odyssey_assets.backtesting.quantile_bands import MEDIAN, quantile_bands
from odyssey_assets.backtesting.tear_sheet_html import Chart
from odyssey_assets.core.figure_text import day, percent, ratio
from odyssey_assets.core.holdings import CASH_NAME, drawn_shares, held_shares, shown_positions
from odyssey_assets.core.palette import BLUE, CASH, INK, ORANGE, distinct_colors

_BAND_SHADES = (0.14, 0.22, 0.32, 0.42)


def weights_chart(weights: pd.DataFrame) -> Chart:
    """Return what one strategy held over time, cash included.

    Args:
        weights: Rows of `portfolio.weights` of the strategy.
    """
    held = held_shares(weights)
    shown, wording = drawn_shares(held)
    tickers = sorted(name for name in held.columns if name != CASH_NAME)
    colors = {
        name: hex_color(color)
        for name, color in zip(tickers, distinct_colors(len(tickers)), strict=True)
    } | {CASH_NAME: CASH}
    dates = [f"{date:%Y-%m-%d}" for date in shown.index]
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines" if len(shown) > 1 else "markers",
            "name": name,
            "x": dates,
            "y": numbers(shown[name], 4),
            "stackgroup": "held",
            "line": {"width": 0},
            "fillcolor": colors[name],
            "hovertemplate": "%{y:.1%}",
        }
        for name in shown.columns
    ]
    newest = {name: percent(held[name].iloc[-1]) for name in held.columns} if len(held) else {}
    picture = layout("", shown.index, tickformat=".0%")
    picture["yaxis"] |= {"range": [0, 1]}
    return Chart(
        "weights",
        "Weights over time",
        f"Share of equity held in each ticker and in cash; at the end {said(newest)}.",
        traces if len(held) else [],
        picture,
        {f"{name} {newest[name]}": colors[name] for name in newest},
        f"{wording[:1].upper()}{wording[1:]}; beside each name its newest share.",
        height=360,
    )


def fan_chart(fan: pd.DataFrame) -> Chart:
    """Return how far resampled paths of one strategy spread.

    Args:
        fan: Quantiles of wealth along the paths: columns session, quantile, wealth.
    """
    wide = fan.pivot_table(index="session", columns="quantile", values="wealth")
    sessions = [int(session) for session in wide.index]
    traces: list[Trace] = []
    legend = {}
    for shade, (low, high) in zip(_BAND_SHADES, quantile_bands(list(wide.columns)), strict=False):
        name = f"{100 * low:g}% to {100 * high:g}%"
        color = transparent(BLUE, shade)
        legend[name] = color
        edge: Trace = {"type": "scatter", "mode": "lines", "x": sessions, "line": {"width": 0}}
        below = {**edge, "y": numbers(wide[low], 4), "name": f"{100 * low:g}%"}
        above = {**edge, "y": numbers(wide[high], 4), "name": f"{100 * high:g}%"}
        traces += [below, {**above, "fill": "tonexty", "fillcolor": color}]
    if MEDIAN in wide.columns:
        legend["median"] = BLUE
        middle = {"type": "scatter", "mode": "lines", "x": sessions, "name": "median"}
        traces.append({**middle, "y": numbers(wide[MEDIAN], 4), "line": {"color": BLUE}})
    for trace in traces:
        trace["hovertemplate"] = "%{y:.2f}"
    ends = {f"{100 * quantile:g}%": ratio(wide[quantile].iloc[-1]) for quantile in wide.columns}
    return Chart(
        "fan",
        "Where resampled paths lead, value of 1 USD",
        f"Quantiles of wealth along resampled paths; at the end {said(ends)}.",
        traces,
        layout("", []) | {"xaxis": {**AXIS, "title": {"text": "sessions"}}},
        legend,
    )


def portfolio_chart(weights: pd.DataFrame) -> Chart:
    """Return what one strategy wants by its last decision, beside what it holds.

    Args:
        weights: Rows of `portfolio.weights` of the strategy.
    """
    newest = weights[weights["date"] == weights["date"].max()]
    rows = shown_positions(newest)
    names = [CASH_NAME, *(str(ticker) for ticker in rows["ticker"])]
    targets = np.append(1.0 - rows["target_weight"].sum(), rows["target_weight"])
    held = np.append(1.0 - rows["held_weight"].sum(), rows["held_weight"])
    spread = np.append(np.nan, rows["target_weight_seed_std"].astype(float))
    wanted = dict(zip(reversed(names), map(percent, reversed(targets)), strict=True))
    reach = np.fmax(np.fmax(targets, held), targets + np.nan_to_num(spread))
    decided = weights.loc[weights["is_decision"], "date"].max()
    seeds = int(rows["seed_count"].max()) if len(rows) else 0
    legend = {"target": BLUE, "held": INK}
    traces = [_target_bars(names, targets, spread), _held_marks(names, held)]
    return Chart(
        "portfolio",
        "Newest portfolio",
        f"Target weights by the last decision: {said(wanted)}.",
        traces if len(newest) else [],
        layout("", [])
        | {
            "hovermode": "y unified",
            "xaxis": {**AXIS, "tickformat": ".0%", "range": [0, 1.03 * float(reach.max())]},
            "yaxis": {
                **AXIS,
                "type": "category",
                "showgrid": False,
                "automargin": True,
                "tickvals": names,
                "ticktext": [f"{name}  {wanted[name]}" for name in names],
            },
        },
        legend | ({f"standard deviation over {seeds} seeds": ORANGE} if seeds > 1 else {}),
        f"Target decided at the close of {day(decided)}; held at the close of "
        f"{day(weights['date'].max())}." + _left_out(len(newest) - len(rows)),
        height=120 + 22 * len(names),
    )


def _left_out(tickers: int) -> str:
    if not tickers:
        return ""
    return f" Neither wanted nor held: {tickers} other ticker{'s' if tickers > 1 else ''}."


def _target_bars(names: Sequence[str], targets: np.ndarray, spread: np.ndarray) -> Trace:
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "name": "target",
        "y": names,
        "x": numbers(pd.Series(targets), 5),
        "marker": {"color": [CASH, *[BLUE] * (len(names) - 1)]},
        "hovertemplate": "%{x:.1%}",
    }
    if np.isfinite(spread).any():
        bars["error_x"] = {
            "type": "data",
            "array": numbers(pd.Series(spread), 5),
            "color": ORANGE,
            "thickness": 2,
        }
    return bars


def _held_marks(names: Sequence[str], held: np.ndarray) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "held",
        "y": names,
        "x": numbers(pd.Series(held), 5),
        "marker": {"symbol": "line-ns-open", "size": 12, "color": INK, "line": {"width": 2}},
        "hovertemplate": "%{x:.1%}",
    }
