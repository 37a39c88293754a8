import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from odyssey_assets.backtesting.cell_grid import CellGrid, draw_cells
from odyssey_assets.core.palette import GAIN, LOSS, NEUTRAL


def _drawn(grid: CellGrid, limit: float | None = None) -> tuple[Figure, np.ndarray]:
    figure = Figure()
    axes = figure.add_subplot()
    draw_cells(axes, grid, limit)
    (shades,) = (part for part in axes.collections if isinstance(part, PolyCollection))
    return figure, np.asarray(shades.get_facecolor())


VALUES = np.array([[-0.2, 0.0, 0.1], [0.2, np.nan, -0.1]])
GRID = CellGrid(
    VALUES,
    [["a", "b", "c"], ["d", "e", "f"]],
    ["first", "second"],
    ["x", "y", "z"],
    is_slanted=VALUES > 0.15,
    column_gaps=(2,),
)


def test_cells_show_their_texts_below_their_names() -> None:
    figure, _ = _drawn(GRID)
    [axes] = figure.axes
    texts = {text.get_text(): text for text in axes.texts}
    assert list(texts) == ["a", "b", "c", "d", "e", "f"]
    assert texts["d"].get_fontstyle() == "italic"
    assert texts["a"].get_fontstyle() == "normal"
    columns = dict(zip(["x", "y", "z"], axes.get_xticks(), strict=True))
    for name, column in zip("abc", "xyz", strict=True):
        assert texts[name].get_position()[0] == pytest.approx(columns[column])
    assert columns["z"] - columns["y"] == pytest.approx(1.25)
    assert columns["y"] - columns["x"] == pytest.approx(1.0)


def test_shade_is_symmetric_about_zero_and_white_where_there_is_no_value() -> None:
    _, shades = _drawn(GRID)
    np.testing.assert_allclose(shades[0, :3], to_rgb(LOSS), atol=0.01)
    np.testing.assert_allclose(shades[1, :3], to_rgb(NEUTRAL), atol=0.01)
    np.testing.assert_allclose(shades[3, :3], to_rgb(GAIN), atol=0.01)
    assert shades[4, 3] == 0.0


def test_shade_of_a_limit_is_the_darkest() -> None:
    _, shades = _drawn(GRID, limit=0.1)
    np.testing.assert_allclose(shades[2, :3], to_rgb(GAIN), atol=0.01)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_grid_without_any_move_is_drawn(value: float) -> None:
    figure, _ = _drawn(CellGrid(np.full((2, 2), value), [["", ""]] * 2, ["a", "b"], ["x", "y"]))
    assert len(figure.axes[0].texts) == 4
