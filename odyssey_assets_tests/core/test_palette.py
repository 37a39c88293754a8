import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.core.palette import distinct_colors, text_color


def _luminance(color: tuple[float, float, float]) -> float:
    """Return the relative luminance by the exact formula of WCAG 2.1."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color
    ]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("count", [1, 15, 60])
def test_colors_differ_and_read_on_white(count: int) -> None:
    colors = distinct_colors(count)
    assert len(set(colors)) == count
    for color in colors:
        assert 1.05 / (_luminance(color) + 0.05) >= 4.3


_PART = st.floats(0.0, 1.0)


@given(red=_PART, green=_PART, blue=_PART)
def test_text_color_stands_out_from_any_shade(red: float, green: float, blue: float) -> None:
    behind = _luminance((red, green, blue))
    chosen = text_color(red, green, blue)
    parts = [int(chosen[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    written = _luminance((parts[0], parts[1], parts[2]))
    light, dark = max(behind, written), min(behind, written)
    assert (light + 0.05) / (dark + 0.05) >= 3.5
