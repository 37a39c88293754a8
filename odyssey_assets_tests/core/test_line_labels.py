import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from odyssey_assets.core.line_labels import label_ends, spread_apart


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


def test_labels_of_a_linear_axis_stand_beside_their_ends_in_any_order() -> None:
    axes = Figure().add_subplot()
    axes.set_ylim(-2, 2)
    label_ends(
        axes, {"high": 1.0, "gone": float("nan"), "low": -1.0}, dict.fromkeys(("high", "low"), "k")
    )
    assert [text.get_text() for text in axes.texts] == ["low -1.00", "high 1.00"]
    heights = [text.xy[1] for text in axes.texts]  # type: ignore[attr-defined]
    np.testing.assert_allclose(heights, [0.25, 0.75])


def test_label_of_a_line_that_ends_at_zero_on_a_logarithmic_axis_stands_at_the_bottom() -> None:
    axes = Figure().add_subplot()
    axes.set_yscale("log")
    axes.set_ylim(0.1, 10)
    label_ends(axes, {"ruined": 0.0, "alive": 1.0}, {"ruined": "r", "alive": "k"})
    heights = [text.xy[1] for text in axes.texts]  # type: ignore[attr-defined]
    np.testing.assert_allclose(heights, [0.0, 0.5])


@given(
    wanted=st.lists(st.floats(0, 1), min_size=1, max_size=12).map(sorted),
    gap=st.floats(0.0, 0.3),
    other=st.lists(st.floats(0, 1), min_size=12, max_size=12).map(sorted),
)
@settings(max_examples=200, deadline=None)
def test_spread_apart_is_the_nearest_of_all_feasible_heights(
    wanted: list[float], gap: float, other: list[float]
) -> None:
    near = spread_apart(np.array(wanted), gap)
    gap = min(gap, 1 / len(wanted))
    assert np.diff(near, prepend=-gap).min() >= gap - 1e-9
    assert near[-1] <= 1 + 1e-9
    room = 1 - gap * (len(wanted) - 1)
    feasible = np.array(other[: len(wanted)]) * room + gap * np.arange(len(wanted))
    assert np.sum((near - wanted) ** 2) <= np.sum((feasible - wanted) ** 2) + 1e-9
