"""Names at the ends of lines: how a picture with many lines stays readable without a legend."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.typing import ColorType
from scipy.optimize import isotonic_regression

# Smallest distance of two labels, inches.
_LABEL_GAP = 0.17
_LEADER_LENGTH = 0.09


def label_ends(
    axes: Axes,
    values: Mapping[str, float],
    colors: Mapping[str, ColorType],
    wording: Callable[[str, float], str] = "{} {:.2f}".format,
) -> None:
    """Write each line's name and last value beside its end, apart where ends lie close together.

    Args:
        axes: Axes whose lines are drawn and whose limits are final.
        values: Last value of each line; one that is not finite gets no label.
        colors: Colour of each line.
        wording: Makes the label from name and value.
    """
    names = sorted((name for name in values if np.isfinite(values[name])), key=values.__getitem__)
    if not names:
        return
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(np.array(axes.get_ylim()))
    ends = (scale.transform(np.array([values[name] for name in names])) - low) / (high - low)
    # A line may end outside the axes: at zero on a logarithmic one.
    ends = np.clip(ends, 0.0, 1.0)
    extent, dots = axes.get_window_extent(), axes.figure.dpi
    heights = spread_apart(ends, _LABEL_GAP * dots / extent.height)
    reach = 1.0 + _LEADER_LENGTH * dots / extent.width
    leaders = [[(1.0, end), (reach, height)] for end, height in zip(ends, heights, strict=True)]
    shades = [colors[name] for name in names]
    axes.add_collection(
        LineCollection(
            leaders, colors=shades, linewidths=0.7, transform=axes.transAxes, clip_on=False
        ),
        autolim=False,
    )
    for name, height in zip(names, heights, strict=True):
        axes.annotate(
            wording(name, values[name]),
            xy=(reach, height),
            xytext=(3, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=colors[name],
        )


def spread_apart(wanted: np.ndarray, gap: float) -> np.ndarray:
    """Return the heights nearest to the wanted ones that keep a gap and stay within [0, 1].

    Least squares under an order with gaps is an isotonic regression (Best and Chakravarti, 1990,
    Mathematical Programming 47), and clipping its values gives the bounded one.

    Args:
        wanted: Heights, ascending.
        gap: Smallest distance of two; smaller where they would not fit.
    """
    gap = min(gap, 1.0 / max(len(wanted), 1))
    offsets = gap * np.arange(len(wanted))
    pooled = isotonic_regression(wanted - offsets).x
    return np.asarray(np.clip(pooled, 0.0, 1.0 - offsets[-1]) + offsets)
