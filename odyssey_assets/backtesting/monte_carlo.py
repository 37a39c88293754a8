"""How much of a result was luck: quantiles over paths resampled from what strategies earned.

The sample is the daily returns of the sessions on which every strategy has one, the period
`common` of `backtesting.performance`: each path strings together the same sessions for all
strategies, so their figures differ by what they held and not by which years they have seen. What a
strategy earned before the youngest one began is left out. Resampling keeps the sample's mean: the
quantiles say how the order of days matters, not whether the mean will last.

How sessions are drawn belongs to `core.block_bootstrap`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.path_figures import TERMINAL_WEALTH, path_figures
from odyssey_assets.backtesting.tables import MONTE_CARLO, RESAMPLED
from odyssey_assets.core.block_bootstrap import draw_paths
from odyssey_assets.core.returns import compounded_growth
from odyssey_assets.settings import Settings

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, eq=False)
class Sample:
    """What is resampled.

    Attributes:
        strategies: Names, ascending: their order in the rows does not matter.
        returns: Of the common sessions, ascending; shape (sessions, strategies).
        is_simulated: Whether any of the strategy's returns is, shape (strategies,).
    """

    strategies: tuple[str, ...]
    returns: np.ndarray
    is_simulated: np.ndarray


def monte_carlo_rows(daily: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Resample all strategies and return the quantiles of what the paths amount to.

    A quantile is linear between order statistics. Paths whose returns do not vary have no Sharpe
    ratio and are left out of its quantiles; null where none has one. A path loses when it ends
    below its capital. One common session is a sample too, of which every path is a repetition:
    read the figures beside `sessions`.

    Args:
        daily: Rows of `backtesting.daily`.
        settings: Paths, their sessions, the mean block, and the seed.

    Returns:
        Rows of `backtesting.monte_carlo`; none where the strategies share no session.
    """
    sample = common_sample(daily)
    if len(sample.returns) == 0:
        return MONTE_CARLO.empty()
    figures = path_figures(sample.returns, _drawn(sample, settings))
    chosen = settings.backtesting
    rows = [
        {
            "strategy": strategy,
            "quantity": quantity,
            "quantile": quantile,
            "value": value,
            "probability_of_loss": np.mean(figures[TERMINAL_WEALTH, :, column] < 1.0),
            "paths": chosen.monte_carlo_paths,
            "path_sessions": chosen.monte_carlo_sessions,
            "block_sessions": chosen.block_sessions,
            "sessions": len(sample.returns),
            "is_simulated": sample.is_simulated[column],
        }
        for column, strategy in enumerate(sample.strategies)
        for quantity, values in zip(RESAMPLED, figures[:, :, column], strict=True)
        for quantile, value in zip(QUANTILES, _quantiles(values), strict=True)
    ]
    return MONTE_CARLO.conform(pd.DataFrame(rows))


def wealth_fan(daily: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return how the quantiles of wealth spread over a path: the fan of the picture.

    From the same paths as `monte_carlo_rows`, whose terminal wealth is the fan's last session.

    Args:
        daily: Rows of `backtesting.daily`.
        settings: As in `monte_carlo_rows`.

    Returns:
        Columns `strategy`, `session` (0: the start, where wealth is 1), `quantile` and `wealth`
        (multiple of capital), sorted by the first three; no rows where strategies share no session.
    """
    sample = common_sample(daily)
    steps, levels = settings.backtesting.monte_carlo_sessions + 1, len(QUANTILES)
    names = sample.strategies if len(sample.returns) else ()
    wealth = np.ones((len(names), steps, levels))
    if names:
        drawn = _drawn(sample, settings)
        for column in range(len(names)):
            growth = compounded_growth(sample.returns[:, column][drawn])
            wealth[column, 1:] = np.quantile(growth, QUANTILES, axis=0).T
    return pd.DataFrame(
        {
            "strategy": pd.Series(np.repeat(names, steps * levels), dtype="str"),
            "session": np.tile(np.repeat(np.arange(steps), levels), len(names)),
            "quantile": np.tile(QUANTILES, len(names) * steps),
            "wealth": wealth.ravel(),
        }
    )


def common_sample(daily: pd.DataFrame) -> Sample:
    """Return the returns of the sessions that all strategies of the rows share."""
    wide = daily.set_index(["date", "strategy"])["return"].unstack("strategy").sort_index()  # noqa: PD010 (a pivot of unique keys)
    common = wide.dropna()
    simulated = daily[daily["date"].isin(common.index)].groupby("strategy")["is_simulated"].any()
    return Sample(
        strategies=tuple(wide.columns),
        returns=common.to_numpy(dtype=np.float64),
        is_simulated=simulated.reindex(wide.columns, fill_value=False).to_numpy(dtype=bool),
    )


def _drawn(sample: Sample, settings: Settings) -> np.ndarray:
    chosen = settings.backtesting
    return draw_paths(
        np.random.default_rng(settings.seed),
        len(sample.returns),
        chosen.block_sessions,
        chosen.monte_carlo_paths,
        chosen.monte_carlo_sessions,
    )


def _quantiles(values: np.ndarray) -> np.ndarray:
    known = values[~np.isnan(values)]
    return np.quantile(known, QUANTILES) if len(known) else np.full(len(QUANTILES), np.nan)
