"""The tear sheet: one self-contained HTML file a strategy, made of the stored tables.

Which charts and tables a sheet has, and how its files are written: all of them or none. The charts
belong to `tear_sheet_lines` and `tear_sheet_figures`, the tables to `tear_sheet_tables`, the look
to `tear_sheet_page`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pandas as pd

from odyssey_assets.backtesting import tear_sheet_figures as figures
from odyssey_assets.backtesting import tear_sheet_lines as lines
from odyssey_assets.backtesting import tear_sheet_tables as tables
from odyssey_assets.backtesting.comparison import BENCHMARKS
from odyssey_assets.backtesting.curves import days_by_strategy
from odyssey_assets.backtesting.tables import TEAR_SHEETS
from odyssey_assets.backtesting.tear_sheet_html import Chart, chart, section, table, text
from odyssey_assets.backtesting.tear_sheet_page import Page, render
from odyssey_assets.backtesting.verdict import verdict
from odyssey_assets.core.figure_text import count, day, display_name
from odyssey_assets.core.report_files import replace_files
from odyssey_assets.errors import ContractError

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, eq=False)
class TearSheetInputs:
    """What sheets are made of; frames hold the rows of all strategies.

    Attributes:
        descriptions: What each strategy does; these strategies get a sheet.
        daily: Rows of `backtesting.daily` from the beginning.
        trades: Rows of `backtesting.trades` from the beginning.
        performance: Rows of `backtesting.performance`.
        monte_carlo: Rows of `backtesting.monte_carlo`.
        wealth_fan: What `backtesting.monte_carlo.wealth_fan` returns.
        stress: Rows of `backtesting.stress`.
        regimes: Rows of `backtesting.regimes`.
        weights: Rows of `portfolio.weights` from the beginning.
        seed_paths: Rows of `portfolio.seed_paths` from the beginning.
        proxy: Ticker that stands for the market.
        rules: How it was simulated: name and wording of each rule.
    """

    descriptions: Mapping[str, str]
    daily: pd.DataFrame
    trades: pd.DataFrame
    performance: pd.DataFrame
    monte_carlo: pd.DataFrame
    wealth_fan: pd.DataFrame
    stress: pd.DataFrame
    regimes: pd.DataFrame
    weights: pd.DataFrame
    seed_paths: pd.DataFrame
    proxy: str
    rules: Mapping[str, str]

    def of(self, strategy: str) -> "TearSheetInputs":
        """Return the rows of one strategy, where a table does not compare strategies."""
        return replace(
            self,
            **{
                name: _rows_of(getattr(self, name), strategy)
                for name in ("trades", "monte_carlo", "wealth_fan", "stress", "regimes")
            },
            weights=self.weights[self.weights["policy"] == strategy],
        )


def write_tear_sheets(inputs: TearSheetInputs, folder: Path, home: Path) -> pd.DataFrame:
    """Write one file a strategy; files of other strategies in the folder are deleted.

    Args:
        inputs: What the sheets are made of.
        folder: Where the files go, below `home`; holds nothing else.
        home: What the paths of the rows begin below.

    Returns:
        Rows of `backtesting.tear_sheets`.

    Raises:
        ReportError: The disk is full or the folder cannot be written; the old files are there.
        ContractError: A strategy's name cannot name a file.
    """
    rows: list[dict[str, object]] = []
    curves = {name: lines.curves_of(days) for name, days in days_by_strategy(inputs.daily).items()}

    def files() -> Iterator[tuple[str, bytes]]:
        for strategy in inputs.descriptions:
            name, page = _file_name(strategy), page_of(inputs, strategy, curves)
            content = render(page)
            rows.append(
                {
                    "strategy": strategy,
                    "path": (folder / name).relative_to(home).as_posix(),
                    "title": page.title,
                    "content_sha256": sha256(content).hexdigest(),
                    "size_bytes": len(content),
                }
            )
            yield name, content

    replace_files(folder, files(), "*.html")
    return TEAR_SHEETS.conform(pd.DataFrame(rows, columns=list(TEAR_SHEETS.column_names)))


def page_of(inputs: TearSheetInputs, strategy: str, curves: Mapping[str, lines.Curves]) -> Page:
    """Return the sheet of one strategy.

    Args:
        inputs: What the sheets are made of.
        strategy: One of those described.
        curves: Lines of every strategy that has days.
    """
    own = inputs.of(strategy)
    benchmarks = [name for name in BENCHMARKS if name != strategy]
    shown = [name for name in (strategy, *benchmarks) if name in curves]
    over_time = (
        _over_time({name: curves[name] for name in shown}, own) if strategy in curves else []
    )
    held = [figures.weights_chart(own.weights), figures.portfolio_chart(own.weights)]
    fan = figures.fan_chart(own.wealth_fan)
    days = curves[strategy].days if strategy in curves else None
    sections = {
        "verdict": ("Verdict", _verdict(own, strategy)),
        "figures": ("Key figures", _key_figures(own, strategy, benchmarks)),
        "growth": ("Growth and risk", _charts(over_time[:1], over_time[1:3])),
        "months": ("Months", table(tables.months(days))),
        "holdings": ("Holdings", _charts(held[:1], held[1:])),
        "trading": ("Trading and its costs", _trading(over_time[3:], own)),
        "luck": ("Luck", _charts([fan], []) + table(tables.resampled(own.monte_carlo))),
        "stress": ("Stress", table(tables.scenarios(own.stress, own.proxy))),
        "regimes": ("Regimes", table(tables.regimes(own.regimes))),
        "rules": ("How it was simulated", _rules(own.rules)),
    }
    name = display_name(strategy)
    return Page(
        title=f"{name}: tear sheet",
        heading=name,
        description=own.descriptions[strategy],
        period=_period(days),
        is_simulated=days is not None and bool(days["is_simulated"].any()),
        contents={key: title for key, (title, _) in sections.items()},
        sections=[section(key, title, body) for key, (title, body) in sections.items()],
        charts=[*over_time, *held, fan],
        sessions=lines.session_dates(curves[strategy]) if strategy in curves else [],
    )


def _over_time(curves: Mapping[str, lines.Curves], own: TearSheetInputs) -> list[Chart]:
    return [
        lines.growth_chart(curves, own.seed_paths),
        lines.drawdown_chart(curves),
        lines.rolling_chart(curves),
        lines.turnover_chart(curves),
        lines.cost_chart(curves),
    ]


def _verdict(own: TearSheetInputs, strategy: str) -> str:
    said = verdict(own.daily, own.performance, strategy)
    reasons = "".join(f"<li>{text(reason)}</li>" for reason in said.reasons)
    return f'<p class="verdict">{text(said.headline)}</p>\n<ul class="reasons">{reasons}</ul>'


def _key_figures(own: TearSheetInputs, strategy: str, benchmarks: Sequence[str]) -> str:
    both = tables.key_figures(own.performance, strategy, benchmarks)
    return '<div class="pair">' + "".join(f"<div>{table(part)}</div>" for part in both) + "</div>"


def _charts(wide: Sequence[Chart], pairs: Sequence[Chart]) -> str:
    above = "".join(map(chart, wide))
    return above + (f'<div class="pair">{"".join(map(chart, pairs))}</div>' if pairs else "")


def _trading(charts: Sequence[Chart], own: TearSheetInputs) -> str:
    return _charts([], charts) + table(tables.largest_trades(own.trades))


def _rules(rules: Mapping[str, str]) -> str:
    pairs = "".join(f"<dt>{text(name)}</dt><dd>{text(said)}</dd>" for name, said in rules.items())
    return f"<dl>{pairs}</dl>"


def _period(days: pd.DataFrame | None) -> str:
    if days is None:
        return "It has not traded yet."
    return f"{day(days.index[0])} to {day(days.index[-1])}, {count(len(days))} sessions"


def _file_name(strategy: str) -> str:
    if not _SAFE_NAME.fullmatch(strategy):
        raise ContractError(
            f"The strategy {strategy!r} cannot name a file; use letters, digits, '_' and '-'."
        )
    return f"{strategy}.html"


def _rows_of(rows: pd.DataFrame, strategy: str) -> pd.DataFrame:
    return rows[rows["strategy"] == strategy]
