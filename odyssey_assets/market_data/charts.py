"""Pictures of the market tables, as people see them in the metadata of an asset.

Figures are built without pyplot, so that they need no display and keep no state. Every one has a
title, units, a legend, and says when its data is simulated. Turning a figure into an image belongs
to `infrastructure.pictures`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.core.chart_frame import Space, chart_frame, log_axis
from odyssey_assets.core.palette import INK, MUTED, RED
from odyssey_assets.core.sessions import sessions_between

_AS_TRADED = "#9aa5b1"
_ADJUSTED = "#1f5a94"
_FILLED = "#e08214"

_LABELLED_SPLIT = 1.1
_MAP_CLASSES = (
    ("complete", "#dfe9ee"),
    ("filled: 1 session", "#fdc97f"),
    ("filled: 2 or more", "#e08214"),
    ("missing: up to 10 % of sessions", "#f09a95"),
    ("up to 50 %", "#d3413f"),
    ("over 50 %", "#7a0f1b"),
)
_LABELLED_TICKERS = 40
_MISSING, _FILL, _BAR = 0, 1, 2


def price_chart(bars: pd.DataFrame) -> Figure:
    """Return the price history of one ticker with fills, anomalies and splits marked.

    Closes as traded and adjusted for dividends and splits (both equal on the first session shown)
    stand on one logarithmic axis, so that equal distances are equal returns. Sessions that are not
    stored leave a gap in the line.

    Args:
        bars: Rows of `market_data.bars` of one ticker; at least one.
    """
    shown = bars.sort_values("date").set_index("date")
    factor = shown["total_return_factor"].iloc[0]
    adjusted = adjusted_bars(shown)["close"] / factor
    days = sessions_between(shown.index[0].date(), shown.index[-1].date())
    figure, axes = chart_frame(
        f"{shown['ticker'].iloc[0]}: daily close",
        f"{_span(shown.index)} · source {shown['source'].iloc[-1]} · {len(shown):,} sessions, "
        f"{int(shown['is_filled'].sum())} filled, {int(shown['is_anomalous'].sum())} anomalous",
        is_simulated=bool(shown["is_simulated"].any()),
        space=Space(height=4.4, bottom=0.7),
    )
    label = "close as traded" if shown["is_as_traded"].all() else "close, adjusted by vendor"
    marker = "." if len(shown) == 1 else ""
    axes.plot(
        days, shown["close"].reindex(days), color=_AS_TRADED, lw=0.9, marker=marker, label=label
    )
    axes.plot(
        days, adjusted.reindex(days), color=_ADJUSTED, lw=1.2, marker=marker,
        label="close with dividends reinvested",
    )  # fmt: skip
    _mark(axes, adjusted[shown["is_filled"]], "v", _FILLED, "filled")
    _mark(axes, adjusted[shown["is_anomalous"]], "o", RED, "anomalous move")
    _mark_splits(axes, shown["split_ratio"])
    _price_axes(axes)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="lower left", bbox_to_anchor=(0.065, 0.0), ncols=4,
        frameon=False, fontsize=9, labelcolor=INK, handlelength=1.4, columnspacing=1.6,
    )  # fmt: skip
    return figure


def missing_data_map(
    bars: pd.DataFrame, sessions: pd.DatetimeIndex, tickers: Sequence[str]
) -> Figure:
    """Return a map of tickers by months: which sessions were filled, and which are missing.

    Months before a ticker's first bar stay blank: a late listing is not missing data. A ticker
    without any bar is missing from the first session on.

    Args:
        bars: Rows of `market_data.bars`.
        sessions: The sessions expected, increasing; at least one.
        tickers: The tickers expected, in the order shown from the top.
    """
    classes = _completeness(bars, sessions, tickers)
    filled = int(bars["is_filled"].sum())
    figure, axes = chart_frame(
        "Missing and filled sessions by ticker and month",
        f"{_span(sessions)} · {len(tickers)} tickers, {len(sessions):,} sessions · {filled} filled "
        "· blank: not listed yet",
        is_simulated=bool(bars["is_simulated"].any()),
        space=Space(height=min(1.75 + 0.19 * len(tickers), 11.0), bottom=0.7),
    )
    colours = ListedColormap([colour for _, colour in _MAP_CLASSES])
    norm = BoundaryNorm(np.arange(len(_MAP_CLASSES) + 1) - 0.5, len(_MAP_CLASSES))
    axes.pcolormesh(classes, cmap=colours, norm=norm)
    if len(tickers) <= _LABELLED_TICKERS:
        axes.hlines(np.arange(1, len(tickers)), 0, classes.shape[1], color="white", lw=2.5)
    _map_axes(axes, sessions.to_period("M").unique(), tickers)
    figure.legend(
        handles=[Patch(facecolor=colour, label=label) for label, colour in _MAP_CLASSES],
        loc="lower left", bbox_to_anchor=(0.075, 0.0), ncols=len(_MAP_CLASSES), frameon=False,
        fontsize=8.5, labelcolor=INK, handlelength=1.0, handleheight=1.0, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _completeness(
    bars: pd.DataFrame, sessions: pd.DatetimeIndex, tickers: Sequence[str]
) -> np.ndarray:
    """Return the class of each ticker (row) and month (column), masked before the listing."""
    month = pd.factorize(sessions.to_period("M"))[0]
    row = pd.Index(tickers).get_indexer(bars["ticker"])
    session = sessions.get_indexer(bars["date"])
    is_shown = (row >= 0) & (session >= 0)
    state = np.full((len(tickers), len(sessions)), _MISSING)
    state[row[is_shown], session[is_shown]] = np.where(bars["is_filled"], _FILL, _BAR)[is_shown]
    is_stored = state != _MISSING
    is_listed = np.maximum.accumulate(is_stored, axis=1) | ~is_stored.any(axis=1, keepdims=True)

    starts = np.flatnonzero(np.diff(month, prepend=-1))
    expected = np.add.reduceat(is_listed.astype(int), starts, axis=1)
    filled = np.add.reduceat((state == _FILL).astype(int), starts, axis=1)
    stored = np.add.reduceat(is_stored.astype(int), starts, axis=1)
    missing = 1.0 - stored / np.maximum(expected, 1)
    classes = np.select(
        [missing > 0.5, missing > 0.1, missing > 0, filled > 1, filled > 0], [5, 4, 3, 2, 1], 0
    )
    return np.ma.masked_where(expected == 0, classes)


def _mark(axes: Axes, values: pd.Series, marker: str, colour: str, label: str) -> None:
    if not values.empty:
        axes.plot(
            values.index, values, ls="none", marker=marker, ms=5.5, mfc="none", mec=colour, mew=1.3,
            label=f"{label} ({len(values)})",
        )  # fmt: skip


def _mark_splits(axes: Axes, split_ratio: pd.Series) -> None:
    """Draw a line with its ratio at every split."""
    for day, ratio in split_ratio[split_ratio != 1.0].items():
        axes.axvline(day, color=MUTED, lw=0.8, ls=(0, (2, 2)), zorder=0)
        if max(ratio, 1.0 / ratio) >= _LABELLED_SPLIT:
            text = f"{ratio:g}:1" if ratio > 1 else f"1:{1 / ratio:g}"
            axes.annotate(
                f" {text}", (day, 0.985), xycoords=("data", "axes fraction"), fontsize=8.5,
                color=MUTED, va="top",
            )  # fmt: skip


def _price_axes(axes: Axes) -> None:
    # Limits of a linear axis may reach below zero.
    axes.set_yscale("log")
    log_axis(axes, *axes.get_ylim())
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("USD a share, log scale")
    axes.margins(x=0.01)


def _map_axes(axes: Axes, months: pd.PeriodIndex, tickers: Sequence[str]) -> None:
    """Label months by year (or each of a few), and tickers as far as they can be read."""
    axes.set_xlim(0, len(months))
    axes.set_ylim(len(tickers), 0)
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    every = -(-len(tickers) // _LABELLED_TICKERS)
    axes.set_yticks(np.arange(0, len(tickers), every) + 0.5, list(tickers)[::every])
    if len(months) <= 18:
        labels = months.strftime("%Y-%m").tolist()
        step = -(-len(months) // 12)
        axes.set_xticks(np.arange(0, len(months), step) + 0.5, labels[::step])
        return
    januaries = np.flatnonzero(months.month == 1)
    step = -(-len(januaries) // 18)
    axes.set_xticks(januaries[::step], [str(months[at].year) for at in januaries[::step]])


def _span(days: pd.Index) -> str:
    return f"{days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}"
