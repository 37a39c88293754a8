"""The colours of all pictures, on paper and in reports."""

import colorsys

INK, MUTED, PALE, GRID = "#222222", "#6b6b6b", "#b9bec4", "#e6e6e6"
BLUE, ORANGE, RED = "#1f5fa8", "#d1711b", "#b3261e"
CASH = "#d9dce0"
LOSS, NEUTRAL, GAIN = "#c0503e", "#f6f5f2", "#2f6fb0"

# Relative luminance of red, green and blue, and where dark and white text stand out equally
# (WCAG 2.1, success criterion 1.4.3).
_LUMINANCE = (0.2126, 0.7152, 0.0722)
_MIDDLE_LUMINANCE = 0.2
# Contrast of 4.5 to 1 on white (WCAG 2.1, success criterion 1.4.3).
_MAX_LUMINANCE = 0.18


def distinct_colors(count: int) -> list[tuple[float, float, float]]:
    """Return RGB colours of different hue, each dark enough to read as text on white."""
    colors = []
    for at in range(count):
        red, green, blue = colorsys.hls_to_rgb(at / count, (0.30, 0.42, 0.52)[at % 3], 0.75)
        shade = min(1.0, (_MAX_LUMINANCE / max(_luminance(red, green, blue), 1e-9)) ** (1 / 2.2))
        colors.append((red * shade, green * shade, blue * shade))
    return colors


def text_color(red: float, green: float, blue: float) -> str:
    """Return the colour of text that reads best on a shade with parts within [0, 1]."""
    return INK if _luminance(red, green, blue) > _MIDDLE_LUMINANCE else "#ffffff"


def _luminance(red: float, green: float, blue: float) -> float:
    parts = zip(_LUMINANCE, (red, green, blue), strict=True)
    return sum(weight * part**2.2 for weight, part in parts)
