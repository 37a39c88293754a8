from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.core.forecast_scores import sign_strategy_returns
from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.charts import forecast_chart, importance_chart, strategy_chart
from odyssey_assets.forecasting.tabulation import Forecasts
from odyssey_assets.forecasting.training import forecast_windows
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets_tests.forecasting.small_market import PREDICTOR, fast_settings, small_market

TICKERS = tuple(f"T{number:02d}" for number in range(4))
MARKET = small_market(TICKERS)
COSTS = ProportionalCosts(10, 5)


@dataclass(frozen=True)
class Drawn:
    title: str
    note: str
    texts: list[str]


@pytest.fixture(scope="module")
def forecasts(tmp_path_factory: pytest.TempPathFactory) -> Forecasts:
    windows = tuple(parse_window(key) for key in ("2018-01-01", "2018-07-01"))
    store = ModelStore(Path(tmp_path_factory.mktemp("models")))
    config = fast_settings()
    by_ticker = dict.fromkeys(TICKERS, windows)
    return forecast_windows(
        MARKET.features, MARKET.labels, MARKET.bars, by_ticker, config, store, None
    )


def _text_of(figure: Figure) -> list[str]:
    figure.savefig(BytesIO(), format="png", dpi=50)
    return [text.get_text() for text in figure.axes[0].texts]


def _draw(figure: Figure) -> Drawn:
    texts = _text_of(figure)
    [axes] = figure.axes
    assert axes.get_ylabel() or axes.get_xlabel()
    return Drawn(
        str(figure.get_suptitle()),
        axes.get_title(loc="left"),
        texts,
    )


def test_forecast_chart_says_how_good_the_forecasts_were(forecasts: Forecasts) -> None:
    own = forecasts.predictions[forecasts.predictions["ticker"] == "T00"]
    labels = MARKET.labels[MARKET.labels["ticker"] == "T00"]
    figure = forecast_chart(own, labels, is_simulated=True)
    drawn = _draw(figure)
    assert drawn.title == "T00: 5-session forecasts of xgboost and what happened"
    joined = own[own["model"] == "xgboost"].merge(labels, on="date")
    joined = joined[joined["forward_return_5d"].notna()]
    error = np.sqrt(np.mean((joined["prediction"] - joined["forward_return_5d"]) ** 2))
    assert f"all {len(joined)} forecasts of known outcome: RMSE {error:.2%}" in drawn.note
    assert drawn.note.startswith("simulated data; ")


def test_forecast_chart_without_outcomes_says_so(forecasts: Forecasts) -> None:
    own = forecasts.predictions[forecasts.predictions["ticker"] == "T00"].tail(3)
    labels = MARKET.labels.assign(forward_return_5d=np.nan)
    labels = labels[labels["ticker"] == "T00"]
    model = own["model"].iloc[0]
    drawn = _draw(forecast_chart(own, labels, is_simulated=False, model=model))
    assert drawn.note == "no outcome is known yet"


def test_strategy_chart_labels_each_ticker_with_its_final_value(forecasts: Forecasts) -> None:
    drawn = _draw(strategy_chart(forecasts.predictions, MARKET.bars, COSTS, is_simulated=False))
    own = forecasts.predictions.query("model == 'xgboost' and ticker == 'T02'")
    priced = own.merge(MARKET.bars[["ticker", "date", "open"]], on=["ticker", "date"])
    growth = 1.0
    for _, rows in priced.groupby("window"):
        net = sign_strategy_returns(rows["prediction"].to_numpy(), rows["open"].to_numpy(), COSTS)
        growth *= float(np.prod(1 + net))
    assert f"T02 {growth:.2f}" in drawn.texts
    assert len(drawn.texts) == len(TICKERS)
    assert "15 bps" in drawn.note
    assert "simulated" not in drawn.note


def test_strategy_chart_of_a_window_just_begun_says_so(forecasts: Forecasts) -> None:
    begun = forecasts.predictions[forecasts.predictions["date"] == "2018-01-02"]
    figure = strategy_chart(begun, MARKET.bars, COSTS, is_simulated=True)
    assert _text_of(figure) == ["no forecast has earned a return yet"]


def test_charts_show_another_model_where_the_default_has_no_rows(forecasts: Forecasts) -> None:
    own = forecasts.predictions.query("ticker == 'T00' and model == 'ridge'")
    labels = MARKET.labels[MARKET.labels["ticker"] == "T00"]
    assert "of ridge" in _draw(forecast_chart(own, labels, is_simulated=False)).title
    drawn = _draw(strategy_chart(own, MARKET.bars, COSTS, is_simulated=False))
    assert "ridge" in drawn.title
    assert "instead unknown" in drawn.note


def test_importance_chart_shows_the_newest_window_and_the_strongest_feature_on_top(
    forecasts: Forecasts,
) -> None:
    figure = importance_chart(forecasts.feature_importance, is_simulated=True)
    drawn = _draw(figure)
    assert drawn.title == "Features that drove xgboost's forecasts: 4 tickers, mean"
    assert "window from 2018-07-01" in drawn.note
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[-1] == PREDICTOR


def test_importance_chart_of_one_ticker_names_it_and_of_nothing_says_so(
    forecasts: Forecasts,
) -> None:
    importance = forecasts.feature_importance
    one = _draw(importance_chart(importance[importance["ticker"] == "T01"], is_simulated=False))
    assert one.title == "Features that drove xgboost's forecasts: T01"
    none = _draw(importance_chart(importance.iloc[:0], is_simulated=False))
    assert none.title == "No feature drove xgboost"
