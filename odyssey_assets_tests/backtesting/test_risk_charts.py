import numpy as np
import pytest
from matplotlib.figure import Figure

from odyssey_assets.backtesting.risk_charts import (
    monte_carlo_chart,
    monthly_returns_chart,
    regime_chart,
    stress_chart,
)
from odyssey_assets.backtesting.tables import DAILY, MONTE_CARLO, REGIMES, STRESS
from odyssey_assets.core.figure_text import display_name, percent, ratio
from odyssey_assets.infrastructure.pictures import png_bytes
from odyssey_assets_tests.backtesting.synthetic_results import (
    STRATEGIES,
    synthetic_fan,
    synthetic_results,
)

RESULTS = synthetic_results(is_simulated=True)
FAN = synthetic_fan(RESULTS.daily)


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_monthly_returns_chart_writes_every_month_and_year() -> None:
    figure = monthly_returns_chart(RESULTS.daily, "momentum")
    own = RESULTS.daily[RESULTS.daily["strategy"] == "momentum"].set_index("date")["return"]
    by_month = own.groupby([own.index.year, own.index.month]).apply(lambda r: (1 + r).prod() - 1)
    texts = _texts(figure)
    assert len(texts) == 13 * own.index.year.nunique()
    for (year, month), value in by_month.items():
        assert texts[13 * (year - own.index.year.min()) + month - 1] == percent(value)
    by_year = own.groupby(own.index.year).apply(lambda r: (1 + r).prod() - 1)
    assert texts[12::13] == [percent(value) for value in by_year]
    assert figure.axes[0].get_title(loc="left").startswith("simulated data; ")


def test_monthly_returns_chart_of_one_day_without_a_move_is_drawn() -> None:
    day = RESULTS.daily[RESULTS.daily["strategy"] == "momentum"].head(1).assign(**{"return": 0.0})
    figure = monthly_returns_chart(day, "momentum")
    assert [text for text in _texts(figure) if text] == ["0.0%", "0.0%"]
    assert png_bytes(figure)


def test_monthly_returns_chart_of_a_strategy_without_days_says_so() -> None:
    for figure in (
        monthly_returns_chart(RESULTS.daily, "unknown"),
        monthly_returns_chart(DAILY.empty(), "ppo"),
    ):
        assert _texts(figure) == ["no return yet"]
        assert png_bytes(figure)


def test_monte_carlo_chart_labels_the_quantiles_of_its_fan() -> None:
    figure = monte_carlo_chart(RESULTS.monte_carlo, FAN, "ppo")
    own = FAN[(FAN["strategy"] == "ppo") & (FAN["session"] == FAN["session"].max())]
    for quantile, wealth in zip(own["quantile"], own["wealth"], strict=True):
        name = "median" if quantile == 0.5 else f"{100 * quantile:g}%"
        assert f"{name} {ratio(wealth)}" in _texts(figure)
    assert len(figure.axes[0].collections) == 3 + 1
    note = figure.axes[0].get_title(loc="left")
    assert "400 paths of 252 sessions" in note
    loss = RESULTS.monte_carlo.query("strategy == 'ppo'")["probability_of_loss"].iloc[0]
    assert f"{percent(loss, 0)} of the paths lose money" in note


def test_monte_carlo_chart_ranks_the_ends_of_all_strategies_by_their_median() -> None:
    axes = monte_carlo_chart(RESULTS.monte_carlo, FAN, "ppo").axes[1]
    rows = RESULTS.monte_carlo.query("quantity == 'terminal_wealth' and quantile == 0.5")
    expected = rows.sort_values("value")["strategy"].map(display_name)
    assert [label.get_text() for label in axes.get_yticklabels()] == expected.tolist()


def test_monte_carlo_chart_without_paths_says_so() -> None:
    figure = monte_carlo_chart(MONTE_CARLO.empty(), FAN.iloc[:0], "ppo")
    assert "no paths were resampled" in _texts(figure)
    assert png_bytes(figure)


def test_stress_chart_writes_every_return_and_where_there_are_no_data() -> None:
    figure = stress_chart(RESULTS.stress, "SPY")
    texts = _texts(figure)
    assert len(texts) == RESULTS.stress["scenario"].nunique() * (len(STRATEGIES) + 1)
    known = RESULTS.stress["portfolio_return"].dropna()
    assert set(map(percent, known)) <= set(texts)
    is_missing = RESULTS.stress["status"] == "no_data"
    lost = RESULTS.stress.loc[is_missing, "scenario"].nunique()
    assert texts.count("no data") == is_missing.sum() + lost
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels[0] == "SPY"
    assert "equal\nweight" in labels


def test_stress_chart_leaves_blank_what_cannot_have_a_figure() -> None:
    rows = RESULTS.stress.copy()
    rows.loc[rows["scenario"] == "volatility doubled", "proxy_return"] = np.nan
    figure = stress_chart(rows, "SPY")
    known = _texts(stress_chart(RESULTS.stress, "SPY"))
    changed = [new for old, new in zip(known, _texts(figure), strict=True) if old != new]
    assert changed == [""]


def test_stress_chart_slants_what_the_newest_portfolio_would_have_done() -> None:
    rows = RESULTS.stress.query("strategy == 'ppo'").copy()
    rows.loc[rows["scenario"] == "2018 Q4", "method"] = "newest_weights"
    texts = stress_chart(rows, "SPY").axes[0].texts
    slanted = [text.get_text() for text in texts if text.get_fontstyle() == "italic"]
    expected = rows[rows["method"].isin(["newest_weights", "shock"])]["portfolio_return"]
    assert sorted(slanted) == sorted(map(percent, expected))


def test_regime_chart_writes_ratio_error_and_return() -> None:
    figure = regime_chart(RESULTS.regimes)
    texts = _texts(figure)
    assert len(texts) == len(RESULTS.regimes)
    row = RESULTS.regimes.query("strategy == 'ppo' and regime == 2").iloc[0]
    assert (
        f"{ratio(row['sharpe'])} ± {ratio(row['sharpe_standard_error'])}  "
        f"{percent(row['mean_annual_return'])} a year"
    ) in texts
    columns = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert columns[2] == "stressed\n15% of sessions"


def test_regime_chart_of_a_regime_without_a_ratio_shows_a_dash() -> None:
    rows = RESULTS.regimes.assign(sharpe=np.nan)
    assert set(_texts(regime_chart(rows))) == {"\N{EN DASH}"}


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (stress_chart(STRESS.empty(), "SPY"), "no scenario was computed"),
        (regime_chart(REGIMES.empty()), "no session has a regime yet"),
    ],
)
def test_table_without_rows_says_so(figure: Figure, text: str) -> None:
    assert _texts(figure) == [text]
    assert png_bytes(figure)
