import json

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.plotly_parts import (
    hex_color,
    layout,
    numbers,
    said,
    transparent,
)


def test_numbers_are_rounded_and_unknown_ones_null() -> None:
    values = numbers(pd.Series([1.23456, np.nan, -np.inf, 0.0]), 2)
    assert values == [1.23, None, None, 0.0]
    assert json.dumps(values, allow_nan=False)


def test_layout_spans_the_dates_and_takes_more_of_the_y_axis() -> None:
    dates = pd.date_range("2024-01-02", periods=3)
    made = layout("USD", dates, tickformat=".0%")
    assert made["xaxis"]["range"] == ["2024-01-02", "2024-01-04"]
    assert made["yaxis"]["tickformat"] == ".0%"
    assert made["yaxis"]["title"] == {"text": "USD"}
    assert "range" not in layout("", dates[:1])["xaxis"]


def test_layouts_do_not_share_their_axes() -> None:
    one, two = layout("", []), layout("", [])
    one["yaxis"]["type"] = "log"
    assert "type" not in two["yaxis"]


def test_colors_are_written_as_style_sheets_take_them() -> None:
    assert hex_color((1.0, 0.0, 0.5)) == "#ff0080"
    assert transparent("#1f5fa8", 0.25) == "rgba(31,95,168,0.25)"


def test_figures_are_said_as_one_phrase() -> None:
    assert said({"ppo": "1.2", "equal_weight": "1.3"}) == "PPO 1.2, equal weight 1.3"
    assert said({}) == "none"
