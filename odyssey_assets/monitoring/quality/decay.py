"""When forecasts have become worse than they promised, and worse than chance makes them.

Over 60 sessions with overlapping outcomes a rank correlation has a standard error of a quarter, so
a plain limit is passed in most half years in which nothing has changed. A figure has decayed where
it breaks the limit of the settings and is also worse than the ticker's own earlier windows explain.
The figures themselves belong to `monitoring.quality.rolling`.
"""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from odyssey_assets.settings_sections import DecaySettings

JUDGED = ("correlation", "coverage", "sharpe")
MIN_PAST_WINDOWS = 4
# An earlier window counts if the figure was known on so many of its sessions: half of them.
MIN_WINDOW_SESSIONS = 60


def judge_decay(quality: pd.DataFrame, settings: DecaySettings) -> pd.DataFrame:
    """Return the rows with the limits that hold for each of them, and which figures break theirs.

    What chance explains follows from the worst value of each earlier window of the ticker: the next
    window's worst lies beyond mean + t * deviation * sqrt(1 + 1 / windows) with the probability of
    Student's t (prediction interval for one further observation: Hahn and Meeker, Statistical
    Intervals, 1991, section 4.7). The three figures share the false-alarm rate (Bonferroni), so it
    holds for a ticker and window, however often one looks. Without enough earlier windows there is
    no limit, and nothing has decayed.

    Args:
        quality: Figures of `monitoring.quality.rolling` from each ticker's first forecast.
        settings: Plain limits and the false-alarm rate.

    Returns:
        The given rows with `information_coefficient_floor`, `coverage_floor`, `coverage_ceiling`,
        `sharpe_floor` (null where there is none) and `is_<figure>_decayed`.
    """
    rate = settings.false_alarm_rate / len(JUDGED)
    limits = _limits(quality, _badness(quality), rate)
    expected = quality["expected_information_coefficient"].to_numpy(dtype=np.float64)
    promised = np.where(expected > 0, settings.correlation_share * expected, np.nan)
    coverage = quality["expected_coverage"].to_numpy(dtype=np.float64)
    by_chance = np.arcsin(np.sqrt(coverage)), limits["coverage"]
    lowest = np.sin(np.maximum(by_chance[0] - by_chance[1], 0.0)) ** 2
    highest = np.sin(np.minimum(by_chance[0] + by_chance[1], np.pi / 2)) ** 2
    judged = quality.assign(
        information_coefficient_floor=np.maximum(
            np.minimum(promised, -limits["correlation"]), -1.0
        ),
        coverage_floor=np.maximum(np.minimum(coverage - settings.coverage_points, lowest), 0.0),
        coverage_ceiling=np.maximum(coverage + settings.coverage_points, highest),
        sharpe_floor=np.minimum(settings.min_sharpe, -limits["sharpe"]),
    )
    share = judged["interval_coverage_60"]
    return judged.assign(
        is_correlation_decayed=judged["information_coefficient_60"]
        < judged["information_coefficient_floor"],
        is_coverage_decayed=(share < judged["coverage_floor"])
        | (share > judged["coverage_ceiling"]),
        is_sharpe_decayed=judged["sharpe_60"] < judged["sharpe_floor"],
    )


def _badness(quality: pd.DataFrame) -> pd.DataFrame:
    """Return how bad each figure is, on a scale on which the worst of a window is about normal.

    A share of few is skewed near one; its angle is not (Anscombe, 1948, Biometrika 35).
    """
    angle, promised = (
        np.arcsin(np.sqrt(quality[name].to_numpy(dtype=np.float64)))
        for name in ("interval_coverage_60", "expected_coverage")
    )
    return pd.DataFrame(
        {
            "correlation": -quality["information_coefficient_60"],
            "coverage": np.abs(angle - promised),
            "sharpe": -quality["sharpe_60"],
        },
        index=quality.index,
    )


def _limits(quality: pd.DataFrame, badness: pd.DataFrame, rate: float) -> dict[str, np.ndarray]:
    """Return for each row how bad a figure may be by chance, NaN where too little is known."""
    by_window = badness.groupby([quality["ticker"], quality["window"]], sort=True)
    worst, known = by_window.max(), by_window.count()
    limits = pd.DataFrame(
        {
            name: worst[name]
            .where(known[name] >= MIN_WINDOW_SESSIONS)
            .groupby(level="ticker", group_keys=False)
            .transform(lambda column: _next_limits(column.to_numpy(), rate))
            for name in JUDGED
        }
    )
    cells = pd.MultiIndex.from_arrays([quality["ticker"], quality["window"]])
    found = limits.reindex(cells)
    return {name: found[name].to_numpy(dtype=np.float64) for name in JUDGED}


def _next_limits(worst: np.ndarray, rate: float) -> np.ndarray:
    """Return what the next value passes with probability `rate`, given those before it.

    Args:
        worst: One value a window, oldest first; NaN for a window that does not count.
        rate: One-sided probability.
    """
    limits = np.full(len(worst), np.nan)
    for at in range(len(worst)):
        past = worst[:at][~np.isnan(worst[:at])]
        if len(past) < MIN_PAST_WINDOWS:
            continue
        quantile = stdtrit(len(past) - 1, 1.0 - rate)
        spread = np.std(past, ddof=1) * np.sqrt(1.0 + 1.0 / len(past))
        limits[at] = np.mean(past) + quantile * spread
    return limits
