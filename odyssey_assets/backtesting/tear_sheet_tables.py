"""The tables of a report, from rows of the stored tables: figures are worded, never computed."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.curves import monthly_returns
from odyssey_assets.backtesting.scenarios import REGIME_NAMES, ordered_scenarios
from odyssey_assets.backtesting.shocks import COSTS_TRIPLED
from odyssey_assets.backtesting.tear_sheet_html import Cell, Table
from odyssey_assets.core.figure_text import (
    UNKNOWN,
    count,
    day,
    display_name,
    percent,
    ratio,
)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LARGEST_TRADES = 12
# A month of this return has the darkest shade; a year of this times the root of twelve.
_FULL_MONTH = 0.08
_FULL_STRESS = 0.3

Wording = Callable[[pd.Series], str]


def _one(name: str, wording: Callable[..., str], **options: object) -> Wording:
    return lambda row: wording(row[name], **options)


def _range(figure: str, wording: Callable[[float], str]) -> Wording:
    return lambda row: (
        f"{wording(row[f'{figure}_seed_low'])} to {wording(row[f'{figure}_seed_high'])}"
        if row["seed_count"] > 1 and np.isfinite(row[f"{figure}_seed_low"])
        else UNKNOWN
    )


def _sharpe(row: pd.Series) -> str:
    if not np.isfinite(row["sharpe"]):
        return UNKNOWN
    return f"{ratio(row['sharpe'])} ± {ratio(row['sharpe_standard_error'])}"


def _longest_fall(row: pd.Series) -> str:
    sessions = row["max_drawdown_sessions"]
    return f"{count(sessions)} sessions" if np.isfinite(sessions) else UNKNOWN


RETURN_FIGURES: Mapping[str, Wording] = {
    "Sessions": _one("sessions", count),
    "Total return": _one("total_return", percent),
    "Growth a year": _one("cagr", percent),
    "Volatility a year": _one("volatility", percent),
    "Sharpe ratio ± standard error": _sharpe,
    "Probability that it exceeds 0": _one("probabilistic_sharpe", percent),
    "Sortino ratio": _one("sortino", ratio),
    "Calmar ratio": _one("calmar", ratio),
    "Deepest fall": _one("max_drawdown", percent),
    "Longest time under water": _longest_fall,
    "Winning sessions": _one("win_rate", percent),
    "Gains / losses": _one("profit_factor", ratio),
}
OTHER_FIGURES: Mapping[str, Wording] = {
    "Value at risk of a session, 95%": _one("value_at_risk_95", percent, decimals=2),
    "Expected shortfall, 95%": _one("expected_shortfall_95", percent, decimals=2),
    "Beta to the market": _one("beta", ratio),
    "Correlation with the market": _one("correlation", ratio),
    "Turnover a year, times equity": _one("turnover", ratio),
    "Costs a year": _one("annual_cost", percent, decimals=2),
    "Costs / gain before costs": _one("cost_share", percent),
    "Sharpe ratio over seeds": _range("sharpe", ratio),
    "Total return over seeds": _range("total_return", percent),
    "Deepest fall over seeds": _range("max_drawdown", percent),
}


def key_figures(
    performance: pd.DataFrame, strategy: str, benchmarks: Sequence[str]
) -> tuple[Table, Table]:
    """Return the strategy beside the benchmarks over the common period.

    And over its whole life where that is longer. Figures that none of them has are left out.
    """
    common = performance[performance["period_kind"] == "common"].set_index("strategy")
    columns = {
        display_name(name): common.loc[name]
        for name in (strategy, *benchmarks)
        if name in common.index
    }
    note = ""
    if columns:
        first = next(iter(columns.values()))
        note = (
            f"After costs, {day(first['start_date'])} to {day(first['end_date'])}: the sessions "
            "that all strategies have in common. "
        )
    own = performance[performance["strategy"] == strategy]
    for _, whole in own[own["period_kind"] == "whole"].iterrows():
        if all(row["sessions"] < whole["sessions"] for row in columns.values()):
            columns[f"{display_name(strategy)}, whole life"] = whole
            note += f"Whole life: since {day(whole['start_date'])}."
    return (
        _figure_table("Return and risk", RETURN_FIGURES, columns, note),
        _figure_table("Tails, trading and seeds", OTHER_FIGURES, columns, ""),
    )


def months(days: pd.DataFrame | None) -> Table:
    """Return what the strategy earned in every month and year."""
    grid = pd.DataFrame() if days is None else monthly_returns(days)
    scale = np.array([_FULL_MONTH] * 12 + [_FULL_MONTH * np.sqrt(12.0)])
    rows = [
        (
            str(year),
            [
                Cell(percent(value), float(value / full)) if np.isfinite(value) else Cell("")
                for value, full in zip(values, scale, strict=True)
            ],
        )
        for year, values in zip(grid.index, grid.to_numpy(), strict=True)
    ]
    return Table(
        "Returns by month, after costs",
        ["", *_MONTHS, "Year"],
        rows,
        "The first and the last month and year may be incomplete.",
        style="months",
    )


def resampled(monte_carlo: pd.DataFrame) -> Table:
    """Return the quantiles of one strategy's resampled paths."""
    labels = {
        "terminal_wealth": ("1 USD at the end", ratio),
        "sharpe": ("Sharpe ratio", ratio),
        "max_drawdown": ("Deepest fall", percent),
    }
    grid = monte_carlo.pivot_table(
        index="quantity", columns="quantile", values="value", dropna=False
    )
    rows = [
        (label, [Cell(wording(value)) for value in grid.loc[quantity]])
        for quantity, (label, wording) in labels.items()
        if quantity in grid.index
    ]
    note = ""
    if len(monte_carlo):
        row = monte_carlo.iloc[0]
        note = (
            f"{count(row['paths'])} paths of {count(row['path_sessions'])} sessions, strung "
            f"together from blocks of {ratio(row['block_sessions'], 0)} sessions on average out "
            f"of {count(row['sessions'])}; {percent(row['probability_of_loss'])} of them lose "
            "money. Resampling shuffles what happened: it knows no crisis that has not."
        )
    head = ["Share of paths below", *(f"{100 * quantile:g}%" for quantile in grid.columns)]
    return Table("Quantiles of resampled paths", head, rows, note)


