"""Plain traces, axes and colours that Plotly takes: what the charts of a report share.

Building them from dictionaries is far faster than through Plotly's classes, which would check each
and change none. Lines over all sessions name their x values by `SESSIONS`; the page keeps those
dates once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.core.figure_text import day, display_name
from odyssey_assets.core.palette import GRID, INK, MUTED

SESSIONS = "sessions"
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

Trace = dict[str, Any]

AXIS: dict[str, object] = {
    "gridcolor": GRID, "linecolor": MUTED, "zeroline": False, "fixedrange": False,
}  # fmt: skip


def layout(unit: str, dates: Sequence[pd.Timestamp] | pd.Index, **y_axis: object) -> dict[str, Any]:
    """Return a layout with dates below.

    Args:
        unit: Title of the y axis.
        dates: First and last are the ends of the x axis.
        y_axis: Further properties of the y axis.
    """
    return {
        "margin": {"l": 48, "r": 14, "t": 8, "b": 32},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 12, "color": INK, "family": FONT},
        "showlegend": False,
        "hovermode": "x unified",
        "xaxis": {
            **AXIS,
            "type": "date",
            **({"range": [day(dates[0]), day(dates[-1])]} if len(dates) > 1 else {}),
        },
        "yaxis": {**AXIS, "title": {"text": unit}, "automargin": True, **y_axis},
    }


def said(figures: Mapping[str, str]) -> str:
    """Return figures by name as one phrase."""
    return ", ".join(f"{display_name(name)} {figure}" for name, figure in figures.items()) or "none"


def numbers(values: pd.Series, decimals: int) -> list[float | None]:
    """Return rounded values for JSON, which knows no NaN."""
    rounded = np.round(values.to_numpy(dtype=np.float64), decimals)
    listed: list[float | None] = rounded.tolist()
    for at in np.flatnonzero(~np.isfinite(rounded)):
        listed[at] = None
    return listed


def hex_color(color: tuple[float, float, float]) -> str:
    """Return red, green and blue within [0, 1] as CSS writes them."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in color)


def transparent(color: str, alpha: float) -> str:
    """Return a colour of six hexadecimal digits, that lets through what is behind it."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
