import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.core.forecast_scores import (
    direction_accuracy,
    information_coefficient,
    rmse,
    sign_strategy_returns,
)
from odyssey_assets.core.returns import sharpe
from odyssey_assets.errors import ContractError
from odyssey_assets.monitoring.quality.decay import judge_decay
from odyssey_assets.monitoring.quality.rolling import measure_quality, promises
from odyssey_assets.monitoring.tables import FORECAST_QUALITY
from odyssey_assets_tests.monitoring.quality.forecast_history import (
    HORIZON,
    History,
    history,
    settings,
)

KNOWN = history()


def measure(known: History) -> pd.DataFrame:
    promised = promises(known.folds, known.challengers)
    return measure_quality(known.predictions, known.labels, known.bars, promised, settings())


def expected_figures(
    known: History, ticker: str, day: pd.Timestamp, count: int
) -> dict[str, float]:
    """Return the figures of one row with one function call each, from a plain reading."""
    bars = adjusted_bars(known.bars[known.bars["ticker"] == ticker])
    days = list(bars["date"])
    place = {each: at for at, each in enumerate(days)}
    today = place[day]
    own = known.predictions[known.predictions["ticker"] == ticker]
    forecasts = own[own["model"] == "xgboost"].set_index("date")
    baseline = own[own["model"] == "historical_mean"].set_index("date")["prediction"]
    labels = known.labels[known.labels["ticker"] == ticker].set_index("date")
    known_days = [each for each in forecasts.index if place[each] <= today - HORIZON][-count:]
    outcome = labels.loc[known_days, f"forward_return_{HORIZON}d"].to_numpy()
    rows = forecasts.loc[known_days]
    prediction = rows["prediction"].to_numpy()
    first = place[forecasts.index[0]]
    held = [forecasts["prediction"].get(each, 0.0) for each in days[first:]]
    net = sign_strategy_returns(
        np.array(held), bars["open"].to_numpy()[first:], settings().costs.proportional
    )
    earned = [net[place[each] - first] for each in forecasts.index if place[each] <= today - 2][
        -count:
    ]
    is_whole = len(known_days) == count
    inside = (outcome >= rows["lower"]) & (outcome <= rows["upper"])
    figures = {
        "known": len(known_days),
        "information_coefficient": information_coefficient(prediction, outcome),
        "rmse": rmse(prediction, outcome),
        "baseline_rmse": rmse(baseline.loc[known_days].to_numpy(), outcome),
        "direction_accuracy": direction_accuracy(prediction, outcome),
        "interval_coverage": float(inside.mean()) if len(inside) else math.nan,
    }
    figures = {
        name: value if is_whole or name == "known" else math.nan for name, value in figures.items()
    }
    figures["sharpe"] = float(sharpe(np.array(earned))) if len(earned) == count else math.nan
    return figures


def assert_rows_equal_plain_figures(known: History, days: list[pd.Timestamp]) -> None:
    rows = measure(known).set_index(["ticker", "date"])
    for ticker in known.bars["ticker"].unique():
        for day in days:
            if (ticker, day) not in rows.index:
                continue
            for count in (20, 60):
                found = rows.loc[(ticker, day)]
                for name, value in expected_figures(known, ticker, day, count).items():
                    assert found[f"{name}_{count}"] == pytest.approx(
                        value, abs=1e-12, nan_ok=True
                    ), (ticker, day, name, count)


def test_rows_equal_the_figures_of_what_was_known_at_their_close() -> None:
    made = KNOWN.predictions["date"].unique()
    chosen = [0, 4, 5, 6, 21, 24, 25, 61, 64, 65, 200, 500, len(made) - 1]
    assert_rows_equal_plain_figures(KNOWN, [pd.Timestamp(made[at]) for at in chosen])


def test_sessions_without_a_forecast_are_skipped_and_spent_without_a_position() -> None:
    day = KNOWN.predictions["date"]
    is_gap = day.between("2016-01-01", "2016-06-30") & (KNOWN.predictions["ticker"] == "AAA")
    gappy = replace(KNOWN, predictions=KNOWN.predictions[~is_gap])
    made = np.sort(day.unique())
    after = np.searchsorted(made, np.datetime64("2016-07-01"))
    chosen = [after - 126, *range(after, after + 8), after + 60, after + 70]
    assert_rows_equal_plain_figures(gappy, [pd.Timestamp(made[at]) for at in chosen])


