from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from odyssey_assets.monitoring.quality.charts import (
    SHOWN_TICKERS,
    correlation_chart,
    coverage_chart,
)
from odyssey_assets.monitoring.tables import FORECAST_QUALITY

DAYS = pd.bdate_range("2023-01-02", periods=300)


def quality(tickers: int) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    parts = []
    for number in range(tickers):
        frame = FORECAST_QUALITY.empty().reindex(range(len(DAYS))).astype(object)
        frame = frame.assign(
            ticker=f"T{number:02d}",
            date=DAYS,
            information_coefficient_60=generator.uniform(-0.5, 0.5, len(DAYS)),
            interval_coverage_60=generator.uniform(0.7, 1.0, len(DAYS)),
            expected_information_coefficient=0.1,
            expected_coverage=0.9,
            information_coefficient_floor=-0.4,
            coverage_floor=0.75,
            coverage_ceiling=1.0,
            is_correlation_decayed=False,
            is_coverage_decayed=False,
        )
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def texts(figure: Figure) -> str:
    figure.savefig(BytesIO(), format="png", dpi=40)
    panels = [text.get_text() for axes in figure.axes for text in axes.texts]
    note = figure.axes[0].get_title(loc="left")
    return "\n".join([note, *panels])


@pytest.mark.parametrize("draw", [correlation_chart, coverage_chart])
def test_every_ticker_has_a_panel_with_its_newest_figure(draw: object) -> None:
    rows = quality(4)
    is_last = (rows["ticker"] == "T02") & (rows["date"] == DAYS[-1])
    rows.loc[is_last, ["information_coefficient_60", "interval_coverage_60"]] = [0.25, 0.83]
    rows.loc[is_last, ["is_correlation_decayed", "is_coverage_decayed"]] = True
    figure = draw(rows, is_simulated=True)  # type: ignore[operator]
    found = texts(figure)
    assert "simulated data; 4 tickers" in found
    assert "1 now, 1 at some time shown" in found
    assert ("T02  0.25" if draw is correlation_chart else "T02  83%") in found
    assert sum(axes.axison for axes in figure.axes) == 4


def test_of_many_tickers_the_worst_are_drawn_and_the_picture_says_so() -> None:
    rows = quality(SHOWN_TICKERS + 3)
    is_worst = (rows["ticker"] == "T26") & (rows["date"] == DAYS[-1])
    rows.loc[is_worst, "is_coverage_decayed"] = True
    found = texts(coverage_chart(rows, is_simulated=False))
    assert f"the worst {SHOWN_TICKERS} of {SHOWN_TICKERS + 3} tickers" in found
    assert "T26" in found


def test_no_forecast_yet_is_said() -> None:
    assert "no forecast yet" in texts(correlation_chart(quality(1).iloc[:0], is_simulated=False))
