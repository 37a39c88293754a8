"""When forecasts have become worse than they promised, and worse than chance makes them.

Over 60 sessions with overlapping outcomes a rank correlation has a standard error of a quarter, so
a plain limit is passed in most half years in which nothing has changed. A figure has decayed where
it breaks the limit of the settings and is also worse than the ticker's own earlier windows explain.
What they explain belongs to `monitoring.quality.chance`, the figures themselves to
`monitoring.quality.rolling`.
"""

import numpy as np
import pandas as pd

from odyssey_assets.monitoring.quality.chance import chance_limits
from odyssey_assets.settings_sections import DecaySettings

JUDGED = ("correlation", "coverage", "sharpe")


def judge_decay(quality: pd.DataFrame, settings: DecaySettings) -> pd.DataFrame:
    """Return the rows with the limits that hold for each of them, and which figures break theirs.

    What chance explains follows from the worst value of each earlier window of the ticker. The
    three figures share the false-alarm rate (Bonferroni), so it holds for a ticker and window,
    however often one looks. Without enough earlier windows there is no limit, and nothing has
    decayed.

    Args:
        quality: Figures of `monitoring.quality.rolling` from each ticker's first forecast.
        settings: Plain limits and the false-alarm rate.

    Returns:
        The given rows with `information_coefficient_floor`, `coverage_floor`, `coverage_ceiling`,
        `sharpe_floor` (null where there is none) and `is_<figure>_decayed`.
    """
    rate = settings.false_alarm_rate / len(JUDGED)
    found = chance_limits(_badness(quality), quality[["ticker", "window"]], rate)
    limits = {name: found[name].to_numpy(dtype=np.float64) for name in JUDGED}
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
