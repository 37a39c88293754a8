"""Pictures of drift: which inputs of which ticker moved, and how often that happened before.

Every function returns a figure built without pyplot. How a figure reaches the Dagster UI belongs to
`infrastructure.pictures`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from odyssey_assets.core.chart_frame import Space, chart_frame, say_no_data
from odyssey_assets.core.figure_text import UNKNOWN, day, percent
from odyssey_assets.core.palette import INK, NEUTRAL, ORANGE, RED, text_color

SHOWN_FEATURES = 40
SHOWN_TICKERS = 24
SHOWN_WINDOWS = 24
# A probability of a thousandth or less has the darkest shade.
_DARKEST = 3.0
_SCALE = LinearSegmentedColormap.from_list("usual_to_strange", [NEUTRAL, ORANGE, RED])


def p_value_chart(drift: pd.DataFrame, method: str, *, is_simulated: bool) -> Figure:
    """Draw how unusual each input is in each ticker's newest sample of the newest window.

    Args:
        drift: Rows of `monitoring.drift`.
        method: The method that gives the verdict.
        is_simulated: Whether to say that the data is simulated.
    """
    own = drift[drift["method"] == method]
    own = own[own["window"] == own["window"].max()]
    own = own[own["as_of"] == own.groupby("ticker")["as_of"].transform("max")]
    wide = own.pivot_table(index="feature", columns="ticker", values="p_value")
    wide = wide[_strangest(wide.min(), SHOWN_TICKERS)].sort_index(axis=1)
    shown = own[own["is_input"] & own["ticker"].isin(wide.columns)]
    wide = wide.loc[_strangest(shown.groupby("feature")["p_value"].min(), SHOWN_FEATURES)]
    figure, axes = chart_frame(
        "Inputs that moved: probability of such a distance if nothing had changed",
        _heat_note(own, wide, method),
        is_simulated=is_simulated,
        space=Space(height=1.25 + 0.2 * max(len(wide), 5), left=2.35, right=0.15, bottom=0.1,
                    top=1.05),
    )  # fmt: skip
    if wide.empty:
        say_no_data(axes, "no sample is long enough yet")
        return figure
    cells = own.set_index(["feature", "ticker"])[["is_input", "is_drifted"]]
    _draw_cells(axes, wide, cells)
    return figure


def share_chart(summary: pd.DataFrame, *, is_simulated: bool) -> Figure:
    """Draw the share of drifted inputs of each ticker at the end of each window.

    Args:
        summary: Rows of `monitoring.drift_summary`.
        is_simulated: Whether to say that the data is simulated.
    """
    measured = summary[summary["status"] == "measured"].sort_values("as_of")
    last = measured.groupby(["ticker", "window"]).tail(1)
    wide = last.pivot_table(index="ticker", columns="window", values="share_drifted")
    wide = wide[wide.columns[-SHOWN_WINDOWS:]]
    wide = wide.loc[sorted(wide.mean(axis=1).nlargest(SHOWN_TICKERS).index)]
    figure, axes = chart_frame(
        "Share of a model's inputs that drifted, by ticker and window",
        _share_note(last, wide),
        is_simulated=is_simulated,
        space=Space(height=1.3 + 0.27 * max(len(wide), 4), left=0.75, right=0.15, bottom=0.1,
                    top=1.1),
    )  # fmt: skip
    if wide.empty:
        say_no_data(axes, "no window has a verdict yet")
        return figure
    shade = np.sqrt(wide.to_numpy(dtype=np.float64))
    texts = [["" if share == 0 else percent(share, 0) for share in row] for row in wide.to_numpy()]
    columns = [f"{window:%Y}\n{window:%b}" for window in wide.columns]
    _draw_table(axes, shade, texts, list(wide.index), columns)
    return figure


def _draw_cells(axes: Axes, wide: pd.DataFrame, cells: pd.DataFrame) -> None:
    """Shade by p-value; write it where the ticker's model uses the input, bold where drifted."""
    values = wide.to_numpy(dtype=np.float64)
    shades = np.clip(-np.log10(np.maximum(values, 1e-12)) / _DARKEST, 0.0, 1.0)
    keys = pd.MultiIndex.from_product([wide.index, wide.columns])
    flags = cells.reindex(keys, fill_value=False)
    is_input = flags["is_input"].to_numpy(dtype=np.bool_).reshape(values.shape)
    is_drifted = flags["is_drifted"].to_numpy(dtype=np.bool_).reshape(values.shape)
    # What a model does not see cannot mislead it: it is left pale.
    shades = np.where(is_input, shades, np.nan)
    texts = [
        [_p_text(values[at]) if is_input[at] else "" for at in _row(row, values.shape[1])]
        for row in range(len(values))
    ]
    _draw_table(axes, shades, texts, list(wide.index), list(wide.columns), is_drifted & is_input)


