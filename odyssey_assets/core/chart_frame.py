"""The look that all pictures share: frame, axes, and what an empty picture says.

Figures are built without pyplot, so that they can be drawn in any process and leave nothing behind.
Margins are fixed in inches: a layout engine doubles the time to draw. What a picture shows belongs
to the `charts.py` of its domain, names at the ends of lines to
`core.line_labels`, colours to `core.palette`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.dates import MONTHLY, AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from odyssey_assets.core.axis_ticks import log_ticks
from odyssey_assets.core.palette import GRID, INK, MUTED, RED

WIDTH = 10.0
_EDGE, _NOTE = 0.12, 0.53
_DATES_AN_INCH = 1.6


@dataclass(frozen=True)
class Space:
    """Room in a figure, inches.

    Attributes:
        height: Of the whole figure; its width is `WIDTH`.
        left: Margin left of the axes, for their labels.
        right: Margin right of them, for names at the ends of lines.
        bottom: Margin below them.
        top: Margin above them, for title and note.
    """

    height: float = 5.2
    left: float = 0.75
    right: float = 0.3
    bottom: float = 0.45
    top: float = 0.62


def chart_frame(
    title: str, note: str, *, is_simulated: bool, space: Space = Space()
) -> tuple[Figure, Axes]:
    """Return an empty figure with its title and a line below it.

    Args:
        title: What the picture shows.
        note: Key figures, period, sample size.
        is_simulated: Whether the note begins by saying that the data is simulated.
        space: Height and margins.
    """
    figure, (axes,) = panel_frame(title, note, is_simulated=is_simulated, space=space)
    return figure, axes


def panel_frame(
    title: str,
    note: str,
    *,
    is_simulated: bool,
    space: Space = Space(),
    rows: Sequence[float] = (1.0,),
    columns: Sequence[float] = (1.0,),
    gap: float = 0.45,
) -> tuple[Figure, list[Axes]]:
    """Return an empty figure of several axes, row by row.

    Args:
        title: As in `chart_frame`.
        note: As in `chart_frame`.
        is_simulated: As in `chart_frame`.
        space: As in `chart_frame`.
        rows: Relative heights of the rows of axes.
        columns: Relative widths of their columns.
        gap: Space between neighbours, inches.
    """
    figure = Figure(figsize=(WIDTH, space.height), facecolor="white")
    inner_width = WIDTH - space.left - space.right
    inner_height = space.height - space.top - space.bottom
    grid = figure.add_gridspec(
        len(rows),
        len(columns),
        height_ratios=rows,
        width_ratios=columns,
        left=space.left / WIDTH,
        right=1 - space.right / WIDTH,
        top=1 - space.top / space.height,
        bottom=space.bottom / space.height,
        wspace=_share(gap, inner_width, len(columns)),
        hspace=_share(gap, inner_height, len(rows)),
    )
    panels = [
        figure.add_subplot(grid[row, column])
        for row in range(len(rows))
        for column in range(len(columns))
    ]
    for axes in panels:
        _style(axes)
    _write_titles(figure, panels[0], title, note, space, is_simulated=is_simulated)
    return figure, panels


def date_axis(axes: Axes) -> None:
    """Label dates as far apart as they are readable, and let lines reach both ends."""
    width = axes.get_window_extent().width / axes.figure.dpi
    locator = AutoDateLocator(  # type: ignore[no-untyped-call]  # matplotlib.dates is untyped
        minticks=3, maxticks=max(int(width * _DATES_AN_INCH), 4)
    )
    # Two years in a narrow picture: half years are too close, and fewer than three years begin.
    locator.intervald[MONTHLY] = [*locator.intervald[MONTHLY], 12]
    formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]  # likewise
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
    axes.margins(x=0)


def percent_axis(axes: Axes, decimals: int = 0) -> None:
    """Label fractions on the y axis as percent."""
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=decimals))


def log_axis(axes: Axes, low: float, high: float) -> None:
    """Make the y axis logarithmic, with a handful of round labels.

    Args:
        axes: Axes whose lines are drawn.
        low: Smallest value drawn, above 0.
        high: Largest value drawn.
    """
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(NullLocator())
    limits = axes.get_ylim()
    axes.set_yticks(log_ticks(low, high))
    axes.set_ylim(limits)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def say_no_data(axes: Axes, text: str) -> None:
    """Write why there is nothing to see, and hide the axes."""
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=MUTED, fontsize=11
    )
    axes.set_axis_off()


def _write_titles(
    figure: Figure, axes: Axes, title: str, note: str, space: Space, *, is_simulated: bool
) -> None:
    """Write title and note at the left edge, the note as the left title of the first axes."""
    figure.suptitle(
        title,
        x=_EDGE / WIDTH,
        y=1 - _EDGE / space.height,
        ha="left",
        va="top",
        fontsize=13,
        fontweight="bold",
        color=INK,
    )
    box = axes.get_position()
    axes.set_title(
        f"simulated data; {note}" if is_simulated else note,
        loc="left",
        x=(_EDGE - space.left) / (box.width * WIDTH),
        y=1 + (space.top - _NOTE) / (box.height * space.height),
        pad=0,
        fontsize=9,
        color=RED if is_simulated else MUTED,
    )


def _style(axes: Axes) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.grid(visible=True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, colors=INK, length=3)
    axes.tick_params(axis="y", length=0)
    axes.yaxis.label.set(fontsize=9, color=INK)
    axes.xaxis.label.set(fontsize=9, color=INK)


def _share(gap: float, inner: float, count: int) -> float:
    """Return the gap as a fraction of the mean size of the axes, as a grid specification wants."""
    return gap * count / (inner - gap * (count - 1))