def scenarios(stress: pd.DataFrame, proxy: str) -> Table:
    """Return one strategy in crises and under shocks, with the reason where there is no figure."""
    by_name = stress.set_index("scenario")
    rows = [(name, _scenario(by_name.loc[name])) for name in ordered_scenarios(stress)]
    return Table(
        "Crises and shocks",
        ["", "Return", proxy, "Without shock", "Deepest fall", "Volatility", "How"],
        rows,
        "Moves of the market reach the newest portfolio through today's betas. Doubled volatility "
        "and correlations of one: the return of 20 sessions that is worse only once in twenty. "
        "Costs tripled: the newest year, had it paid them since it began.",
        style="scenarios",
    )


def regimes(rows: pd.DataFrame) -> Table:
    """Return one strategy by the regime of the market."""
    by_state = rows.set_index("regime")
    body = [
        (name, _regime(by_state.loc[state]))
        for state, name in REGIME_NAMES.items()
        if state in by_state.index
    ]
    head = [
        "Market", "Sessions", "Share", "Return a year", "Volatility", "Sharpe ratio",
        "Deepest fall", "Winning", "Turnover",
    ]  # fmt: skip
    note = "By the regime known at the close before; returns a year are daily means times 252."
    return Table("By regime of the market", head, body, note)


def largest_trades(trades: pd.DataFrame) -> Table:
    """Return the fills of the largest value."""
    size = trades["traded_value"].abs()
    chosen = trades.assign(size=size).sort_values(
        ["size", "date", "ticker"], ascending=[False, False, True]
    )
    body = [(day(row["date"]), _trade(row)) for _, row in chosen.head(LARGEST_TRADES).iterrows()]
    head = [
        "Filled",
        "Ticker",
        "Side",
        "Shares",
        "Price, USD",
        "Value, USD",
        "Costs, USD",
        "Of volume",
    ]
    fills = f"{count(len(trades))} fill{'s' if len(trades) > 1 else ''} in all"
    note = f"{fills}. Decided at the close before, filled at the open."
    return Table("Largest trades", head, body, note if len(trades) else "", style="trades")


def _figure_table(
    caption: str, figures: Mapping[str, Wording], columns: Mapping[str, pd.Series], note: str
) -> Table:
    worded = {
        label: [wording(row) for row in columns.values()] for label, wording in figures.items()
    }
    body = [
        (label, [Cell(said) for said in figures])
        for label, figures in worded.items()
        if set(figures) - {UNKNOWN}
    ]
    return Table(caption, ["", *columns], body, note, style="figures")


def _scenario(row: pd.Series) -> list[Cell]:
    if row["status"] != "computed":
        market = Cell(percent(row["proxy_return"]))
        return [Cell("no data"), market, *[Cell(UNKNOWN)] * 3, Cell(str(row["reason"]))]
    return [
        Cell(percent(row["portfolio_return"]), float(row["portfolio_return"] / _FULL_STRESS)),
        Cell(percent(row["proxy_return"])),
        Cell(percent(row["unshocked_return"])),
        Cell(percent(row["max_drawdown"])),
        Cell(percent(row["volatility"])),
        Cell(_how(row)),
    ]


def _how(row: pd.Series) -> str:
    """Return on which portfolio a scenario was computed."""
    when = f"{day(row['start_date'])} to {day(row['end_date'])}, "
    if row["method"] == "own_path":
        return f"{when}as it then held"
    if row.name == COSTS_TRIPLED:
        return f"its newest {count(row['sessions'])} sessions"
    covered = row["covered_weight"]
    part = f", {percent(covered, 0)} of it with prices" if round(covered, 2) < 1 else ""
    return f"{when if row['method'] == 'newest_weights' else ''}its newest portfolio{part}"


def _regime(row: pd.Series) -> list[Cell]:
    return [
        Cell(count(row["sessions"])),
        Cell(percent(row["share"], 0)),
        Cell(percent(row["mean_annual_return"])),
        Cell(percent(row["volatility"])),
        Cell(_sharpe(row)),
        Cell(percent(row["max_drawdown"])),
        Cell(percent(row["win_rate"])),
        Cell(ratio(row["turnover"], 1)),
    ]


def _trade(row: pd.Series) -> list[Cell]:
    return [
        Cell(str(row["ticker"])),
        Cell("buy" if row["shares"] > 0 else "sell"),
        Cell(count(abs(row["shares"]))),
        Cell(ratio(row["price"])),
        Cell(count(abs(row["traded_value"]))),
        Cell(count(row["costs"])),
        Cell(percent(row["participation"], 2)),
    ]
