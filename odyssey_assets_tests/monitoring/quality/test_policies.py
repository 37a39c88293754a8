from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from odyssey_assets.monitoring.quality.chance import MIN_PAST_WINDOWS, next_limits
from odyssey_assets.monitoring.quality.policies import judge_policy_decay, measure_policy_quality
from odyssey_assets.monitoring.tables import POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS
from odyssey_assets.settings_sections import DecaySettings
from odyssey_assets_tests.monitoring.quality.portfolio_history import History, history

SETTINGS = DecaySettings()


def measured(known: History) -> pd.DataFrame:
    return measure_policy_quality(known.daily, known.weights, known.policies, known.challengers)


def judged(known: History) -> pd.DataFrame:
    return judge_policy_decay(measured(known), SETTINGS)


def naive_sharpe(returns: list[float], sessions: int) -> float:
    """Return the annualised ratio of the last returns by its definition; NaN with too few."""
    last = returns[-sessions:]
    if len(last) < sessions:
        return float("nan")
    mean = sum(last) / sessions
    variance = sum((each - mean) ** 2 for each in last) / (sessions - 1)
    return float(mean / variance**0.5 * 252**0.5)


@pytest.mark.parametrize("seed", [0, 1])
def test_figures_are_those_of_a_loop_over_the_sessions(seed: int) -> None:
    known = history(150, seed, learned=("ppo", "other"))
    known = replace(known, daily=known.daily.sample(frac=1.0, random_state=seed))
    rows = measured(known)
    by_name = {
        name: own.sort_values("date")["return"].tolist()
        for name, own in known.daily.groupby("strategy")
    }
    assert list(rows["policy"].unique()) == ["other", "ppo"]
    for policy, own in rows.groupby("policy"):
        assert list(own["date"]) == sorted(known.daily["date"].unique())
        for at, row in enumerate(own.itertuples()):
            until, market = by_name[policy][: at + 1], by_name["equal_weight"][: at + 1]
            expected = (
                naive_sharpe(until, 20), naive_sharpe(until, 60), naive_sharpe(market, 60),
            )  # fmt: skip
            found = (row.sharpe_20, row.sharpe_60, row.equal_weight_sharpe_60)
            assert found == pytest.approx(expected, rel=1e-9, nan_ok=True)
    # 149 returns: the first whole stretch ends with the 20th and the 60th of them.
    counts = rows.groupby("policy")[["sharpe_20", "sharpe_60", "equal_weight_sharpe_60"]].count()
    assert counts.to_numpy().tolist() == [[130, 90, 90]] * 2


def challenger(day: str, sharpe: float, model: str = "champion") -> pd.DataFrame:
    """Return the row of a challenger that had learned until `day`."""
    return (
        POLICY_CHALLENGERS.empty()
        .reindex([0])
        .assign(
            policy="ppo",
            model_sha256=model,
            trained_as_of=pd.Timestamp(day).as_unit("us"),
            validation_sharpe=sharpe,
        )
    )


def test_who_decided_at_the_close_and_what_its_validation_promised_stand_beside_it() -> None:
    known = history(300)
    promoted = known.weights["date"].between("2015-09-01", "2015-12-31")
    known.weights.loc[promoted & (known.weights["policy"] == "ppo"), "model_sha256"] = "champion"
    rows = measured(replace(known, challengers=challenger("2015-08-31", 1.5))).set_index("date")
    main = known.policies[known.policies["is_main_seed"]]
    promises = dict(zip(main["model_sha256"], main["validation_sharpe"], strict=True))
    for day, model in (("2015-08-31", "ppo 2015-07-01"), ("2016-01-04", "ppo 2016-01-01")):
        assert rows["model_sha256"][day] == model
        assert rows["expected_sharpe"][day] == promises[model]
    reign = rows[(rows.index >= "2015-09-01") & (rows.index <= "2015-12-31")]
    assert set(reign["model_sha256"]) == {"champion"}
    assert set(reign["expected_sharpe"]) == {1.5}
    unknown = measured(replace(known, challengers=challenger("2015-08-31", np.nan)))
    assert np.isnan(unknown.set_index("date")["expected_sharpe"]["2015-12-31"])


def test_model_that_validation_kept_promises_what_its_newest_validation_known_then_said() -> None:
    """A training that ends where it began gives the model of the window before once more."""
    known = history(300)
    is_learned = known.weights["policy"] == "ppo"
    known.weights.loc[is_learned, "model_sha256"] = "same"
    policies = known.policies[known.policies["is_main_seed"]].assign(
        model_sha256="same", validation_sharpe=[1.0, 2.0, 3.0]
    )
    again = challenger("2015-10-01", 4.0, "same")
    rows = measured(replace(known, policies=policies.iloc[::-1], challengers=again))
    assert len(rows) == 299
    found = rows.set_index("date")["expected_sharpe"]
    days = ("2015-06-30", "2015-07-01", "2015-09-30", "2015-10-01", "2015-12-31", "2016-01-01")
    assert [found[day] for day in days] == [1.0, 2.0, 2.0, 4.0, 4.0, 3.0]