def _draw_table(
    axes: Axes,
    shades: np.ndarray,
    texts: Sequence[Sequence[str]],
    rows: Sequence[str],
    columns: Sequence[str],
    is_marked: np.ndarray | None = None,
) -> None:
    height, width = shades.shape
    left: np.ndarray = np.arange(width, dtype=np.float64)
    top: np.ndarray = np.arange(height, dtype=np.float64)
    origins = np.stack(np.meshgrid(left, top), axis=-1).reshape(-1, 1, 2)
    corners = np.array([[0.0, 0.0], [0.96, 0.0], [0.96, 0.93], [0.0, 0.93]])
    colors = _SCALE(np.ma.masked_invalid(shades)).reshape(-1, 4)
    colors[~np.isfinite(shades).reshape(-1)] = (0.97, 0.97, 0.97, 1.0)
    is_edged = np.zeros(height * width, bool) if is_marked is None else is_marked.reshape(-1)
    axes.add_collection(
        PolyCollection(
            corners + origins,
            facecolors=colors,
            edgecolors=[INK if edged else "none" for edged in is_edged],
            linewidths=[1.4 if edged else 0.0 for edged in is_edged],
        )
    )
    for row, column in np.ndindex(height, width):
        axes.text(
            column + 0.48, row + 0.48, texts[row][column], ha="center", va="center", fontsize=7,
            color=text_color(*colors[row * width + column][:3]),
        )  # fmt: skip
    axes.set_xlim(-0.02, width)
    axes.set_ylim(height, -0.02)
    axes.set_xticks(left + 0.48, columns, fontsize=8)
    axes.set_yticks(top + 0.48, rows, fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)


def _row(row: int, width: int) -> list[tuple[int, int]]:
    return [(row, column) for column in range(width)]


def _strangest(least: pd.Series, count: int) -> list[str]:
    """Return the names of the smallest values, smallest first; names decide between equals."""
    ordered = least.dropna().sort_index().sort_values(kind="stable")
    return list(ordered.index[:count])


def _p_text(value: float) -> str:
    if not np.isfinite(value):
        return UNKNOWN
    return "<.001" if value < 0.001 else f"{value:.2g}".lstrip("0") if value < 1 else "1"


def _heat_note(own: pd.DataFrame, wide: pd.DataFrame, method: str) -> str:
    if wide.empty:
        return f"by {method.replace('_', ' ')}"
    inputs = own[own["is_input"]]
    names = inputs["feature"].nunique()
    many = f"{len(wide)} strangest of {names} inputs" if len(wide) < names else f"{names} inputs"
    return (
        f"{many}, {day(own['window'].max())} to {day(own['as_of'].max())}, by "
        f"{method.replace('_', ' ')}; framed: drifted; empty: not used by the ticker's model"
    )


def _share_note(last: pd.DataFrame, wide: pd.DataFrame) -> str:
    if wide.empty:
        return "at the end of each window"
    return (
        f"at the end of each window, the newest one so far (to {day(last['as_of'].max())}); "
        f"{percent(last['is_drifted'].mean(), 0)} of {len(last)} tickers' windows had any"
    )
