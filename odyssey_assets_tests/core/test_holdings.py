import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.holdings import drawn_shares, held_shares, shown_positions


def _weights(sessions: int) -> pd.DataFrame:
    days = pd.bdate_range("2020-01-01", periods=sessions, name="date")
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "date": np.repeat(days, 3),
            "ticker": np.tile(["AAA", "BBB", "CCC"], sessions),
            "held_weight": rng.random(3 * sessions) * np.tile([0.1, 0.3, 0.2], sessions),
        }
    )


def test_shares_are_ordered_by_mean_and_cash_fills_up_to_one() -> None:
    held = held_shares(_weights(50))
    assert held.columns.tolist() == ["BBB", "CCC", "AAA", "cash"]
    np.testing.assert_allclose(held.sum(axis=1), 1.0)


def test_ticker_without_a_row_was_not_held_and_more_than_all_leaves_no_cash() -> None:
    rows = _weights(3).iloc[1:]
    assert held_shares(rows).loc["2020-01-01", "AAA"] == 0.0
    assert (held_shares(rows.assign(held_weight=0.5))["cash"] >= 0.0).all()


def test_two_years_are_drawn_by_session_and_more_by_month() -> None:
    held = held_shares(_weights(504))
    drawn, wording = drawn_shares(held)
    pd.testing.assert_frame_equal(drawn, held)
    assert wording == "held at the close"
    held = held_shares(_weights(505))
    drawn, wording = drawn_shares(held)
    assert "means of months" in wording
    np.testing.assert_allclose(drawn.sum(axis=1), 1.0)
    february = held.loc["2020-02-01":"2020-02-29"]
    assert drawn.loc[february.index[-1], "BBB"] == pytest.approx(february["BBB"].mean())
    assert drawn.index[-1] == held.index[-1]
    assert drawn.columns.tolist() == held.columns.tolist()


def test_shown_positions_are_those_held_wanted_or_wanted_by_a_seed() -> None:
    rows = pd.DataFrame(
        {
            "ticker": ["none", "seed", "held", "wanted", "also"],
            "target_weight": [0.0, 0.0, 0.0, 0.2, 0.2],
            "held_weight": [0.0001, 0.0, 0.1, 0.0, 0.1],
            "target_weight_seed_std": [0.0, 0.05, np.nan, np.nan, 0.0],
        }
    )
    assert shown_positions(rows)["ticker"].tolist() == ["seed", "held", "wanted", "also"]
    assert shown_positions(rows.iloc[:0]).empty
