from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.decisions import read_decisions
from odyssey_assets.errors import ContractError
from odyssey_assets_tests.backtesting.replays import roll
from odyssey_assets_tests.portfolio.markets import random_market


def test_decisions_hold_the_targets_of_the_sessions_that_decided() -> None:
    panel = random_market(20, 3, listed_from={1: 12}).panel
    early, late = roll("early", panel, every=4).weights, roll("late", panel, first=7, every=3)
    weights = pd.concat([late.weights, early]).sample(frac=1, random_state=1)
    decisions = read_decisions(weights, panel)

    assert decisions.strategies == ("early", "late")
    assert decisions.first.tolist() == [0, 7]
    assert decisions.last.tolist() == [19, 19]
    assert np.flatnonzero(decisions.is_decision[0]).tolist() == [0, 4, 8, 12, 16]
    assert np.flatnonzero(decisions.is_decision[1]).tolist() == [7, 10, 13, 16, 19]
    assert (decisions.targets[~decisions.is_decision] == 0).all()
    for row in early[early["is_decision"]].itertuples():
        session = np.searchsorted(panel.dates, np.datetime64(row.date, "D"))
        column = panel.tickers.index(row.ticker)
        assert decisions.targets[0, session, column] == row.target_weight
    assert decisions.targets[0].max() > 0


def changed(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(weights: pd.DataFrame) -> pd.DataFrame:
        altered = weights.copy()
        altered.loc[altered.index[-1], column] = value
        return altered

    return change


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (changed("ticker", "ZZZ"), r"random, ZZZ, .* none of the tickers"),
        (changed("date", pd.Timestamp("2015-01-04")), r"2015-01-04, .* session without any bar"),
        (changed("date", pd.Timestamp("2030-01-04")), r"2030-01-04, .* session without any bar"),
        (
            lambda weights: weights[weights["date"] != weights["date"].unique()[7]],
            r"random has no weights on 1 sessions between .* first on 2015-01-12",
        ),
        (
            lambda weights: weights[weights["date"] > weights["date"].unique()[1]],
            r"random begins on 2015-01-05 without a decision",
        ),
        (
            lambda weights: weights.assign(target_weight=0.1),
            r"first random, T00, 2015-01-01, which is wanted before its first bar",
        ),
    ],
)
def test_weights_that_do_not_fit_the_bars_are_refused(
    spoil: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    panel = random_market(20, 3).panel
    weights = roll("random", panel).weights
    later = panel
    if "first bar" in message:
        later = random_market(20, 3, listed_from={0: 10}).panel
    with pytest.raises(ContractError, match=message) as error:
        read_decisions(spoil(weights), later)
    assert "Materialize portfolio.weights" in str(error.value)
