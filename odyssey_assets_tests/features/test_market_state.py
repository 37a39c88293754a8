import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.features.market_state import build_market_state, carried_on
from odyssey_assets.features.panel import build_panel
from odyssey_assets_tests.features.markets import market_settings, small_market


@given(
    st.lists(st.tuples(st.integers(0, 30), st.floats(-9, 9)), max_size=15),
    st.integers(0, 6),
)
def test_value_is_carried_on_at_most_the_limit(points: list[tuple[int, float]], limit: int) -> None:
    ordered = sorted(points, key=lambda point: point[0])
    positions = np.array([position for position, _ in ordered], dtype=np.int64)
    values = np.array([value for _, value in ordered], dtype=np.float64)

    found = carried_on(positions, values, 31, limit)

    for session in range(31):
        fresh = [value for position, value in ordered if 0 <= session - position <= limit]
        if fresh:
            assert found[session] == fresh[-1]
        else:
            assert np.isnan(found[session])


def test_value_of_a_day_without_session_is_known_at_the_next_session() -> None:
    market = small_market()
    saturday = pd.Timestamp("2012-03-17")
    extra = pd.DataFrame(
        {"series": ["GOLD"], "date": [saturday], "value": [1.0], "is_simulated": [True]}
    )
    monday = market.macro["date"].eq("2012-03-19") & market.macro["series"].eq("GOLD")
    macro = pd.concat([market.macro.loc[~monday], extra], ignore_index=True)
    panel = build_panel(market.bars)

    gold = build_market_state(panel, macro, market_settings()).gold

    position = int(panel.calendar.get_loc(pd.Timestamp("2012-03-19")))
    assert gold[position] == 1.0
    assert gold[position - 1] != 1.0


@pytest.mark.parametrize("limit", [0, 2, 5])
def test_series_that_stops_becomes_null_after_the_limit(limit: int) -> None:
    market = small_market()
    stop = pd.Timestamp("2012-03-15")
    macro = market.macro.loc[(market.macro["series"] != "VIX") | (market.macro["date"] <= stop)]
    settings = market_settings(features={"macro_fill_sessions": limit})
    panel = build_panel(market.bars)

    vix = build_market_state(panel, macro, settings).vix

    position = int(panel.calendar.get_loc(stop))
    assert not np.isnan(vix[position - 60 : position + 1]).any()
    assert (vix[position : position + limit + 1] == vix[position]).all()
    assert np.isnan(vix[position + limit + 1 :]).all()
