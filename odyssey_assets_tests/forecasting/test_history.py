import numpy as np
import pytest

from odyssey_assets.core.windows import parse_window
from odyssey_assets.errors import ContractError
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.forecasting.folds import Fold, Span, plan_folds
from odyssey_assets.forecasting.history import TickerHistory, build_histories
from odyssey_assets_tests.forecasting.small_market import PREDICTOR, SmallMarket, fast_settings
from odyssey_assets_tests.forecasting.small_market import small_market as _small_market

MARKET = _small_market()
WINDOW = parse_window("2018-01-01")


def _histories(market: SmallMarket, *tickers: str) -> dict[str, TickerHistory]:
    return build_histories(market.features, market.labels, market.bars, tickers, MODEL_FEATURES, 5)


def _fold(history: TickerHistory) -> Fold:
    [fold] = plan_folds(history.sessions, [WINDOW], fast_settings().forecasting)
    assert fold.reason is None
    return fold


def test_history_holds_the_rows_of_its_ticker_in_order_of_date() -> None:
    shuffled = SmallMarket(
        MARKET.features.sample(frac=1, random_state=1),
        MARKET.labels.sample(frac=1, random_state=2),
        MARKET.bars.sample(frac=1, random_state=3).assign(total_return_factor=2.0),
    )
    history = _histories(shuffled, "BBB")["BBB"]
    own = MARKET.features["ticker"] == "BBB"
    assert np.array_equal(history.sessions, MARKET.features.loc[own, "date"].to_numpy())
    expected = MARKET.features.loc[own, list(MODEL_FEATURES)].to_numpy(np.float32)
    assert np.array_equal(history.values, expected, equal_nan=True)
    labels = MARKET.labels.loc[own, "forward_return_5d"].to_numpy()
    assert np.array_equal(history.target, labels, equal_nan=True)
    assert np.array_equal(history.opens, 2 * MARKET.bars.loc[own, "open"].to_numpy())


def test_bars_and_labels_of_later_sessions_are_left_out() -> None:
    early = MARKET.features[MARKET.features["date"] < "2018-01-01"]
    history = _histories(SmallMarket(early, MARKET.labels, MARKET.bars), "AAA")["AAA"]
    assert len(history.opens) == len(history.target) == len(history.sessions) == len(early) // 2


def test_ticker_without_rows_has_an_empty_history() -> None:
    history = _histories(MARKET, "ZZZ")["ZZZ"]
    assert history.values.shape == (0, len(MODEL_FEATURES))


@pytest.mark.parametrize("table", ["labels", "bars"])
def test_session_missing_in_another_table_is_refused_by_name(table: str) -> None:
    frames = {name: getattr(MARKET, name) for name in ("features", "labels", "bars")}
    frames[table] = frames[table][frames[table]["date"] != "2017-03-01"]
    with pytest.raises(ContractError, match=rf"{table}: AAA has no row .* first 2017-03-01"):
        _histories(SmallMarket(**frames), "AAA")


def test_infinite_feature_is_refused_by_name() -> None:
    features = MARKET.features.copy()
    features.loc[3, PREDICTOR] = np.inf
    with pytest.raises(ContractError, match=PREDICTOR):
        _histories(SmallMarket(features, MARKET.labels, MARKET.bars), "AAA")


def test_unknown_label_among_sessions_to_learn_from_is_refused() -> None:
    history = _histories(MARKET, "AAA")["AAA"]
    with pytest.raises(ContractError, match=r"AAA has 5 null labels .* 2018-09-24"):
        history.sample(Span(0, len(history.sessions)))


def test_data_hash_changes_with_what_is_learned_and_with_nothing_else() -> None:
    base = _histories(MARKET, "AAA")["AAA"]
    fold = _fold(base)
    expected = base.data_sha256(fold)
    assert _histories(MARKET.until("2018-02-01"), "AAA")["AAA"].data_sha256(fold) == expected

    for position, is_learned in (
        (fold.train.start, True),
        (fold.valid.stop - 1, True),
        (fold.train.stop, False),  # purged
        (fold.test.start, False),
        (0, False),  # warm-up
    ):
        values = base.values.copy()
        values[position, 5] = 123.0
        changed = TickerHistory(
            base.ticker, base.features, base.sessions, values, base.target, base.opens
        )
        assert (changed.data_sha256(fold) != expected) == is_learned


def test_data_hash_does_not_depend_on_the_kind_of_nan_or_zero() -> None:
    odd_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]
    hashes = set()
    for nan, zero in ((np.nan, 0.0), (-np.nan, -0.0), (odd_nan, 0.0)):
        features = MARKET.features.copy()
        features.loc[300, MODEL_FEATURES[1]] = nan
        features.loc[301, MODEL_FEATURES[1]] = zero
        history = _histories(SmallMarket(features, MARKET.labels, MARKET.bars), "AAA")["AAA"]
        hashes.add(history.data_sha256(_fold(history)))
    assert len(hashes) == 1
