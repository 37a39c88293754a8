from datetime import date

import numpy as np

from odyssey_assets.portfolio.policies.recorded import RecordedPolicy
from odyssey_assets_tests.portfolio.markets import random_market

MARKET = random_market(20, 2)
HELD = np.array([0.1, 0.3])
RECORD: dict[date, np.ndarray] = {
    MARKET.panel.dates[row].astype("datetime64[D]").item(): np.array([0.01 * row, 0.2])
    for row in (3, 4, 8)
}


def test_recorded_sessions_are_decided_as_they_were_and_no_others() -> None:
    policy = RecordedPolicy(RECORD)
    said = {row: policy.decide(MARKET.until(row), HELD) for row in range(20)}
    decided = {row: weights for row, weights in said.items() if weights is not None}
    assert list(decided) == [3, 4, 8]
    for weights, recorded in zip(decided.values(), RECORD.values(), strict=True):
        np.testing.assert_array_equal(weights, recorded, strict=True)


def test_holdings_do_not_matter_and_the_record_cannot_be_changed_through_an_answer() -> None:
    policy = RecordedPolicy(RECORD)
    first = policy.decide(MARKET.until(3), HELD)
    assert first is not None
    first[:] = 1.0
    again = policy.decide(MARKET.until(3), np.zeros(2))
    np.testing.assert_array_equal(again, [0.03, 0.2])
