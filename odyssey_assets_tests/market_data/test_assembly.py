import numpy as np

from odyssey_assets.market_data.assembly import GoodHistory, assemble_bars
from odyssey_assets.settings_sections import CleaningSettings

SETTINGS = CleaningSettings(max_fill_sessions=2, anomaly_min_sessions=20)


def _history(session: list[int], close: list[float]) -> GoodHistory:
    prices = np.array(close)
    return GoodHistory(
        ticker="AAA",
        session=np.array(session),
        values={
            "open": prices,
            "high": prices * 1.01,
            "low": prices * 0.99,
            "close": prices,
            "volume": np.full(len(close), 1e6),
            "is_as_traded": np.ones(len(close), dtype=bool),
            "is_simulated": np.zeros(len(close), dtype=bool),
        },
        action_session=np.array([6]),
        dividend=np.array([1.0]),
        split_ratio=np.array([2.0]),
    )


def test_assemble_bars_fills_on_the_split_basis_of_each_session() -> None:
    bars = assemble_bars(_history([4, 8], [100.0, 51.0]), 9, SETTINGS)
    assert bars["session"].tolist() == [4, 5, 6, 8, 9]
    assert bars["close"].tolist() == [100.0, 100.0, 50.0, 51.0, 51.0]
    assert bars["is_filled"].tolist() == [False, True, True, False, True]
    for name in ("open", "high", "low"):
        assert bars[name][bars["is_filled"]].tolist() == [100.0, 50.0, 51.0]
    assert bars["volume"].tolist() == [1e6, 0.0, 0.0, 1e6, 0.0]
    assert bars["split_factor"].tolist() == [1.0, 1.0, 2.0, 2.0, 2.0]
    assert bars["total_return_factor"][2] == 2.0 / (1.0 - 1.0 / 50.0)


def test_assemble_bars_widens_the_range_to_open_and_close() -> None:
    history = _history([4, 5], [100.0, 101.0])
    values = {**history.values, "high": np.array([99.99999, 101.0])}
    values["low"] = np.array([99.0, 101.00001])
    bars = assemble_bars(
        GoodHistory("AAA", history.session, values, *(np.zeros(0, dtype=int),) * 3), 5, SETTINGS
    )
    assert bars["high"].tolist() == [100.0, 101.0]
    assert bars["low"].tolist() == [99.0, 101.0]


def test_anomaly_is_judged_on_adjusted_closes_of_sessions_that_traded() -> None:
    random = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, 60)))
    close[40:] /= 2.0
    session = np.r_[np.arange(40), np.arange(42, 62)]
    history = _history(session.tolist(), close.tolist())
    plain = GoodHistory("AAA", session, history.values, *(np.zeros(0, dtype=int),) * 3)
    found = assemble_bars(plain, 61, SETTINGS)
    assert found["session"][found["is_anomalous"]].tolist() == [42]

    split = GoodHistory(
        "AAA", session, history.values, np.array([41]), np.zeros(1), np.array([2.0])
    )
    assert not assemble_bars(split, 61, SETTINGS)["is_anomalous"].any()
