"""Names at the ends of lines: how a picture with many lines stays readable without a legend."""

import colorsys

import numpy as np
from matplotlib.axes import Axes

# Smallest distance of two labels, share of the height of the axes.
_LABEL_GAP = 0.045
# Contrast of 4.5 to 1 on white (WCAG 2.1, success criterion 1.4.3).
_MAX_LUMINANCE = 0.18


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
    axes: Axes, values: dict[str, float], colors: dict[str, tuple[float, float, float]]
) -> None:
    """Write each line's name and last value beside its end, apart where ends lie close together.

    Args:
        axes: Axes with a logarithmic y axis whose lines are drawn.
        values: Last value of each line, ascending.
        colors: Colour of each line.
    """
    low, high = (np.log(limit) for limit in axes.get_ylim())
    heights = [(np.log(value) - low) / (high - low) for value in values.values()]
    gap = min(_LABEL_GAP, 1 / max(len(heights), 1))
    for at in range(1, len(heights)):
        heights[at] = max(heights[at], heights[at - 1] + gap)
    overflow = heights[-1] - 1
    for at in range(len(heights) - 1, -1, -1):
        ceiling = 1 - (len(heights) - 1 - at) * gap
        heights[at] = min(heights[at], ceiling) if overflow > 0 else heights[at]
    for (ticker, value), height in zip(values.items(), heights, strict=True):
        axes.annotate(
            f"{ticker} {value:.2f}",
            xy=(1.0, height),
            xytext=(6, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=colors[ticker],
        )
