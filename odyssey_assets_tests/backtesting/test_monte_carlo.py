import math
from datetime import date
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nct

from odyssey_assets.backtesting.monte_carlo import (
    QUANTILES,
    common_sample,
    monte_carlo_rows,
    wealth_fan,
)
from odyssey_assets.backtesting.tables import MONTE_CARLO, RESAMPLED
from odyssey_assets.core.block_bootstrap import draw_paths
from odyssey_assets.core.drawdowns import max_drawdown
from odyssey_assets.core.returns import sharpe, total_return
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR, sessions_between
from odyssey_assets.settings import Settings, build_settings

SESSIONS = sessions_between(date(2010, 1, 4), date(2024, 12, 31))
NORMAL = NormalDist()


def daily_rows(is_simulated: bool = False, **returns: np.ndarray) -> pd.DataFrame:
    """Return the columns of daily rows that are resampled; each strategy ends on one session."""
    end = max(len(own) for own in returns.values())
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "strategy": strategy,
                    "date": SESSIONS[end - len(own) : end],
                    "return": own,
                    "is_simulated": is_simulated,
                }
            )
            for strategy, own in returns.items()
        ],
        ignore_index=True,
    )


def monte_carlo(paths: int, sessions: int, block: float = 20.0, seed: int = 5) -> Settings:
    return build_settings(
        seed=seed,
        backtesting={
            "monte_carlo_paths": paths,
            "monte_carlo_sessions": sessions,
            "block_sessions": block,
        },
    )


def normal_sample(size: int) -> np.ndarray:
    """Return a standard normal sample without sampling error, mean 0 and deviation 1."""
    scores = np.array([NORMAL.inv_cdf((rank + 0.5) / size) for rank in range(size)])
    return np.asarray(np.random.default_rng(1).permutation(scores / scores.std(ddof=1)))


def values_of(rows: pd.DataFrame, quantity: str, strategy: str = "one") -> np.ndarray:
    own = rows[(rows["strategy"] == strategy) & (rows["quantity"] == quantity)]
    assert own["quantile"].tolist() == list(QUANTILES)
    return own["value"].to_numpy()


def random_returns(sessions: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0005, 0.01, sessions)


def quantile_errors(paths: int) -> np.ndarray:
    """Return standard errors of sample quantiles of a standard normal distribution."""
    density = np.array([NORMAL.pdf(NORMAL.inv_cdf(level)) for level in QUANTILES])
    levels = np.array(QUANTILES)
    return np.asarray(np.sqrt(levels * (1 - levels) / paths) / density)


def test_wealth_quantiles_of_independent_lognormal_returns_match_closed_form() -> None:
    mean, deviation, sessions, paths = 0.0004, 0.01, 100, 20_000
    returns = np.expm1(mean + deviation * normal_sample(3000))
    rows = monte_carlo_rows(daily_rows(one=returns), monte_carlo(paths, sessions, block=1.0))

    scores = np.log(values_of(rows, "terminal_wealth")) - mean * sessions
    scores /= deviation * math.sqrt(sessions)
    expected = np.array([NORMAL.inv_cdf(level) for level in QUANTILES])
    assert (np.abs(scores - expected) < 4 * quantile_errors(paths)).all()
    loss = NORMAL.cdf(-mean / deviation * math.sqrt(sessions))
    error = math.sqrt(loss * (1 - loss) / paths)
    assert rows["probability_of_loss"].unique() == pytest.approx([loss], abs=4 * error)


def test_sharpe_quantiles_of_independent_normal_returns_match_noncentral_t() -> None:
    mean, deviation, sessions, paths = 0.0006, 0.01, 100, 20_000
    returns = mean + deviation * normal_sample(3000)
    rows = monte_carlo_rows(daily_rows(one=returns), monte_carlo(paths, sessions, block=1.0))

    statistic = values_of(rows, "sharpe") * math.sqrt(sessions / SESSIONS_PER_YEAR)
    expected = nct.ppf(QUANTILES, sessions - 1, mean / deviation * math.sqrt(sessions))
    assert (np.abs(statistic - expected) < 5 * quantile_errors(paths)).all()


def test_drawdown_quantiles_of_returns_that_only_fall_are_the_loss() -> None:
    returns = -np.abs(random_returns(300, seed=2))
    rows = monte_carlo_rows(daily_rows(one=returns), monte_carlo(500, 40))

    assert values_of(rows, "max_drawdown") == pytest.approx(values_of(rows, "terminal_wealth") - 1)
    assert (rows["probability_of_loss"] == 1.0).all()


