"""How good the portfolios of learned policies have been lately, and whether they became too bad.

A row counts the last 20 and 60 returns after costs that were known at its close. Over 60 sessions a
Sharpe ratio has a standard error of two, so a policy has decayed where the ratio is below the
setting and also below what its own earlier windows explain (`monitoring.quality.chance`). Who
decides instead belongs to `monitoring.promotion`, forecasts to `monitoring.quality.rolling`.
"""

import numpy as np
import pandas as pd

from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.rolling_scores import trailing
from odyssey_assets.monitoring.quality.chance import chance_limits
from odyssey_assets.monitoring.tables import POLICY_QUALITY
from odyssey_assets.settings_sections import DecaySettings

BENCHMARK = "equal_weight"
SHORT, LONG = 20, 60


def measure_policy_quality(
    daily: pd.DataFrame, weights: pd.DataFrame, policies: pd.DataFrame, challengers: pd.DataFrame
) -> pd.DataFrame:
    """Return the rolling figures of each learned policy at each close at which a model decided.

    A figure over n returns is null until there are n, and where they do not vary; that of equal
    weight is of the same sessions as the policy's, null where one of them is missing.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        weights: Rows of `portfolio.weights` of the same sessions; a learned policy is one whose
            rows name a model.
        policies: Rows of `portfolio.policies` of the same windows.
        challengers: Rows of `portfolio.policy_challengers`.

    Returns:
        The columns of `monitoring.policy_quality` but those about decay, sorted by policy and date.
    """
    is_learned = weights["model_sha256"].notna()
    decided = weights.loc[is_learned, ["policy", "date", "model_sha256"]]
    deciders = decided.drop_duplicates(["policy", "date"])
    earned = daily.rename(columns={"strategy": "policy"})
    benchmark = earned[earned["policy"] == BENCHMARK].set_index("date")["return"]
    own = earned[earned["policy"].isin(deciders["policy"])].sort_values(["policy", "date"])
    parts = [
        _figures(rows, benchmark.reindex(rows["date"]).to_numpy(dtype=np.float64))
        for _, rows in own.groupby("policy", sort=True)
    ]
    if not parts:
        return POLICY_QUALITY.empty().drop(columns=["sharpe_floor", "is_sharpe_decayed"])
    figures = pd.concat(parts).merge(deciders, on=["policy", "date"]).sort_values("date")
    return pd.merge_asof(
        figures, _promises(policies, challengers), on="date", by=["policy", "model_sha256"]
    ).sort_values(["policy", "date"], ignore_index=True)


def judge_policy_decay(rows: pd.DataFrame, settings: DecaySettings) -> pd.DataFrame:
    """Return the rows with the limit that holds for each of them, and whether it is broken.

    Only one figure is judged: the whole false-alarm rate of a policy and window is its own. Without
    enough earlier windows there is no limit, and nothing has decayed.

    Args:
        rows: Of `measure_policy_quality`.
        settings: Plain limit and the false-alarm rate.

    Returns:
        The rows of `monitoring.policy_quality`.
    """
    badness = -rows[["sharpe_60"]]
    by_chance = chance_limits(badness, rows[["policy", "window"]], settings.false_alarm_rate)
    floor = np.minimum(settings.min_sharpe, -by_chance["sharpe_60"])
    judged = rows.assign(sharpe_floor=floor, is_sharpe_decayed=rows["sharpe_60"] < floor)
    return POLICY_QUALITY.conform(judged)


def _figures(rows: pd.DataFrame, benchmark: np.ndarray) -> pd.DataFrame:
    """Return the figures of one policy.

    Args:
        rows: Its daily rows by date.
        benchmark: Returns of equal weight on the same sessions, NaN where it has none.
    """
    own = rows["return"].to_numpy(dtype=np.float64)
    return rows[["policy", "date", "window"]].assign(
        sharpe_20=sharpe(trailing(own, SHORT)),
        sharpe_60=sharpe(trailing(own, LONG)),
        equal_weight_sharpe_60=sharpe(trailing(benchmark, LONG)),
    )


def _promises(policies: pd.DataFrame, challengers: pd.DataFrame) -> pd.DataFrame:
    """Return what validation promised of each model that may decide, and since which date, sorted.

    A training may end where it began, at the model of the window before, which another half year
    has then validated: the newest promise known at a close counts.
    """
    known = pd.concat(
        [
            challengers.rename(columns={"trained_as_of": "date"}),
            policies[policies["is_main_seed"]].rename(columns={"window": "date"}),
        ]
    )
    columns = ["policy", "model_sha256", "date", "validation_sharpe"]
    promises = known.loc[known["model_sha256"].notna(), columns]
    return promises.rename(columns={"validation_sharpe": "expected_sharpe"}).sort_values(
        "date", kind="stable"
    )
