from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.backtesting.tear_sheet_html import Cell, Chart, Table, chart, section, table
from odyssey_assets.core.palette import GAIN, LOSS, NEUTRAL

HOSTILE = '<script>alert("x")</script>\' & <b>'


class _Reader(HTMLParser):
    """Collects tags and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.labels += [value or "" for name, value in attrs if name == "aria-label"]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _read(markup: str) -> _Reader:
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(said=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_any_text_means_itself_everywhere_in_a_table(said: str) -> None:
    read = _read(table(Table(said, ["", said], [(said, [Cell(said)])], said)))
    assert "".join(read.text).replace("\n", "").count(said) >= 5 or said.isspace()
    assert set(read.tags) <= {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    assert read.labels == [said]


def test_hostile_texts_open_no_element() -> None:
    content = Chart(
        "name", HOSTILE, HOSTILE, [{"y": [1]}], {}, legend={HOSTILE: "red"}, note=HOSTILE
    )
    for markup in (chart(content), section("name", HOSTILE)):
        assert not {"script", "b"} & set(_read(markup).tags)
    assert _read(chart(content)).labels == [HOSTILE]


def test_table_names_rows_and_columns_for_readers_who_cannot_see_it() -> None:
    markup = table(Table("Figures", ["", "PPO"], [("Sharpe ratio", [Cell("0.69")])]))
    assert "<caption>Figures</caption>" in markup
    assert '<th scope="col">PPO</th>' in markup
    assert '<th scope="row">Sharpe ratio</th><td>0.69</td>' in markup
    assert 'role="region" aria-label="Figures"' in markup


@pytest.mark.parametrize(
    ("shade", "color"), [(0.0, NEUTRAL), (1.0, GAIN), (3.0, GAIN), (-1.0, LOSS), (-9.0, LOSS)]
)
def test_shaded_cell_goes_from_neutral_to_the_darkest(shade: float, color: str) -> None:
    markup = table(Table("", [""], [("", [Cell("x", shade)])]))
    assert f"background:{color};" in markup


def test_chart_has_a_heading_a_summary_a_legend_and_a_caption() -> None:
    content = Chart(
        "growth", "Growth", "It grew.", [{"y": [1]}], {}, {"PPO": "#1f5fa8"}, "After costs."
    )
    markup = chart(content)
    assert '<div class="chart" id="chart-growth" role="img" aria-label="It grew."' in markup
    assert _read(markup).text == ["Growth", "PPO", "After costs."]


def test_chart_and_table_without_content_say_so() -> None:
    empty = chart(Chart("growth", "Growth", "", [], {}))
    assert "No data yet." in empty
    assert "chart-growth" not in empty
    assert "Figures: no data yet." in table(Table("Figures", ["", "PPO"], []))
