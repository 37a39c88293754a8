"""The page of the brief: well-formed, self-contained, escaped, and the same for the same night."""

import re
from datetime import date
from html import unescape
from html.parser import HTMLParser

import pytest

from odyssey_assets.monitoring.brief.page import render
from odyssey_assets.monitoring.brief.sections import TITLES, brief_of
from odyssey_assets_tests.monitoring.brief.nights import EMPTY, NIGHT, rows_of

VOID = {"meta"}
HOSTILE = "<script>alert('x')</script>\"&"


class _Tags(HTMLParser):
    """Keeps the elements that are open, and refuses one that closes out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        named = dict(attrs)
        self.ids += [str(named["id"])] if "id" in named else []
        self.links += [str(named["href"])] if "href" in named else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _tags(page: str) -> _Tags:
    tags = _Tags()
    tags.feed(page)
    return tags


@pytest.fixture(scope="module")
def page() -> str:
    return render(brief_of(rows_of())).decode()


def test_page_is_well_formed_and_links_to_its_own_sections(page: str) -> None:
    tags = _tags(page)
    assert tags.open == []
    assert tags.ids == list(TITLES)
    assert tags.links == [f"#{name}" for name in TITLES]


def test_page_says_every_line(page: str) -> None:
    shown = unescape(re.sub(r"<[^>]*>", " ", page))
    for section, subject, ticker, text, *_ in NIGHT:
        if ticker is None and not (section == "portfolio" and subject == "(all)"):
            assert str(text) in shown
        elif ticker is not None:
            assert ("cash" if ticker == "(cash)" else str(ticker)) in shown
    assert "buy 2.0 %" in shown
    assert "sell 4.0 %" in shown
    assert "After the session of 2024-08-16" in shown


def test_page_shows_problems_and_warnings_on_top(page: str) -> None:
    top = page[page.index("To look at first") : page.index('<section id="freshness"')]
    assert top.index("disk full") < top.index("3 of 31 inputs")
    assert top.count('class="badge ') == 2
    calm = render(brief_of(rows_of(NIGHT[:2]))).decode()
    assert "<h2>To look at first</h2>\n<p>Nothing.</p>" in calm


def test_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert "default-src 'none'" in page
    assert not re.search(r"<script|<link|<img|src=|url\(|https?:", page)
    assert len(page) < 30_000


def test_bars_of_a_portfolio_are_as_long_as_its_weights(page: str) -> None:
    widths = [float(width) for width in re.findall(r'style="width:([\d.]+)%"', page)]
    assert widths == pytest.approx([28.6, 14.3, 100, 5.3, 100], abs=0.05)


def test_page_escapes_what_comes_from_data() -> None:
    lines = (
        ("drift", HOSTILE, None, HOSTILE, None, "warning"),
        ("portfolio", HOSTILE, None, HOSTILE, 0.1, "note"),
        ("portfolio", HOSTILE, HOSTILE, HOSTILE, 0.1, "note"),
    )
    page = render(brief_of(rows_of(lines))).decode()
    assert "<script" not in page
    assert _tags(page).open == []


@pytest.mark.parametrize(
    ("expected", "is_old"), [(None, False), (date(2024, 8, 16), False), (date(2024, 8, 19), True)]
)
def test_page_says_when_its_data_is_old(expected: date | None, is_old: bool) -> None:
    page = render(brief_of(rows_of()), expected).decode()
    assert ("everything below is old" in page) == is_old


def test_page_says_when_its_data_is_simulated(page: str) -> None:
    assert "Simulated data" not in page
    assert "Simulated data" in render(brief_of(rows_of(is_simulated=True))).decode()


def test_page_links_to_earlier_ones() -> None:
    page = render(brief_of(rows_of()), None, ["2024-08-15", "2024-08-14"]).decode()
    assert '<a href="2024-08-15.html">2024-08-15</a>' in page


def test_page_of_an_empty_home_says_so() -> None:
    page = render(brief_of(rows_of(EMPTY, None)), date(2024, 8, 19)).decode()
    assert "Before the first session" in page
    assert "<b>Data</b>No bar is stored yet.</li>" in page, "it is to be looked at first"
    assert "everything below is old" not in page
    assert _tags(page).open == []


def test_same_night_gives_the_same_bytes() -> None:
    assert render(brief_of(rows_of())) == render(brief_of(rows_of()))
