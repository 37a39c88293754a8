import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from odyssey_assets.core.line_labels import distinct_colors, label_ends


@given(ends=st.lists(st.floats(0.01, 1000), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_labels_keep_their_order_apart_and_inside_the_axes(ends: list[float]) -> None:
    axes = Figure().add_subplot()
    axes.set_yscale("log")
    axes.set_ylim(0.01, 1000)
    values = {f"T{at:02d}": value for at, value in enumerate(sorted(ends))}
    label_ends(axes, values, dict.fromkeys(values, (0.0, 0.0, 0.0)))
    texts = [text.get_text().split()[0] for text in axes.texts]
    heights = np.array([text.xy[1] for text in axes.texts])  # type: ignore[attr-defined]
    assert texts == list(values)
    assert heights.min() >= -1e-9
    assert heights.max() <= 1 + 1e-9
    gap = min(0.045, 1 / len(ends))
    assert len(ends) == 1 or np.diff(heights).min() >= gap - 1e-9


@pytest.mark.parametrize("count", [1, 15, 60])
def test_colors_differ_and_read_on_white(count: int) -> None:
    colors = distinct_colors(count)
    assert len(set(colors)) == count
    for color in colors:
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color
        ]
        luminance = float(np.dot([0.2126, 0.7152, 0.0722], linear))
        assert 1.05 / (luminance + 0.05) >= 4.3
