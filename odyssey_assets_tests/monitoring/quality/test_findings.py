from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.quality.findings import (
    decayed_before,
    decayed_now,
    decayed_policies_before,
    decayed_policies_now,
)

RUNNING = Window(date(2024, 7, 1))


def rows(ticker: str = "AAA", **changes: object) -> pd.DataFrame:
    """Return two rows of each of two windows, the last of which is the newest."""
    days = pd.to_datetime(["2024-06-27", "2024-06-28", "2024-12-30", "2024-12-31"])
    frame = pd.DataFrame(
        {
            "ticker": ticker,
            "date": days,
            "window": pd.to_datetime(["2024-01-01"] * 2 + ["2024-07-01"] * 2),
            "information_coefficient_60": 0.1,
            "information_coefficient_floor": -0.6,
            "interval_coverage_60": 0.9,
            "coverage_floor": 0.5,
            "coverage_ceiling": 1.0,
            "sharpe_60": 1.0,
            "sharpe_floor": -4.0,
            "is_correlation_decayed": False,
            "is_coverage_decayed": False,
            "is_sharpe_decayed": False,
        }
    )
    return frame.assign(**changes)


def policy_rows(policy: str = "ppo", **changes: object) -> pd.DataFrame:
    """Return two rows of each of two windows of a policy, the last of which is the newest."""
    columns = ["ticker", "date", "window", "sharpe_60", "sharpe_floor", "is_sharpe_decayed"]
    return rows(policy, **changes)[columns].rename(columns={"ticker": "policy"})


def only(at: int) -> np.ndarray:
    return np.arange(4) == at


def test_newest_row_of_the_running_window_is_reported_with_value_and_limit() -> None:
    frame = rows(is_sharpe_decayed=only(3), sharpe_60=-5.0)
    assert decayed_now(frame, RUNNING) == [
        {
            "ticker": "AAA",
            "window": "2024-07-01",
            "as_of": "2024-12-31",
            "value": -5.0,
            "threshold": -4.0,
            "reason": "sharpe -5.000, limit -4.000",
        }
    ]


def test_decay_that_is_over_or_of_an_earlier_window_is_no_news() -> None:
    for at in (0, 1, 2):
        assert decayed_now(rows(is_correlation_decayed=only(at)), RUNNING) == []


def test_several_figures_of_a_ticker_are_one_entry_that_names_them_all() -> None:
    frame = rows(
        is_correlation_decayed=True,
        information_coefficient_60=-0.7,
        is_coverage_decayed=True,
        interval_coverage_60=0.4,
    )
    [entry] = decayed_now(frame, RUNNING)
    assert (entry["value"], entry["threshold"]) == (-0.7, -0.6)
    assert entry["reason"] == "correlation -0.700, limit -0.600; coverage 0.400, limit 0.500"


def test_coverage_above_its_ceiling_names_the_ceiling() -> None:
    frame = rows(is_coverage_decayed=True, interval_coverage_60=1.0, coverage_ceiling=0.95)
    [entry] = decayed_now(frame, RUNNING)
    assert entry["threshold"] == 0.95


def test_tickers_are_reported_each_once_by_name() -> None:
    frame = pd.concat([rows("B", is_sharpe_decayed=True), rows("A", is_sharpe_decayed=True)])
    assert [entry["ticker"] for entry in decayed_now(frame, RUNNING)] == ["A", "B"]


def test_earlier_windows_are_counted_once_a_ticker() -> None:
    frame = pd.concat([rows("A", is_sharpe_decayed=True), rows("B", is_coverage_decayed=only(0))])
    assert decayed_before(frame, RUNNING) == 2
    assert decayed_before(rows(is_sharpe_decayed=only(3)), RUNNING) == 0


def test_no_rows_have_no_findings() -> None:
    assert decayed_now(rows().iloc[:0], RUNNING) == []
    assert decayed_before(rows().iloc[:0], RUNNING) == 0


def test_policy_that_has_decayed_is_reported_by_name_with_value_and_limit() -> None:
    sound = policy_rows("other")
    frame = pd.concat([policy_rows(is_sharpe_decayed=only(3), sharpe_60=-5.0), sound])
    assert decayed_policies_now(frame.sample(frac=1.0, random_state=0), RUNNING) == [
        {
            "policy": "ppo",
            "window": "2024-07-01",
            "as_of": "2024-12-31",
            "value": -5.0,
            "threshold": -4.0,
            "reason": "sharpe -5.000, limit -4.000",
        }
    ]


def test_decay_of_a_policy_that_is_over_is_counted_by_window_and_no_news() -> None:
    for at, earlier in ((0, 1), (1, 1), (2, 0)):
        frame = policy_rows(is_sharpe_decayed=only(at))
        assert decayed_policies_now(frame, RUNNING) == []
        assert decayed_policies_before(frame, RUNNING) == earlier
    both = pd.concat(
        [policy_rows(is_sharpe_decayed=True), policy_rows("b", is_sharpe_decayed=True)]
    )
    assert decayed_policies_before(both, RUNNING) == 2
    assert [entry["policy"] for entry in decayed_policies_now(both, RUNNING)] == ["b", "ppo"]


def test_no_policy_rows_have_no_findings() -> None:
    assert decayed_policies_now(policy_rows().iloc[:0], RUNNING) == []
    assert decayed_policies_before(policy_rows().iloc[:0], RUNNING) == 0
