import subprocess
import sys
from collections import Counter

import pytest

from odyssey_assets.features.catalog import FEATURES, MODEL_FEATURES
from odyssey_assets.features.spec import FeatureSpec
from odyssey_assets.features.tables import FEATURES_TABLE

EXPECTED = """
sma_5 5 level, sma_10 10 level, sma_20 20 level, sma_50 50 level, sma_200 200 level,
ema_12 12 level, ema_26 26 level,
close_to_sma_5 5, close_to_sma_10 10, close_to_sma_20 20, close_to_sma_50 50, close_to_sma_200 200,
bb_upper_20 20 level, bb_middle_20 20 level, bb_lower_20 20 level, bb_width_20 20,
bb_position_20 20, vwap_20 20 level, close_to_vwap_20 20, ichimoku_conversion_to_base 26,
close_to_ichimoku_cloud 52,
rsi_7 8, rsi_14 15, rsi_21 22, macd 34 level, macd_signal 34 level, macd_histogram 34 level,
roc_5 6, roc_10 11, roc_20 21, mom_5 6 level, mom_10 11 level, mom_20 21 level, williams_r_14 14,
stochastic_k_14 18, stochastic_d_14 18, cci_20 20, adx_14 28, mfi_14 15,
atr_7 8 level, atr_14 15 level, atr_21 22 level, natr_14 15, realized_vol_20 21,
realized_vol_60 61, vol_of_vol_20 40, parkinson_vol_20 20, garman_klass_vol_20 20,
yang_zhang_vol_20 21, downside_vol_20 21, vol_ratio_20_60 61,
obv 1 level, obv_sma_20 20 level, volume_to_sma_20 20, volume_trend_5 5, volume_zscore_20 20,
accumulation_distribution 1 level, chaikin_money_flow_20 20, volume_weighted_momentum_20 21,
amihud_illiquidity_20 21,
return_1d 2, return_5d 6, return_10d 11, return_20d 21, return_60d 61, return_252d 253,
overnight_return_1d 2, return_std_20 21, return_std_60 61, sharpe_20 21, sharpe_60 61,
cumulative_return_20 21, cumulative_return_60 61, demeaned_return_60 61, drawdown_252 252,
correlation_spy_20 21, correlation_spy_60 61, correlation_vix_20 21, correlation_tnx_60 61,
beta_spy_20 21, beta_spy_60 61, relative_strength_spy_20 21, relative_strength_spy_60 61,
regime 40, regime_duration 40, regime_strength 40, vix_percentile_20 20, vix_percentile_60 60,
vix_change_5 6, market_breadth 20, market_trend_200 200, tnx_change_20 21, dxy_return_20 21,
gold_return_20 21
"""
COUNTS = {
    "price": 21, "momentum": 18, "volatility": 12, "volume": 9,
    "returns": 15, "cross_asset": 8, "regime": 11,
}  # fmt: skip


def written(spec: FeatureSpec) -> str:
    return f"{spec.name} {spec.lookback}{' level' if spec.is_level else ''}"


def test_catalog_names_order_lookbacks_and_levels_are_as_published() -> None:
    expected = [" ".join(entry.split()) for entry in EXPECTED.split(",")]

    assert [written(spec) for spec in FEATURES] == expected
    assert len(FEATURES) == 94


def test_catalog_groups_have_their_sizes_in_order() -> None:
    assert list(Counter(spec.group for spec in FEATURES).items()) == list(COUNTS.items())


def test_model_features_leave_out_exactly_the_levels() -> None:
    assert set(MODEL_FEATURES) == {spec.name for spec in FEATURES if not spec.is_level}


@pytest.mark.parametrize("spec", FEATURES, ids=lambda spec: spec.name)
def test_spec_says_what_it_is_made_of(spec: FeatureSpec) -> None:
    assert spec.formula
    assert spec.source
    assert spec.inputs
    assert len(set(spec.inputs)) == len(spec.inputs)
    assert spec.minimum is None or spec.maximum is None or spec.minimum < spec.maximum


def test_table_columns_follow_from_the_declarations() -> None:
    assert FEATURES_TABLE.column_names == ("ticker", "date", *(spec.name for spec in FEATURES))
    for spec in FEATURES:
        column = FEATURES_TABLE.column(spec.name)
        assert (column.minimum, column.maximum) == (spec.minimum, spec.maximum)
        assert spec.formula in column.description
        assert spec.source in column.description


def test_catalog_import_loads_no_slow_library() -> None:
    script = (
        "import sys, odyssey_assets.features.tables, odyssey_assets.features.labels;"
        "print([name for name in ('numba', 'sklearn', 'matplotlib') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
