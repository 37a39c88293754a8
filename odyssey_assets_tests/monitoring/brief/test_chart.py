from io import BytesIO
from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from odyssey_assets.infrastructure.pictures import png_bytes
from odyssey_assets.monitoring.brief.chart import brief_chart
from odyssey_assets.monitoring.brief.sections import TITLES, brief_of
from odyssey_assets_tests.monitoring.brief.nights import EMPTY, NIGHT, rows_of


def _texts(figure: Figure) -> list[str]:
    figure.savefig(BytesIO(), format="png", dpi=50)
    return [text.get_text() for text in figure.axes[0].texts]


def test_chart_names_every_section_with_its_severity() -> None:
    figure = brief_chart(brief_of(rows_of()))
    texts = _texts(figure)
    severities = ["good", "good", "warning", "good", "problem", "note", "note", "good"]
    expected = [f"{title}: {each}" for title, each in zip(TITLES.values(), severities, strict=True)]
    assert [text for text in texts if text in expected] == expected
    assert str(figure.get_suptitle()) == "Morning brief after 2024-08-16"
    assert figure.axes[0].get_title(loc="left") == "2 lines need a look"


def test_chart_draws_the_target_of_each_policy_and_ticker() -> None:
    axes = brief_chart(brief_of(rows_of())).axes[1]
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
    assert widths == [[0.2, 0.1, 0.7], [0.0, 0.05, 0.95]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["AAPL", "INTC", "cash"]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["equal weight", "PPO"]


def test_chart_shows_the_largest_of_many_tickers() -> None:
    many = tuple(
        ("portfolio", "ppo", f"T{at:02d}", "target", at / 1000, "note") for at in range(1, 41)
    )
    lines = (("portfolio", "ppo", None, "Rank 1.", 0.8, "note"), *many)
    axes = brief_chart(brief_of(rows_of(lines))).axes[1]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [f"T{at:02d}" for at in range(40, 25, -1)] + ["cash"]


def test_chart_cuts_a_long_summary_short() -> None:
    lines = (("drift", "(all)", None, "very long " * 60, 1.0, "note"),)
    texts = _texts(brief_chart(brief_of(rows_of(lines))))
    assert len(texts) == 4
    assert texts[-1].endswith(" ...")


def test_chart_of_an_empty_home_says_so() -> None:
    figure = brief_chart(brief_of(rows_of(EMPTY, None)))
    assert str(figure.get_suptitle()) == "Morning brief"
    assert [text.get_text() for text in figure.axes[1].texts] == [
        "no policy wants to hold anything"
    ]


@pytest.mark.parametrize("is_simulated", [True, False])
def test_chart_says_when_its_data_is_simulated(is_simulated: bool) -> None:
    figure = brief_chart(brief_of(rows_of(is_simulated=is_simulated)))
    note = figure.axes[0].get_title(loc="left")
    assert note.startswith("simulated data") == is_simulated


def test_chart_has_all_its_text_inside_and_apart() -> None:
    figure = brief_chart(brief_of(rows_of(NIGHT)))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert all(box.y0 > 0 for box in boxes)
    assert all(lower.y1 <= upper.y0 + 2 for upper, lower in pairwise(boxes))
    assert png_bytes(figure) == png_bytes(brief_chart(brief_of(rows_of(NIGHT))))