def test_rows_fulfil_their_contract_and_every_forecast_session_has_one() -> None:
    rows = judge_decay(measure(KNOWN), settings().decay)
    conformed = FORECAST_QUALITY.conform(rows)
    assert len(conformed) == (KNOWN.predictions["model"] == "xgboost").sum()
    assert conformed["rmse_60"].notna().sum() == len(conformed) - 2 * (59 + HORIZON)


def test_promise_is_that_of_the_model_that_forecast_the_session() -> None:
    is_late = (KNOWN.predictions["date"] >= "2019-02-01") & (KNOWN.predictions["ticker"] == "BBB")
    is_late &= KNOWN.predictions["model"] == "xgboost"
    predictions = KNOWN.predictions.copy()
    predictions.loc[is_late, "model_sha256"] = "challenger"
    challengers = pd.DataFrame(
        {"ticker": ["BBB"], "model_sha256": ["challenger"], "valid_information_coefficient": [0.33]}
    )
    rows = measure(replace(KNOWN, predictions=predictions, challengers=challengers))
    own = rows[(rows["ticker"] == "BBB") & (rows["window"] == "2019-01-01")]
    fold = KNOWN.folds.set_index("model_sha256").loc["BBB 2019-01-01"]
    before, after = own[own["date"] < "2019-02-01"], own[own["date"] >= "2019-02-01"]
    name = "expected_information_coefficient"
    assert set(before[name]) == {fold["valid_information_coefficient"]}
    assert set(after[name]) == {0.33}
    assert set(rows["expected_coverage"]) == {settings().forecasting.interval_coverage}


def test_baseline_that_did_not_forecast_has_no_error() -> None:
    alone = KNOWN.predictions[KNOWN.predictions["model"] == "xgboost"]
    rows = measure(replace(KNOWN, predictions=alone))
    assert rows["baseline_rmse_20"].isna().all()
    assert rows["rmse_20"].notna().any()


def test_other_models_and_horizons_change_nothing() -> None:
    other = KNOWN.predictions.assign(model="ridge")
    longer = KNOWN.predictions.assign(horizon=20)
    more = pd.concat([KNOWN.predictions, other, longer], ignore_index=True)
    pd.testing.assert_frame_equal(measure(replace(KNOWN, predictions=more)), measure(KNOWN))


def test_no_forecast_gives_no_rows_of_the_right_columns() -> None:
    rows = measure(replace(KNOWN, predictions=KNOWN.predictions.iloc[:0]))
    assert len(FORECAST_QUALITY.conform(judge_decay(rows, settings().decay))) == 0


@pytest.mark.parametrize(("table", "complaint"), [("labels", "no row for 1"), ("bars", "no bar")])
def test_forecast_session_without_label_or_bar_is_refused_by_name(
    table: str, complaint: str
) -> None:
    rows = getattr(KNOWN, table)
    is_lost = (rows["ticker"] == "BBB") & (rows["date"] == "2017-05-09")
    changed = replace(KNOWN, **{table: rows[~is_lost]})
    with pytest.raises(ContractError, match=rf"{complaint}.*BBB|BBB has {complaint}.*2017-05-09"):
        measure(changed)


def test_figures_are_of_the_forecaster_that_policies_see() -> None:
    other = KNOWN.predictions["model"].replace({"xgboost": "ridge"})
    renamed = replace(KNOWN, predictions=KNOWN.predictions.assign(model=other))
    promised = promises(renamed.folds, renamed.challengers)
    seen = settings().portfolio.model_copy(update={"forecast_model": "ridge"})
    chosen = settings().model_copy(update={"portfolio": seen})
    tables = (renamed.predictions, renamed.labels, renamed.bars, promised)
    pd.testing.assert_frame_equal(measure_quality(*tables, chosen), measure(KNOWN))
    assert measure_quality(*tables, settings()).empty
