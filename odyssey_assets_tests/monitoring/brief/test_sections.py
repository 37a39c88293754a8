from datetime import date

import pytest

from odyssey_assets.monitoring.brief.sections import TITLES, Brief, Section, brief_of, markdown
from odyssey_assets_tests.monitoring.brief.nights import EMPTY, NIGHT, rows_of


@pytest.fixture
def brief() -> Brief:
    return brief_of(rows_of())


def test_brief_has_the_sections_of_the_mart_in_its_order(brief: Brief) -> None:
    assert [section.name for section in brief.sections] == list(TITLES)
    assert [section.title for section in brief.sections] == list(TITLES.values())
    assert brief.session == date(2024, 8, 16)
    assert sum(len(section.lines) for section in brief.sections) == len(NIGHT)
    assert brief_of(rows_of().sample(frac=1.0, random_state=1)) == brief, "rows come in any order"


def test_section_is_as_severe_as_its_worst_line(brief: Brief) -> None:
    found = {section.name: section.severity for section in brief.sections}
    assert found == {
        "freshness": "good", "quarantine": "good", "drift": "warning", "decay": "good",
        "retraining": "problem", "promotion": "note", "portfolio": "note", "warnings": "good",
    }  # fmt: skip


def test_urgent_lines_are_problems_before_warnings(brief: Brief) -> None:
    found = [(section.name, line.severity) for section, line in brief.urgent]
    assert found == [("retraining", "problem"), ("drift", "warning")]


def test_summary_is_the_first_line_and_of_portfolios_what_is_invested(brief: Brief) -> None:
    assert brief.section("drift").summary == "1 of 15 tickers drifted."
    expected = "equal weight wants 30% invested; PPO wants 5% invested"
    assert brief.section("portfolio").summary == expected
    assert brief.section("unheard of") == Section("unheard of", ())
    assert brief.section("unheard of").summary == "Nothing is known."


def test_holdings_of_a_policy_are_its_own_lines(brief: Brief) -> None:
    portfolio = brief.section("portfolio")
    assert [line.subject for line in portfolio.policies] == ["equal_weight", "ppo"]
    assert [line.ticker for line in portfolio.holdings("ppo")] == ["INTC", "(cash)"]
    assert [line.value for line in portfolio.holdings("equal_weight")] == [0.2, 0.1, 0.7]


def test_brief_of_an_empty_home_has_no_session() -> None:
    brief = brief_of(rows_of(EMPTY, None))
    assert brief.session is None
    assert brief.section("portfolio").summary == "No policy has a portfolio yet."
    assert [line.text for _, line in brief.urgent] == ["No bar is stored yet."]


def test_warning_that_sums_a_section_up_is_not_told_twice() -> None:
    lines = (
        ("freshness", "(all)", None, "1 of 2 tickers end at the newest session.", 1.0, "warning"),
        ("freshness", "BBB", None, "ends 3 sessions before the newest", 3.0, "warning"),
    )
    assert [line.subject for _, line in brief_of(rows_of(lines)).urgent] == ["BBB"]


def test_markdown_holds_every_line_and_nothing_that_it_would_format(brief: Brief) -> None:
    text = markdown(brief)
    assert text.count("### ") == len(TITLES)
    assert "- **INTC** (warning): 3 of 31 inputs drifted (minor)." in text
    assert "- **equal\\_weight INTC**: target 10.0 %, held 8.0 %; buy 2.0 %" in text
    hostile = (("drift", "A*B", None, "<b>|x|</b>\n# y", None, "warning"),)
    assert "- **A\\*B** (warning): \\<b\\>\\|x\\|\\</b\\> \\# y" in markdown(
        brief_of(rows_of(hostile))
    )