def test_long_blocks_keep_what_short_ones_destroy() -> None:
    trend = np.repeat([0.01, -0.01], 50)
    returns = np.tile(trend, 20)
    spread = {}
    for block in (1.0, 200.0):
        rows = monte_carlo_rows(daily_rows(one=returns), monte_carlo(2000, 50, block))
        wealth = values_of(rows, "terminal_wealth")
        spread[block] = math.log(wealth[-2] / wealth[1])

    # Half a cycle: nearly all up or nearly all down, against the sum of 50 coin tosses.
    assert spread[1.0] == pytest.approx(2 * 1.645 * 0.01 * math.sqrt(50), rel=0.1)
    assert spread[200.0] > 3 * spread[1.0]


def test_rows_equal_quantiles_of_the_metrics_of_materialised_paths() -> None:
    returns = np.column_stack([random_returns(200, seed=3), random_returns(200, seed=4)])
    frame = daily_rows(one=returns[:, 0], two=returns[:, 1])

    rows = monte_carlo_rows(frame, monte_carlo(300, 60, block=7.0, seed=9))

    drawn = draw_paths(np.random.default_rng(9), 200, 7.0, paths=300, path_sessions=60)
    for column, strategy in enumerate(("one", "two")):
        paths = returns[:, column][drawn]
        for quantity, figures in (
            ("terminal_wealth", 1 + total_return(paths)),
            ("sharpe", sharpe(paths)),
            ("max_drawdown", max_drawdown(paths)),
        ):
            expected = np.quantile(figures, QUANTILES)
            assert values_of(rows, quantity, strategy) == pytest.approx(expected, rel=1e-9)


def test_strategies_see_the_same_sessions_on_every_path() -> None:
    """Against its mirror image, one strategy's loss is the other's gain, path by path."""
    returns = random_returns(250, seed=5)
    rows = monte_carlo_rows(
        daily_rows(one=returns, mirror=1 / (1 + returns) - 1), monte_carlo(999, 80)
    )

    wealth, mirrored = (
        values_of(rows, "terminal_wealth"),
        values_of(rows, "terminal_wealth", "mirror"),
    )
    assert mirrored[::-1] == pytest.approx(1 / wealth, rel=2e-3)
    loss = rows.groupby("strategy")["probability_of_loss"].first()
    assert loss["one"] + loss["mirror"] == pytest.approx(1.0, abs=1e-12)


def test_rows_with_same_seed_are_the_same_bytes_and_with_another_are_not() -> None:
    frame = daily_rows(one=random_returns(300, 6), two=random_returns(300, 7))

    first, second = (monte_carlo_rows(frame, monte_carlo(200, 50)) for _ in range(2))
    other = monte_carlo_rows(frame, monte_carlo(200, 50, seed=6))

    assert first["value"].to_numpy().tobytes() == second["value"].to_numpy().tobytes()
    assert not first["value"].equals(other["value"])


def test_rows_do_not_depend_on_order_or_company_of_strategies() -> None:
    one, two, three = (random_returns(300, seed) for seed in (8, 9, 10))
    settings = monte_carlo(200, 50)
    frame = daily_rows(one=one, two=two, three=three)

    rows = monte_carlo_rows(frame, settings)
    shuffled = monte_carlo_rows(frame.sample(frac=1.0, random_state=1), settings)
    fewer = monte_carlo_rows(daily_rows(two=two), settings)

    pd.testing.assert_frame_equal(rows, shuffled, check_exact=True)
    own = rows[rows["strategy"] == "two"].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, fewer, check_exact=True)


def test_rows_of_strategies_of_unequal_age_sample_their_common_sessions() -> None:
    old, young = random_returns(400, 11), random_returns(150, 12)
    settings = monte_carlo(200, 50)

    rows = monte_carlo_rows(daily_rows(old=old, young=young), settings)

    assert (rows["sessions"] == 150).all()
    cut = monte_carlo_rows(daily_rows(old=old[-150:], young=young), settings)
    pd.testing.assert_frame_equal(rows, cut, check_exact=True)


def test_rows_state_what_was_drawn() -> None:
    rows = monte_carlo_rows(daily_rows(one=random_returns(70, 13)), monte_carlo(50, 30, 7.5))

    assert len(rows) == len(RESAMPLED) * len(QUANTILES)
    assert set(rows["paths"]) == {50}
    assert set(rows["path_sessions"]) == {30}
    assert set(rows["block_sessions"]) == {7.5}
    assert set(rows["sessions"]) == {70}


