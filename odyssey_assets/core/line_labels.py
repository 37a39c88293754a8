"""Names at the ends of lines: how a picture with many lines stays readable without a legend."""

import colorsys
from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.typing import ColorType
from scipy.optimize import isotonic_regression

# Smallest distance of two labels, inches.
_LABEL_GAP = 0.17
# Contrast of 4.5 to 1 on white (WCAG 2.1, success criterion 1.4.3).
_MAX_LUMINANCE = 0.18
_LEADER_LENGTH = 0.09


def distinct_colors(count: int) -> list[tuple[float, float, float]]:
    """Return RGB colours of different hue, each dark enough to read as text on white."""
    colors = []
    for at in range(count):
        red, green, blue = colorsys.hls_to_rgb(at / count, (0.30, 0.42, 0.52)[at % 3], 0.75)
        luminance = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
        shade = min(1.0, (_MAX_LUMINANCE / max(luminance, 1e-9)) ** (1 / 2.2))
        colors.append((red * shade, green * shade, blue * shade))
    return colors


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
    size = axes.get_window_extent().size / axes.figure.dpi
    heights = spread_apart(np.clip(ends, 0.0, 1.0), _LABEL_GAP / size[1])
    reach = 1.0 + _LEADER_LENGTH / size[0]
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
