from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from odyssey_assets.core.chart_frame import (
    Space,
    chart_frame,
    date_axis,
    log_axis,
    panel_frame,
    percent_axis,
    say_no_data,
)
from odyssey_assets.core.palette import RED


def _draw(figure: Figure) -> None:
    figure.savefig(BytesIO(), format="png", dpi=50)


def test_frame_of_simulated_data_says_so_in_red() -> None:
    _, axes = chart_frame("Title", "a note", is_simulated=True)
    assert axes.get_title(loc="left") == "simulated data; a note"
    assert axes._left_title.get_color() == RED  # type: ignore[attr-defined]
    _, real = chart_frame("Title", "a note", is_simulated=False)
    assert real.get_title(loc="left") == "a note"
    assert real._left_title.get_color() != RED  # type: ignore[attr-defined]


@pytest.mark.parametrize("height", [1.6, 5.2, 11.0])
def test_title_and_note_begin_at_one_edge_and_do_not_overlap(height: float) -> None:
    figure, axes = chart_frame(
        "Title",
        "a note",
        is_simulated=False,
        space=Space(height=height, left=1.7),
    )
    _draw(figure)
    [title] = [text for text in figure.texts if text.get_text() == "Title"]
    upper, lower = title.get_window_extent(), axes._left_title.get_window_extent()  # type: ignore[attr-defined]
    assert upper.x0 == pytest.approx(lower.x0, abs=1.5)
    assert upper.y0 > lower.y1
    assert lower.y0 > axes.get_window_extent().y1
    assert upper.y1 <= figure.bbox.y1


def test_panels_keep_margins_and_gap_in_inches() -> None:
    figure, panels = panel_frame(
        "Title", "", is_simulated=False,
        rows=(1, 1), columns=(2, 3), gap=0.6,
        space=Space(height=6.0, left=1.0, right=2.0, bottom=0.5, top=0.9),
    )  # fmt: skip
    scale = np.array([10.0, 6.0, 10.0, 6.0])
    boxes = [np.array(axes.get_position().extents) * scale for axes in panels]
    assert boxes[0][0] == pytest.approx(1.0)
    assert boxes[0][3] == pytest.approx(6.0 - 0.9)
    assert boxes[3][2] == pytest.approx(10.0 - 2.0)
    assert boxes[3][1] == pytest.approx(0.5)
    assert boxes[1][0] - boxes[0][2] == pytest.approx(0.6)
    assert boxes[0][1] - boxes[2][3] == pytest.approx(0.6)
    widths = [box[2] - box[0] for box in boxes[:2]]
    assert widths[1] / widths[0] == pytest.approx(1.5)
    assert figure.get_suptitle() == "Title"


@pytest.mark.parametrize("sessions", [2, 60, 4000])
@pytest.mark.parametrize("right", [0.3, 6.0])
def test_dates_never_overlap(sessions: int, right: float) -> None:
    figure, axes = chart_frame(
        "Title",
        "",
        is_simulated=False,
        space=Space(right=right),
    )
    days = np.datetime64("2010-01-04") + np.arange(sessions)
    axes.plot(days, np.arange(sessions))
    date_axis(axes)
    _draw(figure)
    boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
    ends = sorted((box.x0, box.x1) for box in boxes)
    assert all(one[1] < two[0] for one, two in pairwise(ends))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("days", range(300, 1300, 100))
def test_narrow_picture_finds_an_interval_for_any_number_of_years(days: int) -> None:
    figure = Figure(figsize=(2.0, 2.0))
    axes = figure.add_subplot()
    axes.plot(np.datetime64("2019-11-03") + np.arange(days), np.arange(days))
    date_axis(axes)
    _draw(figure)
    assert [label for label in axes.get_xticklabels() if label.get_text()]


def test_log_axis_labels_round_values_and_keeps_the_limits() -> None:
    figure, axes = chart_frame("Title", "", is_simulated=False)
    axes.plot([0, 1], [0.9, 2.6])
    log_axis(axes, 0.9, 2.6)
    _draw(figure)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "1.5", "2", "2.5"]
    low, high = axes.get_ylim()
    assert low < 0.9
    assert high > 2.6


def test_percent_axis_writes_fractions_as_percent() -> None:
    figure, axes = chart_frame("Title", "", is_simulated=False)
    axes.plot([0, 1], [0.0, 0.5])
    percent_axis(axes)
    _draw(figure)
    assert "50%" in [label.get_text() for label in axes.get_yticklabels()]


def test_empty_picture_says_why_and_keeps_its_note() -> None:
    figure, axes = chart_frame("Title", "a note", is_simulated=True)
    say_no_data(axes, "nothing yet")
    _draw(figure)
    assert [text.get_text() for text in axes.texts] == ["nothing yet"]
    assert axes.get_title(loc="left") == "simulated data; a note"