def test_equal_weight_that_is_absent_or_misses_a_session_has_no_figure_there() -> None:
    known = history(150)
    is_benchmark = known.daily["strategy"] == "equal_weight"
    without = measured(replace(known, daily=known.daily[~is_benchmark]))
    assert without["equal_weight_sharpe_60"].isna().all()
    assert without["sharpe_60"].notna().any()
    missed = known.daily.loc[is_benchmark].index[100]
    gap = measured(replace(known, daily=known.daily.drop(missed)))
    whole = measured(known)
    lost = gap["equal_weight_sharpe_60"].isna() & whole["equal_weight_sharpe_60"].notna()
    assert list(np.flatnonzero(lost)) == list(range(100, 149))
    pd.testing.assert_series_equal(gap["sharpe_60"], whole["sharpe_60"])


def test_sessions_before_a_model_decided_have_no_row_but_their_returns_count() -> None:
    known = history(150)
    is_early = (known.weights["policy"] == "ppo") & (known.weights["date"] < "2015-05-01")
    known.weights.loc[is_early, "model_sha256"] = None
    whole = measured(history(150))
    expected = whole[whole["date"] >= "2015-05-01"].reset_index(drop=True)
    pd.testing.assert_frame_equal(measured(known), expected)


def test_returns_that_do_not_vary_have_no_ratio_and_have_not_decayed() -> None:
    known = history(100)
    rows = judged(replace(known, daily=known.daily.assign(**{"return": -0.01})))
    assert rows["sharpe_60"].isna().all()
    assert not rows["is_sharpe_decayed"].any()


def test_without_a_learned_policy_there_are_no_rows() -> None:
    rows = judged(history(100, learned=()))
    pd.testing.assert_frame_equal(rows, POLICY_QUALITY.empty())


def test_floor_is_the_setting_or_what_earlier_windows_explain_whichever_is_lower() -> None:
    for rate, is_chance_lower in ((0.0, True), (1.5, False)):
        rows = judged(history(2000, seed=3, rate=rate))
        worst = rows.groupby("window")["sharpe_60"].min()
        limits = -next_limits(-worst.to_numpy(), SETTINGS.false_alarm_rate)
        assert np.isnan(limits).sum() == MIN_PAST_WINDOWS
        expected = pd.Series(np.minimum(SETTINGS.min_sharpe, limits), worst.index)
        np.testing.assert_array_equal(rows["sharpe_floor"], rows["window"].map(expected))
        newest = rows["sharpe_floor"].iloc[-1]
        assert (newest < SETTINGS.min_sharpe) == is_chance_lower


def test_policy_that_turns_bad_decays_within_the_session_that_passes_its_floor() -> None:
    known = history(1500, seed=5, rate=0.15)
    is_late = (known.daily["strategy"] == "ppo") & (known.daily["date"] >= "2020-03-01")
    known.daily.loc[is_late, "return"] -= 0.01
    rows = judged(known)
    late = rows[rows["date"] >= "2020-03-01"]
    pd.testing.assert_series_equal(
        late["is_sharpe_decayed"], late["sharpe_60"] < late["sharpe_floor"], check_names=False
    )
    assert late["is_sharpe_decayed"].iloc[-1]
    assert not late["is_sharpe_decayed"].iloc[0]


@given(seed=st.integers(0, 1000), cut=st.integers(1, 1400))
@hypothesis_settings(max_examples=15, deadline=None)
def test_no_bit_changes_when_the_future_is_cut(seed: int, cut: int) -> None:
    known = history(1400, seed)
    day = known.weights["date"].unique()[cut - 1]
    past = History(
        known.daily[known.daily["date"] <= day],
        known.weights[known.weights["date"] <= day],
        known.policies,
        known.challengers,
    )
    whole = judged(known)
    expected = whole[whole["date"] <= day]
    pd.testing.assert_frame_equal(judged(past), expected, check_exact=True)


def test_share_of_windows_that_alarm_by_chance_is_about_the_setting() -> None:
    """Nothing changes in these policies; the plain limit alarms in most of their windows."""
    known = history(1900, seed=7, learned=tuple(f"p{number:02d}" for number in range(40)))
    rows = judged(known)
    rows = rows[rows["sharpe_floor"].notna()]
    cells = rows.groupby(["policy", "window"])["is_sharpe_decayed"].any()
    plain = (rows["sharpe_60"] < SETTINGS.min_sharpe).groupby([rows["policy"], rows["window"]])
    assert len(cells) > 400
    assert 0.0 < cells.mean() <= 1.5 * SETTINGS.false_alarm_rate
    assert plain.any().mean() > 0.5
