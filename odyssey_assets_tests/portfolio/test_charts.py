import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from odyssey_assets.core.figure_text import percent, ratio
from odyssey_assets.core.palette import BLUE
from odyssey_assets.infrastructure.pictures import png_bytes
from odyssey_assets.portfolio.charts import newest_portfolio_chart, training_chart, weights_chart
from odyssey_assets.portfolio.tables import TRAINING_CURVES, WEIGHTS
from odyssey_assets_tests.backtesting.synthetic_results import (
    TICKERS,
    synthetic_curves,
    synthetic_results,
)

CURVES = synthetic_curves()
WEIGHT_ROWS = synthetic_results(("ppo", "equal_weight")).weights
PPO_WEIGHTS = WEIGHT_ROWS[WEIGHT_ROWS["policy"] == "ppo"]
NEWEST = PPO_WEIGHTS[PPO_WEIGHTS["date"] == PPO_WEIGHTS["date"].max()]


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def _note(figure: Figure) -> str:
    return figure.axes[0].get_title(loc="left")


def test_training_chart_draws_a_line_a_training_and_rings_what_validation_chose() -> None:
    figure = training_chart(CURVES, is_simulated=True)
    above, below = figure.axes
    trainings = CURVES.groupby(["window", "seed"])
    curves = [line for line in above.get_lines() if line.get_marker() == "."]
    rings = [line for line in above.get_lines() if line.get_marker() == "o"]
    assert len(curves) == len(rings) == len(trainings)
    chosen = CURVES.loc[CURVES["is_selected"], "validation_sharpe"]
    ringed = np.concatenate([np.asarray(ring.get_ydata()) for ring in rings])
    assert sorted(ringed) == pytest.approx(sorted(chosen))
    rewards = [line for line in below.get_lines() if line.get_marker() == "."]
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in rewards])
    assert np.nansum(drawn) == pytest.approx(CURVES["mean_reward"].sum())
    assert _note(figure).startswith("simulated data; 21 windows, 23 trainings; ")
    assert png_bytes(figure) == png_bytes(training_chart(CURVES, is_simulated=True))


def test_training_chart_stands_windows_side_by_side_with_the_deciding_seed_in_blue() -> None:
    above = training_chart(CURVES, is_simulated=False).axes[0]
    curves = [line for line in above.get_lines() if line.get_marker() == "."]
    main = [line for line in curves if to_hex(line.get_color()) == BLUE]
    assert len(main) == CURVES["window"].nunique()
    spans = [(float(np.min(x)), float(np.max(x))) for x in (line.get_xdata() for line in main)]
    for (_, end), (start, _) in zip(spans, spans[1:], strict=False):  # noqa: RUF007 (windows)
        assert start > end


def test_training_chart_of_one_window_counts_its_steps() -> None:
    newest = CURVES[CURVES["window"] == CURVES["window"].max()]
    figure = training_chart(newest, is_simulated=False)
    assert _note(figure).startswith("1 window, 3 trainings; ")
    assert png_bytes(figure)
    labels = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert "100,000" in labels


@pytest.mark.parametrize("rows", [CURVES.iloc[:1], CURVES.assign(validation_sharpe=np.nan)])
def test_training_chart_of_little_data_is_drawn(rows: pd.DataFrame) -> None:
    assert png_bytes(training_chart(rows, is_simulated=False))


def test_training_chart_without_training_says_so() -> None:
    figure = training_chart(TRAINING_CURVES.empty(), is_simulated=True)
    assert "no policy was trained" in _texts(figure)
    assert png_bytes(figure)


def test_weights_chart_stacks_every_ticker_and_cash_to_one() -> None:
    figure = weights_chart(PPO_WEIGHTS, is_simulated=True)
    [axes] = figure.axes
    bands = [
        np.asarray(part.get_paths()[0].vertices) for part in axes.collections[: len(TICKERS) + 1]
    ]
    assert max(float(band[:, 1].max()) for band in bands) == pytest.approx(1.0)
    newest = NEWEST.set_index("ticker")["held_weight"]
    expected = {f"{ticker} {percent(weight)}" for ticker, weight in newest.items()}
    assert set(_texts(figure)) == expected | {"cash 20.0%"}
    assert "of PPO" in str(figure.get_suptitle())
    assert _note(figure).startswith("simulated data; ")


def test_weights_chart_of_one_session_or_of_cash_alone_is_drawn() -> None:
    assert png_bytes(weights_chart(NEWEST, is_simulated=False))
    cash = weights_chart(PPO_WEIGHTS.assign(held_weight=0.0), is_simulated=False)
    assert _texts(cash) == ["cash 100.0%"]
    assert png_bytes(cash)


def test_newest_portfolio_chart_shows_targets_with_the_spread_of_seeds() -> None:
    figure = newest_portfolio_chart(PPO_WEIGHTS, is_simulated=True)
    [axes] = figure.axes
    rows = NEWEST.sort_values("target_weight")
    widths = [patch.get_width() for patch in axes.patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx([1 - rows["target_weight"].sum(), *rows["target_weight"]])
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["cash", *rows["ticker"]]
    assert _texts(figure)[1:] == [percent(weight) for weight in rows["target_weight"]]
    (bars,) = axes.containers[1:]
    segments = bars[2][0].get_segments()
    spread = [float(one[1][0] - one[0][0]) / 2 for one in segments]
    assert spread == pytest.approx(rows["target_weight_seed_std"].tolist())
    assert "standard deviation over 3 seeds" in axes.get_xlabel()


def test_newest_portfolio_chart_of_a_rule_has_no_spread_and_says_when_it_decided() -> None:
    rows = WEIGHT_ROWS[WEIGHT_ROWS["policy"] == "equal_weight"].copy()
    days = rows["date"].drop_duplicates().sort_values()
    rows["is_decision"] = rows["date"] == days.iloc[-5]
    note = _note(newest_portfolio_chart(rows, is_simulated=False))
    assert f"decided at the close of {days.iloc[-5]:%Y-%m-%d}" in note
    assert f"held at the close of {days.iloc[-1]:%Y-%m-%d}" in note
    assert "seed" not in note


def test_newest_portfolio_chart_of_one_seed_says_that_the_spread_is_unknown() -> None:
    rows = PPO_WEIGHTS.assign(seed_count=1, target_weight_seed_std=np.nan)
    figure = newest_portfolio_chart(rows, is_simulated=False)
    assert "spread unknown" in _note(figure)
    assert png_bytes(figure)


def test_charts_without_weights_say_so() -> None:
    for figure in (
        weights_chart(WEIGHTS.empty(), is_simulated=True),
        newest_portfolio_chart(WEIGHTS.empty(), is_simulated=True),
    ):
        assert _texts(figure) == ["nothing was decided yet"]
        assert png_bytes(figure)


def test_notes_carry_validation_figures_of_the_newest_window() -> None:
    newest = CURVES[(CURVES["window"] == CURVES["window"].max()) & CURVES["is_selected"]]
    note = _note(training_chart(CURVES, is_simulated=False))
    assert note.endswith(", ".join(ratio(one) for one in newest["validation_sharpe"]))