def test_rows_of_history_shorter_than_a_block_are_repetitions_of_it() -> None:
    returns = np.array([0.01, -0.02, 0.03, 0.0])
    rows = monte_carlo_rows(daily_rows(one=returns), monte_carlo(100, 8, block=1e9))

    assert values_of(rows, "terminal_wealth") == pytest.approx(
        np.full(len(QUANTILES), (1 + float(total_return(returns))) ** 2)
    )
    assert values_of(rows, "sharpe") == pytest.approx(float(sharpe(np.tile(returns, 2))))
    turns = [float(max_drawdown(np.tile(np.roll(returns, -turn), 2))) for turn in range(4)]
    assert values_of(rows, "max_drawdown")[[0, -1]] == pytest.approx([min(turns), max(turns)])


@pytest.mark.parametrize("value", [0.001, 0.0, -0.001])
@pytest.mark.parametrize("sessions", [1, 40])
def test_rows_of_constant_returns_have_no_sharpe(value: float, sessions: int) -> None:
    rows = monte_carlo_rows(daily_rows(one=np.full(sessions, value)), monte_carlo(50, 25))

    growth = (1 + value) ** 25
    assert np.isnan(values_of(rows, "sharpe")).all()
    assert values_of(rows, "terminal_wealth") == pytest.approx(np.full(len(QUANTILES), growth))
    assert values_of(rows, "max_drawdown") == pytest.approx(min(growth - 1, 0.0))
    assert set(rows["probability_of_loss"]) == {float(value < 0)}
    assert set(rows["sessions"]) == {sessions}


def test_sharpe_quantiles_leave_out_paths_that_do_not_vary() -> None:
    returns = np.append(np.zeros(199), 0.01)
    rows = monte_carlo_rows(daily_rows(one=returns), monte_carlo(500, 20, block=1.0))

    assert (values_of(rows, "sharpe") > 0).all()
    assert values_of(rows, "terminal_wealth")[:4].tolist() == [1.0] * 4


def test_rows_without_daily_rows_or_common_sessions_are_none() -> None:
    settings = monte_carlo(50, 25)
    empty = daily_rows(one=random_returns(5, 14)).iloc[:0]
    apart = daily_rows(one=random_returns(5, 15), two=random_returns(10, 16))
    apart = apart.drop(index=apart.index[-5:])

    for frame in (empty, apart):
        rows = monte_carlo_rows(frame, settings)
        assert rows.empty
        assert tuple(rows.columns) == MONTE_CARLO.column_names
        fan = wealth_fan(frame, settings)
        assert fan.empty
        assert fan.columns.tolist() == ["strategy", "session", "quantile", "wealth"]


def test_rows_are_flagged_as_simulated_where_a_resampled_return_is() -> None:
    frame = daily_rows(one=random_returns(30, 17), two=random_returns(10, 18))
    is_old = (frame["strategy"] == "one") & (frame.index < 5)
    is_young = frame["strategy"] == "two"
    frame["is_simulated"] = is_old | is_young

    rows = monte_carlo_rows(frame, monte_carlo(20, 10))

    flags = rows.groupby("strategy")["is_simulated"].agg(["min", "max"])
    assert flags.loc["one"].tolist() == [False, False]
    assert flags.loc["two"].tolist() == [True, True]


def test_wealth_fan_begins_with_the_capital_and_ends_with_the_rows() -> None:
    frame = daily_rows(one=random_returns(300, 19), two=random_returns(280, 20))
    settings = monte_carlo(400, 60)

    fan, rows = wealth_fan(frame, settings), monte_carlo_rows(frame, settings)

    assert (fan.loc[fan["session"] == 0, "wealth"] == 1.0).all()
    for strategy in ("one", "two"):
        end = fan[(fan["strategy"] == strategy) & (fan["session"] == 60)]
        assert end["quantile"].tolist() == list(QUANTILES)
        assert end["wealth"].tolist() == values_of(rows, "terminal_wealth", strategy).tolist()
    by_quantile = fan.pivot_table(index=["strategy", "session"], columns="quantile")["wealth"]
    assert (np.diff(by_quantile.to_numpy(), axis=1) >= 0).all()


def test_wealth_fan_of_constant_returns_is_a_line() -> None:
    fan = wealth_fan(daily_rows(one=np.full(10, 0.01)), monte_carlo(20, 5))

    assert fan["wealth"].to_numpy() == pytest.approx(1.01 ** fan["session"].to_numpy())


def test_common_sample_is_sorted_whatever_the_rows() -> None:
    one, two = random_returns(20, 21), random_returns(20, 22)
    sample = common_sample(daily_rows(two=two, one=one).iloc[::-1])

    assert sample.strategies == ("one", "two")
    assert np.array_equal(sample.returns, np.column_stack([one, two]))
