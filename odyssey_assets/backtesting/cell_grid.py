"""A table drawn as a picture: shaded cells with their figures, names left and above."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize

from odyssey_assets.core.palette import GAIN, LOSS, MUTED, NEUTRAL, text_color

_SCALE = LinearSegmentedColormap.from_list("loss_to_gain", [LOSS, NEUTRAL, GAIN])


@dataclass(frozen=True, eq=False)
class CellGrid:
    """What the cells show.

    Attributes:
        values: Give the shade, shape (rows, columns); NaN is white.
        texts: Same shape.
        rows: Names beside the rows.
        columns: Names above the columns.
        is_slanted: Whether the text is italic, same shape; None: nowhere.
        row_gaps: Rows before which a gap is left.
        column_gaps: Columns before which a gap is left.
    """

    values: np.ndarray
    texts: Sequence[Sequence[str]]
    rows: Sequence[str]
    columns: Sequence[str]
    is_slanted: np.ndarray | None = None
    row_gaps: tuple[int, ...] = ()
    column_gaps: tuple[int, ...] = ()


def draw_cells(axes: Axes, grid: CellGrid, limit: float | None = None) -> None:
    """Draw the grid, shades symmetric about zero.

    Args:
        axes: Axes without content.
        grid: What to draw.
        limit: Value of the darkest shade; None: the largest of the grid.
    """
    known = np.abs(grid.values[np.isfinite(grid.values)])
    limit = limit or (float(known.max()) if known.size else 0.0) or 1.0
    norm = Normalize(-limit, limit)
    left, top = _edges(len(grid.columns), grid.column_gaps), _edges(len(grid.rows), grid.row_gaps)
    shades = _SCALE(np.ma.masked_invalid(norm(grid.values))).reshape(-1, 4)
    corners = np.array([[0.0, 0.0], [0.97, 0.0], [0.97, 0.94], [0.0, 0.94]])
    origins = np.stack(np.meshgrid(left, top), axis=-1).reshape(-1, 1, 2)
    # One collection: a patch for each cell takes longer to draw than all the rest.
    axes.add_collection(PolyCollection(corners + origins, facecolors=shades, linewidths=0))
    for row, column in np.ndindex(grid.values.shape):
        value, shade = grid.values[row, column], shades[row * len(left) + column]
        is_slanted = grid.is_slanted is not None and bool(grid.is_slanted[row, column])
        axes.text(
            float(left[column]) + 0.485,
            float(top[row]) + 0.48,
            grid.texts[row][column],
            ha="center",
            va="center",
            fontsize=8.5,
            color=text_color(*shade[:3]) if np.isfinite(value) else MUTED,
            fontstyle="italic" if is_slanted else "normal",
        )
    axes.set_xlim(0, left[-1] + 1)
    axes.set_ylim(top[-1] + 1, 0)
    axes.set_xticks(left + 0.485, grid.columns)
    axes.set_yticks(top + 0.48, grid.rows)
    axes.tick_params(axis="x", labelsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)


def _edges(count: int, gaps: tuple[int, ...]) -> np.ndarray:
    """Return where each row or column begins; a gap is a quarter of one."""
    return np.arange(count) + 0.25 * np.searchsorted(gaps, np.arange(count), side="right")
