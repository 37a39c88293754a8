"""Pictures of policies: how they learned, what they held, and what they want now.

Figures are built without pyplot. How a figure reaches the Dagster UI belongs to
`infrastructure.pictures`; what the portfolios earned belongs to `backtesting`.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odyssey_assets.core.chart_frame import (
    Space,
    chart_frame,
    date_axis,
    panel_frame,
    percent_axis,
    say_no_data,
)
from odyssey_assets.core.figure_text import count, day, display_name, percent, ratio
from odyssey_assets.core.holdings import (
    CASH_NAME,
    SMALL_SHARE,
    drawn_shares,
    held_shares,
    shown_positions,
)
from odyssey_assets.core.line_labels import label_ends
from odyssey_assets.core.palette import BLUE, CASH, INK, MUTED, ORANGE, PALE, distinct_colors

_LABELLED_WINDOWS = 14


def training_chart(curves: pd.DataFrame, *, is_simulated: bool) -> Figure:
    """Draw reward and validation Sharpe ratio by training step, one window after the other.

    The line is the seed that decides, the lowest of a window; the others of the window are pale.
    Rings mark the checkpoints that validation chose.

    Args:
        curves: Rows of `portfolio.training_curves` of one policy.
        is_simulated: Whether to say that the data is simulated.
    """
    figure, (above, below) = panel_frame(
        "Training progress"
        + (f" of {display_name(curves['policy'].iloc[0])}" if len(curves) else ""),
        _training_note(curves),
        is_simulated=is_simulated,
        rows=(3, 2),
        gap=0.2,
        space=Space(height=5.6, left=0.85),
    )
    if curves.empty:
        say_no_data(above, "no policy was trained")
        say_no_data(below, "")
        return figure
    starts, end = _window_starts(curves)
    for (window, seed), rows in curves.sort_values("steps").groupby(["window", "seed"]):
        is_main = seed == curves.loc[curves["window"] == window, "seed"].min()
        x = starts[window] + rows["steps"].to_numpy()
        color, width, order = (BLUE, 1.5, 3) if is_main else (PALE, 1.1, 2)
        for axes, name in ((above, "validation_sharpe"), (below, "mean_reward")):
            axes.plot(x, rows[name], color=color, lw=width, marker=".", ms=3.5, zorder=order)
        chosen = rows["is_selected"].to_numpy()
        edge = ORANGE if is_main else MUTED
        above.plot(
            x[chosen], rows.loc[chosen, "validation_sharpe"], ls="none", marker="o", ms=7,
            mfc="none", mec=edge, mew=1.6, zorder=order + 2,
        )  # fmt: skip
    above.axhline(0, color=INK, linewidth=0.6)
    above.set_ylabel("validation Sharpe ratio")
    below.set_ylabel("reward a step")
    for axes in (above, below):
        _mark_windows(axes, starts, end)
    above.tick_params(labelbottom=False)
    below.set_xlabel(
        "environment steps of each window; blue: the seed that decides, grey: the other seeds"
    )
    return figure


def weights_chart(weights: pd.DataFrame, *, is_simulated: bool) -> Figure:
    """Draw what one policy held over time, cash included.

    Args:
        weights: Rows of `portfolio.weights` of one policy.
        is_simulated: Whether to say that the data is simulated.
    """
    name = display_name(str(weights["policy"].iloc[0])) if len(weights) else "no policy"
    every = held_shares(weights)
    held, wording = drawn_shares(every)
    figure, axes = chart_frame(
        f"Weights of {name} over time",
        f"share of equity {wording}; beside each name its newest share, of {day(every.index[-1])}"
        if len(held)
        else "share of equity",
        is_simulated=is_simulated,
        space=Space(right=1.3),
    )
    if held.empty:
        say_no_data(axes, "nothing was decided yet")
        return figure
    tickers = [ticker for ticker in held.columns if ticker != CASH_NAME]
    colors = dict(zip(sorted(tickers), distinct_colors(len(tickers)), strict=True)) | {
        CASH_NAME: CASH
    }
    edges = np.column_stack([np.zeros(len(held)), held.to_numpy().cumsum(axis=1)])
    dates = held.index.to_numpy()
    is_single = len(held) == 1
    if is_single:
        dates = np.array([dates[0], dates[0] + np.timedelta64(1, "D")])
        edges = np.repeat(edges, 2, axis=0)
    for at, ticker in enumerate(held.columns):
        axes.fill_between(
            dates, edges[:, at], edges[:, at + 1], color=colors[ticker], alpha=0.85, linewidth=0
        )
    axes.set_ylim(0, max(1.0, float(edges[:, -1].max())))
    percent_axis(axes)
    date_axis(axes)
    newest = every.iloc[-1]
    shown = [ticker for ticker in held.columns if newest[ticker] >= SMALL_SHARE]
    middle = dict(zip(held.columns, (edges[-1, :-1] + edges[-1, 1:]) / 2, strict=True))
    label_ends(
        axes,
        {ticker: float(middle[ticker]) for ticker in shown},
        colors | {CASH_NAME: MUTED},
        lambda ticker, _: f"{ticker} {percent(newest[ticker])}",
    )
    return figure


def newest_portfolio_chart(weights: pd.DataFrame, *, is_simulated: bool) -> Figure:
    """Draw what one policy wants by its last decision, beside what it holds, with its seeds.

    Args:
        weights: Rows of `portfolio.weights` of one policy; the newest session is drawn, earlier
            ones tell when it last decided.
        is_simulated: Whether to say that the data is simulated.
    """
    newest = weights[weights["date"] == weights["date"].max()]
    rows = shown_positions(newest)
    name = display_name(str(newest["policy"].iloc[0])) if len(newest) else "no policy"
    figure, axes = chart_frame(
        f"Newest portfolio of {name}",
        _portfolio_note(rows, weights, left_out=len(newest) - len(rows)),
        is_simulated=is_simulated,
        space=Space(height=1.3 + 0.26 * max(len(rows) + 1, 5), left=0.9, bottom=0.5),
    )
    if newest.empty:
        say_no_data(axes, "nothing was decided yet")
        return figure
    labels = [CASH_NAME, *rows["ticker"]]
    targets = np.append(1.0 - rows["target_weight"].sum(), rows["target_weight"])
    held = np.append(1.0 - rows["held_weight"].sum(), rows["held_weight"])
    at = np.arange(len(labels))
    axes.barh(at, targets, color=[CASH, *[BLUE] * len(rows)], height=0.62)
    axes.scatter(held, at, marker="|", s=150, color=INK, linewidths=1.6, zorder=4)
    spread = np.append(np.nan, rows["target_weight_seed_std"].astype(float))
    known = np.flatnonzero(np.isfinite(spread))
    axes.errorbar(
        targets[known], at[known], xerr=spread[known], fmt="none", ecolor=ORANGE, elinewidth=2,
        capsize=3, zorder=3,
    )  # fmt: skip
    reach = np.fmax(np.fmax(targets, held), targets + np.nan_to_num(spread))
    for position, (end, target) in enumerate(zip(reach, targets, strict=True)):
        axes.annotate(
            percent(target), (end, position), xytext=(7, 0), textcoords="offset points",
            va="center", fontsize=9, color=INK,
        )  # fmt: skip
    axes.set_yticks(at, labels)
    axes.set_xlim(0, float(reach.max()) * 1.12 + 0.01)
    axes.xaxis.set_major_formatter(lambda value, _: percent(value, 0))
    axes.grid(visible=False, axis="y")
    axes.margins(y=0.02)
    axes.set_xlabel(_portfolio_key(rows))
    return figure


def _training_note(curves: pd.DataFrame) -> str:
    if curves.empty:
        return "no training"
    windows, trainings = (
        curves["window"].nunique(),
        len(curves[["window", "seed"]].drop_duplicates()),
    )
    chosen = curves[curves["is_selected"] & (curves["window"] == curves["window"].max())]
    scores = ", ".join(ratio(score) for score in chosen.sort_values("seed")["validation_sharpe"])
    return (
        f"{_counted(windows, 'window')}, {_counted(trainings, 'training')}; rings: checkpoints "
        f"that validation chose, in the newest window ({day(curves['window'].max())}) {scores}"
    )


def _counted(number: int, noun: str) -> str:
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")


def _window_starts(curves: pd.DataFrame) -> tuple[dict[pd.Timestamp, float], float]:
    """Return where each window begins on the axis of steps, and where the last one ends."""
    longest = curves.groupby("window")["steps"].max()
    widths = longest.to_numpy(dtype=float) * 1.08 + 1.0
    starts = np.r_[0.0, np.cumsum(widths)]
    return dict(zip(longest.index, starts[:-1], strict=True)), float(starts[-1])


def _mark_windows(axes: Axes, starts: dict[pd.Timestamp, float], end: float) -> None:
    axes.grid(visible=False, axis="x")
    for start in starts.values():
        axes.axvline(start, color=PALE, linewidth=0.6, linestyle=(0, (2, 2)), zorder=0)
    if len(starts) == 1:
        axes.xaxis.set_major_formatter(lambda steps, _: f"{steps:,.0f}")
    else:
        every = -(-len(starts) // _LABELLED_WINDOWS)
        # Counted from the newest, which is always named.
        shown = list(starts)[::-1][::every][::-1]
        names = [f"{window:%Y} H{1 if window.month == 1 else 2}" for window in shown]
        axes.set_xticks([starts[window] for window in shown], names)
        axes.tick_params(axis="x", labelsize=8)
    axes.set_xlim(-0.005 * end, end)


def _portfolio_note(rows: pd.DataFrame, weights: pd.DataFrame, left_out: int) -> str:
    if weights.empty:
        return "no decision"
    decisions = weights.loc[weights["is_decision"], "date"]
    parts = [
        f"target decided at the close of {day(decisions.max())}",
        f"held at the close of {day(weights['date'].max())}",
    ]
    if len(rows) and rows["seed_count"].max() == 1:
        parts.append("one seed was trained: spread unknown")
    if left_out:
        parts.append(f"neither wanted nor held: {_counted(left_out, 'other ticker')}")
    return "; ".join(parts)


def _portfolio_key(rows: pd.DataFrame) -> str:
    seeds = int(rows["seed_count"].max()) if len(rows) else 0
    spread = f"; orange: standard deviation over {seeds} seeds" if seeds > 1 else ""
    return f"share of equity; bar: target, black mark: held{spread}"
