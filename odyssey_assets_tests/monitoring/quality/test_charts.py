from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from odyssey_assets.monitoring.quality.charts import (
    SHOWN_TICKERS,
    correlation_chart,
    coverage_chart,
    policy_chart,
)
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY

DAYS = pd.bdate_range("2023-01-02", periods=300)


def quality(tickers: int) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    parts = []
    for number in range(tickers):
        frame = FORECAST_QUALITY.empty().reindex(range(len(DAYS))).astype(object)
        frame = frame.assign(
            ticker=f"T{number:02d}",
            date=DAYS,
            information_coefficient_60=generator.uniform(-0.5, 0.5, len(DAYS)),
            interval_coverage_60=generator.uniform(0.7, 1.0, len(DAYS)),
            expected_information_coefficient=0.1,
            expected_coverage=0.9,
            information_coefficient_floor=-0.4,
            coverage_floor=0.75,
            coverage_ceiling=1.0,
            is_correlation_decayed=False,
            is_coverage_decayed=False,
        )
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def policy_quality(sessions: int = 300, unknown: int = 59) -> pd.DataFrame:
    """Return rows of PPO, of which the first ones have no figures yet and half have no limit."""
    generator = np.random.default_rng(1)
    at = np.arange(sessions)
    frame = POLICY_QUALITY.empty().reindex(range(sessions)).astype(object)
    return frame.assign(
        policy="ppo",
        date=DAYS[:sessions],
        sharpe_60=np.where(at < unknown, np.nan, generator.normal(1.0, 1.0, sessions)),
        equal_weight_sharpe_60=np.where(at < unknown, np.nan, 0.7),
        expected_sharpe=1.3,
        sharpe_floor=np.where(at < sessions // 2, np.nan, -3.0),
        is_sharpe_decayed=False,
    )


def texts(figure: Figure) -> str:
    figure.savefig(BytesIO(), format="png", dpi=40)
    panels = [text.get_text() for axes in figure.axes for text in axes.texts]
    note = figure.axes[0].get_title(loc="left")
    return "\n".join([note, *panels])


@pytest.mark.parametrize("draw", [correlation_chart, coverage_chart])
def test_every_ticker_has_a_panel_with_its_newest_figure(draw: object) -> None:
    rows = quality(4)
    is_last = (rows["ticker"] == "T02") & (rows["date"] == DAYS[-1])
    rows.loc[is_last, ["information_coefficient_60", "interval_coverage_60"]] = [0.25, 0.83]
    rows.loc[is_last, ["is_correlation_decayed", "is_coverage_decayed"]] = True
    figure = draw(rows, is_simulated=True)  # type: ignore[operator]
    found = texts(figure)
    assert "simulated data; 4 tickers" in found
    assert "1 now, 1 at some time shown" in found
    assert ("T02  0.25" if draw is correlation_chart else "T02  83%") in found
    assert sum(axes.axison for axes in figure.axes) == 4


def test_of_many_tickers_the_worst_are_drawn_and_the_picture_says_so() -> None:
    rows = quality(SHOWN_TICKERS + 3)
    is_worst = (rows["ticker"] == "T26") & (rows["date"] == DAYS[-1])
    rows.loc[is_worst, "is_coverage_decayed"] = True
    found = texts(coverage_chart(rows, is_simulated=False))
    assert f"the worst {SHOWN_TICKERS} of {SHOWN_TICKERS + 3} tickers" in found
    assert "T26" in found


def test_no_forecast_yet_is_said() -> None:
    assert "no forecast yet" in texts(correlation_chart(quality(1).iloc[:0], is_simulated=False))


def test_policy_is_drawn_beside_equal_weight_its_promise_and_its_limit() -> None:
    rows = policy_quality()
    rows.loc[rows.index[-1], "sharpe_60"] = 0.25
    figure = policy_chart(rows.sample(frac=1.0, random_state=0), is_simulated=True)
    found = texts(figure)
    assert "simulated data; 2023-01-02 to 2024-02-23" in found
    assert "decayed, on 0 of 300 sessions" in found
    assert "now too" not in found
    for label in ("PPO 0.25", "equal weight 0.70", "promised 1.30", "limit \N{MINUS SIGN}3.00"):
        assert label in found
    [axes] = figure.axes
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines]
    for column in ("sharpe_60", "equal_weight_sharpe_60", "expected_sharpe", "sharpe_floor"):
        own = rows[column].to_numpy(dtype=float)
        assert any(np.array_equal(own, each, equal_nan=True) for each in drawn), column


def test_sessions_on_which_a_policy_had_decayed_are_marked_and_counted() -> None:
    rows = policy_quality()
    rows.loc[[200, 299], ["sharpe_60", "is_sharpe_decayed"]] = [-4.0, True]
    figure = policy_chart(rows, is_simulated=False)
    assert "decayed, on 2 of 300 sessions, now too" in texts(figure)
    [marks] = [line for line in figure.axes[0].lines if line.get_marker() == "."]
    assert np.asarray(marks.get_ydata()).tolist() == [-4.0, -4.0]


def test_policy_without_equal_weight_and_limit_has_no_labels_for_them() -> None:
    rows = policy_quality().assign(equal_weight_sharpe_60=np.nan, sharpe_floor=np.nan)
    found = texts(policy_chart(rows, is_simulated=False))
    assert "promised 1.30" in found
    assert "equal weight" not in found
    assert "limit \N{MINUS SIGN}" not in found


@pytest.mark.parametrize("sessions", [0, 59])
def test_too_few_sessions_of_a_policy_are_said(sessions: int) -> None:
    found = texts(policy_chart(policy_quality(sessions), is_simulated=False))
    assert "fewer than 60 sessions yet" in found
