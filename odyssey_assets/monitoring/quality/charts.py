"""Pictures of quality: what forecasts and policies did lately, was promised of them, and broke.

Forecasts have one small panel a ticker, a policy has a picture of its own. Every function returns a
figure built without pyplot. How a figure reaches the Dagster UI belongs to
`infrastructure.pictures`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

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
from odyssey_assets.core.line_labels import label_ends
from odyssey_assets.core.palette import BLUE, INK, MUTED, ORANGE, RED

# Three years: long enough to see what is usual, short enough to see single months.
SHOWN_SESSIONS = 756
SHOWN_TICKERS = 24
COLUMNS = 3
_PANEL_HEIGHT = 1.25
_DASHED = (0, (3, 2))


@dataclass(frozen=True)
class _Figure:
    """What one picture shows of every ticker: names of columns, wording, and where zero is."""

    value: str
    expected: str
    limits: tuple[str, ...]
    flag: str
    wording: Callable[[float], str]
    zero: float | None = None


_CORRELATION = _Figure(
    "information_coefficient_60",
    "expected_information_coefficient",
    ("information_coefficient_floor",),
    "is_correlation_decayed",
    ratio,
    zero=0.0,
)
_COVERAGE = _Figure(
    "interval_coverage_60",
    "expected_coverage",
    ("coverage_floor", "coverage_ceiling"),
    "is_coverage_decayed",
    lambda share: percent(share, 0),
)


def correlation_chart(quality: pd.DataFrame, *, is_simulated: bool) -> Figure:
    """Draw the rank correlation of the last 60 known forecasts by ticker.

    Args:
        quality: Rows of `monitoring.forecast_quality`; the newest sessions are drawn.
        is_simulated: Whether to say that the data is simulated.
    """
    return _panels(
        quality,
        _CORRELATION,
        "Rank correlation of forecasts and outcomes, last 60 known",
        is_simulated=is_simulated,
    )


def coverage_chart(quality: pd.DataFrame, *, is_simulated: bool) -> Figure:
    """Draw the share of the last 60 known outcomes inside their interval by ticker.

    Args:
        quality: Rows of `monitoring.forecast_quality`; the newest sessions are drawn.
        is_simulated: Whether to say that the data is simulated.
    """
    return _panels(
        quality,
        _COVERAGE,
        "Outcomes inside the forecast interval, last 60 known",
        is_simulated=is_simulated,
    )


def policy_chart(quality: pd.DataFrame, *, is_simulated: bool) -> Figure:
    """Draw the Sharpe ratio of a policy's last 60 sessions, beside equal weight and its limit.

    Args:
        quality: Rows of `monitoring.policy_quality` of one policy, all of which are drawn.
        is_simulated: Whether to say that the data is simulated.
    """
    rows = quality.sort_values("date")
    name = display_name(str(rows["policy"].iloc[0])) if len(rows) else "no policy"
    figure, axes = chart_frame(
        f"Sharpe ratio of {name} after costs, last 60 sessions",
        _policy_note(rows),
        is_simulated=is_simulated,
        space=Space(left=0.55, right=1.55),
    )
    if rows["sharpe_60"].isna().all():
        say_no_data(axes, "fewer than 60 sessions yet")
        return figure
    when = rows["date"].to_numpy()
    axes.axhline(0.0, color=INK, linewidth=0.6)
    lines = {
        "limit": ("sharpe_floor", RED, 1.1),
        "promised": ("expected_sharpe", ORANGE, 1.1),
        "equal weight": ("equal_weight_sharpe_60", MUTED, 0.9),
        name: ("sharpe_60", BLUE, 1.5),
    }
    for column, color, width in lines.values():
        axes.plot(
            when, rows[column].to_numpy(dtype=np.float64), color=color, lw=width,
            linestyle=_DASHED if color == RED else "-",
        )  # fmt: skip
    is_decayed = rows["is_sharpe_decayed"].to_numpy(dtype=np.bool_)
    broken = rows.loc[is_decayed, "sharpe_60"].to_numpy(dtype=np.float64)
    axes.plot(when[is_decayed], broken, linestyle="none", marker=".", color=RED, ms=5)
    date_axis(axes)
    ends = {label: float(rows[column].iloc[-1]) for label, (column, *_) in lines.items()}
    colors = {label: color for label, (_, color, _) in lines.items()}
    label_ends(axes, ends, colors, lambda label, value: f"{label} {ratio(value)}")
    return figure


def _policy_note(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "nothing to measure yet"
    is_decayed = rows["is_sharpe_decayed"]
    now = ", now too" if is_decayed.iloc[-1] else ""
    return (
        f"{day(rows['date'].iloc[0])} to {day(rows['date'].iloc[-1])}; dashed red: limit beyond "
        f"chance; red dots: decayed, on {count(is_decayed.sum())} of {count(len(rows))} "
        f"sessions{now}"
    )


def _panels(quality: pd.DataFrame, what: _Figure, title: str, *, is_simulated: bool) -> Figure:
    dates = np.sort(quality["date"].unique())[-SHOWN_SESSIONS:]
    recent = quality[quality["date"].isin(dates)]
    shown = _shown_tickers(recent, what)
    rows = max(-(-len(shown) // COLUMNS), 1)
    figure, panels = panel_frame(
        title,
        _note(recent, what, len(shown)),
        is_simulated=is_simulated,
        space=Space(height=1.3 + _PANEL_HEIGHT * rows, left=0.55, bottom=0.4, top=0.95),
        rows=[1.0] * rows,
        columns=[1.0] * COLUMNS,
        gap=0.42,
    )
    if not shown:
        say_no_data(panels[0], "no forecast yet")
    for axes in panels[max(len(shown), 1) :]:
        axes.set_axis_off()
    if not shown:
        for axes in panels[1:]:
            axes.set_axis_off()
        return figure
    drawn = panels[: len(shown)]
    for axes, ticker in zip(drawn, shown, strict=True):
        _draw(axes, recent[recent["ticker"] == ticker].sort_values("date"), what)
    _share_scale(drawn, recent, what, dates)
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, what: _Figure) -> None:
    when = rows["date"].to_numpy()
    value = rows[what.value].to_numpy(dtype=np.float64)
    if what.zero is not None:
        axes.axhline(what.zero, color=INK, linewidth=0.5)
    axes.step(
        when, rows[what.expected].to_numpy(dtype=np.float64), color=ORANGE, linewidth=1.0,
        where="post",
    )  # fmt: skip
    for limit in what.limits:
        axes.step(
            when, rows[limit].to_numpy(dtype=np.float64), color=RED, linewidth=0.8,
            linestyle=_DASHED, where="post",
        )  # fmt: skip
    axes.plot(when, value, color=BLUE, linewidth=1.0)
    is_decayed = rows[what.flag].to_numpy(dtype=np.bool_)
    axes.plot(when[is_decayed], value[is_decayed], linestyle="none", marker=".", color=RED, ms=4)
    last = value[np.isfinite(value)]
    name = rows["ticker"].iloc[0]
    now = what.wording(float(last[-1]) if len(last) else math.nan)
    axes.text(
        0.0, 1.04, f"{name}  {now}", transform=axes.transAxes, fontsize=9, fontweight="bold",
        color=RED if len(is_decayed) and is_decayed[-1] else INK, ha="left", va="bottom",
    )  # fmt: skip


def _share_scale(panels: list[Axes], rows: pd.DataFrame, what: _Figure, dates: np.ndarray) -> None:
    """Give all panels the same axes, so that tickers compare at a glance; label the outer ones."""
    values = rows[[what.value, what.expected]].to_numpy(dtype=np.float64)
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    margin = 0.05 * max(high - low, 0.1)
    for at, axes in enumerate(panels):
        axes.set_ylim(low - margin, high + margin)
        date_axis(axes)
        axes.set_xlim(dates[0], dates[-1])
        axes.tick_params(labelsize=7.5)
        axes.xaxis.get_offset_text().set_visible(False)
        if what is _COVERAGE:
            percent_axis(axes)
        if at % COLUMNS:
            axes.tick_params(labelleft=False)
        if at < len(panels) - COLUMNS:
            axes.tick_params(labelbottom=False)


def _shown_tickers(recent: pd.DataFrame, what: _Figure) -> list[str]:
    """Return the tickers by name; where they are too many, the worst ones now."""
    newest = recent.sort_values("date").groupby("ticker").tail(1)
    worst = newest.sort_values([what.flag, what.value], ascending=[False, True], kind="stable")
    return sorted(worst["ticker"].head(SHOWN_TICKERS))


def _note(recent: pd.DataFrame, what: _Figure, shown: int) -> str:
    if recent.empty:
        return "nothing to measure yet"
    decayed = int(recent.groupby("ticker")[what.flag].any().sum())
    now = recent[recent["date"] == recent["date"].max()]
    total = recent["ticker"].nunique()
    whole = f"the worst {shown} of {total} tickers" if shown < total else f"{total} tickers"
    return (
        f"{whole} to {day(recent['date'].max())}; orange: promised, dashed red: limit beyond "
        f"chance, red dots: decayed; {int(now[what.flag].sum())} now, {decayed} at some time shown"
    )
