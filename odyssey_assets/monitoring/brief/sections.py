"""The brief as sections and lines, read from rows of `marts.mart_morning_brief`.

What a line says is decided in SQL. How it looks belongs to `page` and `chart`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from odyssey_assets.core.figure_text import display_name, percent

EVERYTHING = "(all)"
CASH = "(cash)"
PORTFOLIO = "portfolio"
SEVERITIES = ("good", "note", "warning", "problem")
TITLES = {
    "freshness": "Data",
    "quarantine": "Quarantine",
    "drift": "Drift",
    "decay": "Decay",
    "retraining": "Retraining",
    "promotion": "Promotions",
    PORTFOLIO: "Portfolio for the next open",
    "warnings": "Warnings",
}


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        subject: Ticker, macro series, policy, or `EVERYTHING`.
        ticker: What a policy holds; None outside portfolios.
        text: The line in words.
        value: Its key figure; None without one.
        severity: One of `SEVERITIES`.
    """

    subject: str
    ticker: str | None
    text: str
    value: float | None
    severity: str


@dataclass(frozen=True)
class Section:
    """Lines about one thing.

    Attributes:
        name: As the mart has it.
        lines: In order; the first sums the others up where it is about `EVERYTHING`.
    """

    name: str
    lines: tuple[Line, ...]

    @property
    def title(self) -> str:
        """The heading."""
        return TITLES.get(self.name, self.name.capitalize())

    @property
    def severity(self) -> str:
        """The worst of its lines."""
        return max((line.severity for line in self.lines), key=SEVERITIES.index, default="note")

    @property
    def summary(self) -> str:
        """What its first line says; of portfolios, what each policy wants invested."""
        if self.name == PORTFOLIO and self.policies:
            return "; ".join(
                f"{display_name(line.subject)} wants {percent(line.value or 0.0, 0)} invested"
                for line in self.policies
            )
        return self.lines[0].text if self.lines else "Nothing is known."

    @property
    def details(self) -> tuple[Line, ...]:
        """The lines about one subject each."""
        return tuple(line for line in self.lines if line.subject != EVERYTHING)

    @property
    def policies(self) -> tuple[Line, ...]:
        """Of portfolios: the line of each policy, in order."""
        return tuple(line for line in self.details if line.ticker is None)

    def holdings(self, policy: str) -> tuple[Line, ...]:
        """Return the lines of what a policy wants and holds, largest target first, cash last."""
        return tuple(
            line for line in self.details if line.subject == policy and line.ticker is not None
        )


@dataclass(frozen=True)
class Brief:
    """What happened in the night.

    Attributes:
        session: Newest session of any ticker; None before there is one.
        is_simulated: Whether any of the data is simulated.
        sections: In the order of the mart.
    """

    session: date | None
    is_simulated: bool
    sections: tuple[Section, ...]

    @property
    def urgent(self) -> tuple[tuple[Section, Line], ...]:
        """The lines that a person should look at first: problems, then warnings.

        A line that sums a section up counts only as a problem: its warnings stand below it.
        """
        found = [
            (section, line)
            for section in self.sections
            for line in section.lines
            if line.severity == "problem"
            or (line.severity == "warning" and line.subject != EVERYTHING)
        ]
        # A stable sort: within a severity, the order of the sections stays.
        return tuple(sorted(found, key=lambda each: -SEVERITIES.index(each[1].severity)))

    def section(self, name: str) -> Section:
        """Return the section of that name; one without lines where the brief has none."""
        return next((each for each in self.sections if each.name == name), Section(name, ()))


def brief_of(rows: pd.DataFrame) -> Brief:
    """Return the brief of rows of `marts.mart_morning_brief`, in any order."""
    ordered = rows.sort_values("line")
    sections = tuple(
        Section(str(name), _lines(ordered[ordered["section"] == name]))
        for name in ordered["section"].drop_duplicates()
    )
    sessions = ordered["session"].dropna()
    return Brief(
        session=None if sessions.empty else pd.Timestamp(sessions.iloc[0]).date(),
        is_simulated=bool(ordered["is_simulated"].any()),
        sections=sections,
    )


def markdown(brief: Brief) -> str:
    """Return the brief as Markdown, for the Dagster UI."""
    parts = []
    for section in brief.sections:
        parts.append(f"### {section.title}\n\n{_plain(section.summary)}")
        parts.append("\n".join(_bullets(section.details)))
    return "\n\n".join(part for part in parts if part)


def _bullets(lines: Sequence[Line]) -> list[str]:
    return [
        f"- **{_plain(line.subject if line.ticker is None else f'{line.subject} {line.ticker}')}**"
        f"{f' ({line.severity})' if line.severity in SEVERITIES[2:] else ''}: {_plain(line.text)}"
        for line in lines
    ]


def _plain(text: str) -> str:
    """Return text that Markdown leaves as it is."""
    for sign in "\\`*_[]<>#|":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")


def _lines(rows: pd.DataFrame) -> tuple[Line, ...]:
    return tuple(
        Line(
            subject=str(row["subject"]),
            ticker=None if pd.isna(row["ticker"]) else str(row["ticker"]),
            text=str(row["text"]),
            value=None if pd.isna(row["value"]) else float(row["value"]),
            severity=str(row["severity"]),
        )
        for row in rows.to_dict("records")
    )
