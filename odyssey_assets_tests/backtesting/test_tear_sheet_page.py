import json
import re
from dataclasses import replace

from plotly.offline import get_plotlyjs

from odyssey_assets.backtesting.tear_sheet_html import Chart, section
from odyssey_assets.backtesting.tear_sheet_page import Page, render

HOSTILE = "</script><script>alert(1)</script>"
PAGE = Page(
    title="PPO: tear sheet",
    heading="PPO",
    description="A policy.",
    period="2015-01-02 to 2025-06-30, 2,638 sessions",
    is_simulated=True,
    contents={"verdict": "Verdict"},
    sections=[section("verdict", "Verdict", "<p>No.</p>")],
    charts=[
        Chart("growth", "Growth", "It grew.", [{"name": HOSTILE, "y": [1.0]}], {"title": "x"}),
        Chart("empty", "Empty", "", [], {}),
    ],
    sessions=["2015-01-02"],
)


def test_page_embeds_plotly_once_and_asks_for_nothing_from_elsewhere() -> None:
    page = render(PAGE).decode()
    assert page.count(get_plotlyjs()) == 1
    own = page.replace(get_plotlyjs(), "")
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", own)
    assert "http" not in own.replace("http-equiv", "")
    assert "default-src 'none'" in own


def test_page_is_the_same_bytes_for_the_same_content() -> None:
    assert render(PAGE) == render(PAGE)


def test_data_cannot_end_its_script_and_reads_back() -> None:
    page = render(PAGE).decode()
    [packed] = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)
    assert "<" not in packed
    content = json.loads(packed)
    assert content["sessions"] == ["2015-01-02"]
    assert list(content["figures"]) == ["growth"]
    assert content["figures"]["growth"]["data"][0]["name"] == HOSTILE
    assert HOSTILE not in page.replace(get_plotlyjs(), "")


def test_page_says_that_data_is_simulated_only_where_true() -> None:
    assert b"Simulated data" in render(PAGE)
    assert b"Simulated data" not in render(replace(PAGE, is_simulated=False))


def test_texts_of_the_page_are_escaped() -> None:
    hostile = replace(PAGE, title=HOSTILE, heading=HOSTILE, description=HOSTILE, period=HOSTILE)
    page = render(hostile).decode()
    assert "<script>alert(1)" not in page
    assert page.count("&lt;script&gt;alert(1)") == 4


def test_page_links_to_its_sections_and_says_its_language_and_width() -> None:
    page = render(PAGE).decode()
    assert '<a href="#verdict">Verdict</a>' in page
    assert '<section id="verdict"' in page
    assert '<html lang="en">' in page
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in page
