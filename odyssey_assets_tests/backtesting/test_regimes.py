import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.regimes import measure_regimes, regimes_before
from odyssey_assets.backtesting.tables import DAILY, REGIMES
from odyssey_assets.core.drawdowns import max_drawdown
from odyssey_assets.core.returns import sharpe, volatility, win_rate
from odyssey_assets.core.sharpe_uncertainty import sharpe_standard_error
from odyssey_assets_tests.backtesting.replays import market_panel, replayed, roll

PROXY = "SPY"


@pytest.fixture(scope="module")
def daily() -> pd.DataFrame:
    panel = market_panel()
    weights = [roll(name, panel, first=first).weights for name, first in (("a", 30), ("b", 400))]
    return replayed(pd.concat(weights, ignore_index=True), panel).daily


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    """Return regimes from session 100 on; those of another ticker must not count."""
    dates = market_panel().dates.astype("datetime64[us]")
    states = np.random.default_rng(0).integers(0, 3, len(dates)).astype(np.float64)
    states[:100] = np.nan
    own = pd.DataFrame({"ticker": PROXY, "date": dates, "regime": states})
    other = own.assign(ticker="AAA", regime=2.0)
    return pd.concat([other, own], ignore_index=True).sample(frac=1, random_state=2)


def test_return_belongs_to_the_regime_of_the_session_before(
    daily: pd.DataFrame, features: pd.DataFrame
) -> None:
    own = features[features["ticker"] == PROXY].sort_values("date")
    before = own.assign(regime=own["regime"].shift(1).fillna(-1)).set_index("date")["regime"]
    expected = daily.assign(regime=before[daily["date"]].to_numpy())
    rows = measure_regimes(daily, features, PROXY).set_index(["strategy", "regime"])

    assert len(rows) == expected.groupby(["strategy", "regime"]).ngroups == 4 + 3
    for key, group in expected.groupby(["strategy", "regime"]):
        row, returns = rows.loc[key], group["return"].to_numpy()
        assert row["sessions"] == len(group)
        assert row["share"] == len(group) / (daily["strategy"] == key[0]).sum()
        assert row["mean_annual_return"] == pytest.approx(group["return"].mean() * 252)
        assert row["turnover"] == pytest.approx(group["turnover"].mean() * 252)
        for name, figure in (
            ("volatility", volatility), ("sharpe", sharpe), ("max_drawdown", max_drawdown),
            ("sharpe_standard_error", sharpe_standard_error), ("win_rate", win_rate),
        ):  # fmt: skip
            assert row[name] == float(figure(returns)), name
    assert rows.groupby("strategy")["share"].sum().tolist() == pytest.approx([1.0, 1.0])


def test_regime_of_the_same_session_never_counts(
    daily: pd.DataFrame, features: pd.DataFrame
) -> None:
    newest = daily["date"].max()
    altered = features.assign(regime=features["regime"].mask(features["date"] >= newest, 0.0))

    pd.testing.assert_frame_equal(
        measure_regimes(daily, altered, PROXY), measure_regimes(daily, features, PROXY)
    )


def test_session_without_a_row_of_the_proxy_keeps_the_newest_known_regime() -> None:
    dates = pd.bdate_range("2015-01-05", periods=5).astype("datetime64[us]")
    known = pd.DataFrame({"ticker": PROXY, "date": dates[[0, 1, 3]], "regime": [0.0, 2.0, 1.0]})

    assert regimes_before(known, PROXY, dates.to_numpy()).tolist() == [-1, 0, 2, 2, 1]
    unknown = known.assign(regime=[0.0, np.nan, 1.0])
    assert regimes_before(unknown, PROXY, dates.to_numpy()).tolist() == [-1, 0, -1, -1, 1]


def test_without_regimes_everything_is_not_known_yet(
    daily: pd.DataFrame, features: pd.DataFrame
) -> None:
    for nothing in (features.iloc[:0], features[features["ticker"] != PROXY]):
        rows = measure_regimes(daily, nothing, PROXY)
        assert rows["regime"].tolist() == [-1, -1]
        assert rows["share"].tolist() == [1.0, 1.0]


def test_regime_of_one_session_has_no_sharpe_ratio(daily: pd.DataFrame) -> None:
    row = measure_regimes(daily.tail(1), pd.DataFrame(columns=["ticker", "date", "regime"]), PROXY)
    assert row["sessions"].tolist() == [1]
    assert row["sharpe"].isna().all()


def test_rows_are_simulated_where_their_own_sessions_are(
    daily: pd.DataFrame, features: pd.DataFrame
) -> None:
    known = measure_regimes(daily, features, PROXY)
    own = features[features["ticker"] == PROXY].dropna()
    is_known = daily["date"] > own["date"].min()
    rows = measure_regimes(daily.assign(is_simulated=is_known), features, PROXY)

    assert not known["is_simulated"].any()
    assert (rows["is_simulated"] == (rows["regime"] >= 0)).all()


def test_rows_keep_their_contract_and_ranges(daily: pd.DataFrame, features: pd.DataFrame) -> None:
    rows = measure_regimes(daily, features, PROXY)
    pd.testing.assert_frame_equal(rows, REGIMES.conform(rows))
    for column in REGIMES.columns:
        values = rows[column.name].dropna()
        assert column.minimum is None or (values >= column.minimum).all(), column.name
        assert column.maximum is None or (values <= column.maximum).all(), column.name


def test_no_rows_give_no_rows(features: pd.DataFrame) -> None:
    rows = measure_regimes(DAILY.empty(), features, PROXY)
    pd.testing.assert_frame_equal(rows, REGIMES.empty())
