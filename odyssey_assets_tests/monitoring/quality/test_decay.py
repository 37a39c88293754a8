import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy import stats

from odyssey_assets.core.rolling_scores import trailing
from odyssey_assets.core.windows import windows_between
from odyssey_assets.monitoring.quality.chance import MIN_PAST_WINDOWS
from odyssey_assets.monitoring.quality.decay import judge_decay
from odyssey_assets.settings_sections import DecaySettings

SETTINGS = DecaySettings()
EXPECTED_COVERAGE = 0.9
SESSIONS = 120
FLAGS = ["is_correlation_decayed", "is_coverage_decayed", "is_sharpe_decayed"]


def quality(
    correlation: np.ndarray,
    coverage: np.ndarray | float = EXPECTED_COVERAGE,
    sharpe: np.ndarray | float = 1.0,
    expected: float = 0.1,
    ticker: str = "AAA",
) -> pd.DataFrame:
    """Return rows of equally long windows with the given figures of 60 sessions."""
    rows = len(correlation)
    starts = pd.date_range("2000-01-01", periods=60, freq="6MS")[: -(-rows // SESSIONS)]
    within = np.arange(rows) % SESSIONS
    return pd.DataFrame(
        {
            "ticker": ticker,
            "window": np.repeat(starts, SESSIONS)[:rows],
            "date": np.repeat(starts, SESSIONS)[:rows] + pd.to_timedelta(within, unit="D"),
            "information_coefficient_60": correlation,
            "interval_coverage_60": coverage,
            "sharpe_60": sharpe,
            "expected_information_coefficient": expected,
            "expected_coverage": EXPECTED_COVERAGE,
        }
    )


def noise(windows: int, seed: int, mean: float = 0.1, deviation: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, windows * SESSIONS)


def test_floor_is_the_prediction_interval_of_the_worst_of_earlier_windows() -> None:
    values = noise(9, seed=1)
    judged = judge_decay(quality(values), SETTINGS)
    worst = values.reshape(9, SESSIONS).min(axis=1)
    for window in range(9):
        past = worst[:window]
        own = judged["information_coefficient_floor"].to_numpy()[window * SESSIONS]
        if window < MIN_PAST_WINDOWS:
            assert np.isnan(own)
            continue
        t = stats.t.ppf(1 - SETTINGS.false_alarm_rate / 3, window - 1)
        chance = past.mean() - t * past.std(ddof=1) * np.sqrt(1 + 1 / window)
        assert own == pytest.approx(min(chance, 0.8 * 0.1), abs=1e-12)


def test_flag_is_set_on_sessions_below_the_floor_and_on_no_other_of_the_window() -> None:
    values = noise(10, seed=2)
    values[9 * SESSIONS + 70 : 9 * SESSIONS + 80] = -0.95
    judged = judge_decay(quality(values), SETTINGS)
    flagged = np.flatnonzero(judged["is_correlation_decayed"] & (judged.index >= 9 * SESSIONS))
    assert list(flagged) == list(range(9 * SESSIONS + 70, 9 * SESSIONS + 80))
    assert not judged[["is_coverage_decayed", "is_sharpe_decayed"]].any(axis=None)


@pytest.mark.parametrize("expected", [0.0, -0.2, np.nan])
def test_correlation_that_promised_nothing_cannot_decay(expected: float) -> None:
    values = noise(10, seed=2)
    values[-10:] = -0.99
    judged = judge_decay(quality(values, expected=expected), SETTINGS)
    assert not judged["is_correlation_decayed"].any()
    assert judged["information_coefficient_floor"].isna().all()


def test_figures_worse_than_chance_but_within_the_plain_limits_have_not_decayed() -> None:
    steady = np.full(10 * SESSIONS, 0.5)
    coverage, sharpe = np.full(len(steady), 0.9), np.full(len(steady), 2.0)
    steady[-5:], coverage[-5:], sharpe[-5:] = 0.09, 0.81, -0.9
    judged = judge_decay(quality(steady, coverage, sharpe), SETTINGS)
    assert not judged[FLAGS].any(axis=None)
    steady[-5:], coverage[-5:], sharpe[-5:] = 0.07, 0.79, -1.1
    judged = judge_decay(quality(steady, coverage, sharpe), SETTINGS)
    assert judged[FLAGS].iloc[-5:].all(axis=None)
    assert not judged[FLAGS].iloc[:-5].any(axis=None)


def test_coverage_decays_in_both_directions() -> None:
    coverage = np.full(10 * SESSIONS, 0.5)
    coverage[-2], coverage[-1] = 0.38, 0.62
    rows = quality(noise(10, seed=0), coverage).assign(expected_coverage=0.5)
    judged = judge_decay(rows, SETTINGS)
    assert list(judged["is_coverage_decayed"].iloc[-3:]) == [False, True, True]


def test_window_with_few_known_figures_does_not_count_as_past() -> None:
    values = noise(8, seed=4)
    values[: 5 * SESSIONS] = np.where(np.arange(5 * SESSIONS) % SESSIONS < 61, np.nan, 9.0)
    judged = judge_decay(quality(values), SETTINGS)
    assert judged["information_coefficient_floor"].isna().all()


def test_unknown_figures_have_not_decayed() -> None:
    values = noise(10, seed=5)
    values[-20:] = np.nan
    assert not judge_decay(quality(values), SETTINGS)[FLAGS].iloc[-20:].any(axis=None)


def test_tickers_do_not_influence_each_other() -> None:
    one, two = quality(noise(9, 6), ticker="AAA"), quality(noise(9, 7, -0.5), ticker="BBB")
    both = judge_decay(pd.concat([one, two], ignore_index=True), SETTINGS)
    alone = judge_decay(two, SETTINGS)
    found = both[both["ticker"] == "BBB"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, alone)


@given(seed=st.integers(0, 10_000), cut=st.integers(1, 10 * SESSIONS))
@hypothesis_settings(max_examples=25, deadline=None)
def test_limits_and_flags_do_not_change_by_a_bit_when_the_future_is_cut(
    seed: int, cut: int
) -> None:
    rows = quality(noise(10, seed), 0.7 + noise(10, seed + 1) / 2, noise(10, seed + 2, -1.0, 2.0))
    rows["interval_coverage_60"] = rows["interval_coverage_60"].clip(0.0, 1.0)
    whole = judge_decay(rows, SETTINGS).iloc[:cut]
    pd.testing.assert_frame_equal(whole, judge_decay(rows.iloc[:cut], SETTINGS), check_exact=True)


def test_share_of_windows_that_alarm_by_chance_is_at_most_the_setting() -> None:
    """Nothing changes in these tickers; a plain limit alarms in most of their windows."""
    parts = []
    windows = len(windows_between(pd.Timestamp("2000-01-01"), pd.Timestamp("2008-12-31")))
    for number in range(40):
        generator = np.random.default_rng(number)
        rows = windows * SESSIONS
        errors = generator.normal(size=rows + 100)
        # Outcomes overlap by five sessions, as those of the default horizon do.
        outcome = np.convolve(errors, np.ones(5) / np.sqrt(5), mode="valid")[:rows]
        returns = generator.standard_t(5, rows)
        inside = np.abs(outcome) <= stats.norm.ppf((1 + EXPECTED_COVERAGE) / 2)
        stretches = trailing(returns, 60)
        parts.append(
            quality(
                0.1 + trailing(outcome, 60).mean(axis=1) * 0.6,
                trailing(inside.astype(float), 60).mean(axis=1),
                stretches.mean(axis=1) / stretches.std(axis=1) * np.sqrt(252),
                ticker=f"T{number}",
            )
        )
    judged = judge_decay(pd.concat(parts, ignore_index=True), SETTINGS)
    has_limit = judged["sharpe_floor"].notna()
    cells = judged[has_limit].groupby(["ticker", "window"])[FLAGS].any().any(axis=1)
    plain = (judged["sharpe_60"] < SETTINGS.min_sharpe)[has_limit]
    assert len(cells) > 400
    assert cells.mean() <= 1.5 * SETTINGS.false_alarm_rate
    assert plain.groupby([judged["ticker"], judged["window"]]).any().mean() > 0.5
