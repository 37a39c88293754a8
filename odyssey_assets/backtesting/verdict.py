"""Who is ahead after costs, and how sure that is, in plain words.

Every figure comes from rows of `backtesting.performance`; how sure a difference is comes from
`backtesting.comparison`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from odyssey_assets.backtesting.comparison import BENCHMARKS, COMMON, Comparison, compare
from odyssey_assets.core.figure_text import count, day, display_name, percent, ratio


@dataclass(frozen=True)
class Verdict:
    """What a reader should take home about one strategy.

    Attributes:
        headline: One sentence.
        reasons: Sentences with the figures behind it, sample size and uncertainty.
    """

    headline: str
    reasons: tuple[str, ...]


def ranked(performance: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the common period, highest Sharpe ratio first, indexed by strategy."""
    rows = performance[performance["period_kind"] == COMMON]
    ordered = rows.sort_values(["sharpe", "strategy"], ascending=[False, True])
    return ordered.set_index("strategy")


def standing(performance: pd.DataFrame, learned: Sequence[str]) -> str:
    """Return one line: the best strategy, and where the learned ones stand, with their spread."""
    rows = ranked(performance)
    if rows.empty or rows["sharpe"].isna().all():
        return "no strategy has a Sharpe ratio yet"
    best = rows.index[0]
    parts = [f"best Sharpe ratio: {display_name(best)} {_sharpe(rows.loc[best])}"]
    for name in learned:
        if name in rows.index and name != best:
            place = rows.index.get_loc(name) + 1
            parts.append(
                f"{display_name(name)} {_sharpe(rows.loc[name])}, rank {place} of {len(rows)}"
            )
        if name in rows.index and rows.loc[name, "seed_count"] > 1:
            parts.append(_seed_range(rows.loc[name]))
    return "; ".join(parts)


def verdict(
    daily: pd.DataFrame,
    performance: pd.DataFrame,
    strategy: str,
    benchmarks: Sequence[str] = BENCHMARKS,
) -> Verdict:
    """Return how a strategy did against the benchmarks over the period that all have in common.

    Args:
        daily: Rows of `backtesting.daily`; tell how sure the differences are.
        performance: Rows of `backtesting.performance`.
        strategy: Who is judged.
        benchmarks: Against whom; itself and those without figures are passed over.
    """
    rows = ranked(performance)
    if strategy not in rows.index or pd.isna(rows.loc[strategy, "sharpe"]):
        return Verdict(
            "No verdict yet: there are too few returns for a Sharpe ratio.",
            ("Strategies are compared over the sessions that all of them have in common.",),
        )
    own = rows.loc[strategy]
    pairs = [compare(daily, performance, strategy, name) for name in benchmarks if name != strategy]
    known = [pair for pair in pairs if pair is not None and not pd.isna(pair.difference)]
    reasons = [_earnings(own, strategy)]
    reasons += [_against(pair, rows.loc[pair.baseline]) for pair in known]
    if own["seed_count"] == 1:
        reasons.append("Only one training stands behind it: its spread over seeds is unknown.")
    elif own["seed_count"] > 1:
        reasons.append(
            f"Its {count(own['seed_count'])} independently trained seeds span {_spread(own)}; "
            "seeds differ only in the half years for which each was trained."
        )
    return Verdict(_headline(own, known), tuple(reasons))


def _headline(own: pd.Series, pairs: Sequence[Comparison]) -> str:
    if not pairs:
        return f"Sharpe ratio after costs {_sharpe(own)}; there is nothing to compare it with."
    ahead = [pair.baseline for pair in pairs if pair.is_better]
    behind = [pair.baseline for pair in pairs if not pair.is_better]
    certainty = "" if all(pair.is_clear for pair in pairs) else ", but it may well be chance"
    if not behind:
        return f"Ahead of {_listed(ahead)} after costs{certainty}."
    if not ahead:
        return f"Not ahead of {_listed(behind)} after costs{certainty}."
    return f"Ahead of {_listed(ahead)}, not of {_listed(behind)}, after costs{certainty}."


def _earnings(own: pd.Series, strategy: str) -> str:
    return (
        f"From {day(own['start_date'])} to {day(own['end_date'])} ({count(own['sessions'])} "
        f"sessions) {display_name(strategy)} made {percent(own['cagr'])} a year after costs of "
        f"{percent(own['annual_cost'], 2)} a year, with a Sharpe ratio of {_sharpe(own)} and a "
        f"deepest fall of {percent(own['max_drawdown'])}."
    )


def _against(pair: Comparison, other: pd.Series) -> str:
    relation = "above" if pair.is_better else "below"
    certainty = (
        "a clear difference"
        if pair.is_clear
        else "too little in so many sessions to tell skill from luck"
    )
    return (
        f"{_capitalised(display_name(pair.baseline))} made {percent(other['cagr'])} a year with a "
        f"Sharpe ratio of {_sharpe(other)}. This strategy's is {ratio(abs(pair.difference))} "
        f"{relation} it, give or take {ratio(pair.difference_error)}: {certainty}."
    )


def _sharpe(row: pd.Series) -> str:
    return f"{ratio(row['sharpe'])} ± {ratio(row['sharpe_standard_error'])}"


def _seed_range(row: pd.Series) -> str:
    return (
        f"its {count(row['seed_count'])} seeds {ratio(row['sharpe_seed_low'])} to "
        f"{ratio(row['sharpe_seed_high'])}"
    )


def _spread(row: pd.Series) -> str:
    return (
        f"Sharpe ratio {ratio(row['sharpe_seed_low'])} to {ratio(row['sharpe_seed_high'])}, total "
        f"return {percent(row['total_return_seed_low'])} to "
        f"{percent(row['total_return_seed_high'])}, deepest fall "
        f"{percent(row['max_drawdown_seed_low'])} to {percent(row['max_drawdown_seed_high'])}"
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(display_name(name) for name in names)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
