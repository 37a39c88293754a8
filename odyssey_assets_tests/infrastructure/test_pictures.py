"""Pictures in metadata: what is shown is the figure, and the same figure is the same bytes."""

import base64
import re
from io import BytesIO

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

from odyssey_assets.infrastructure.pictures import DOTS_PER_INCH, picture, png_bytes


def figure_of(colour: str) -> Figure:
    figure = Figure(figsize=(2, 1), facecolor=colour)
    figure.add_axes((0.4, 0.4, 0.2, 0.2)).plot([0, 1])
    return figure


def test_same_figure_gives_the_same_bytes_and_another_gives_others() -> None:
    assert png_bytes(figure_of("red")) == png_bytes(figure_of("red"))
    assert png_bytes(figure_of("red")) != png_bytes(figure_of("blue"))


def test_picture_holds_the_figure_and_says_what_it_shows() -> None:
    metadata = picture(figure_of("red"), "Price of SPY")
    match = re.fullmatch(r"!\[(.*)\]\(data:image/png;base64,(.*)\)", str(metadata.value))
    assert match is not None
    assert match[1] == "Price of SPY"
    pixels = imread(BytesIO(base64.b64decode(match[2])), format="png")
    assert pixels.shape[:2] == (DOTS_PER_INCH, 2 * DOTS_PER_INCH)
    np.testing.assert_allclose(pixels[0, 0], [1.0, 0.0, 0.0, 1.0])
