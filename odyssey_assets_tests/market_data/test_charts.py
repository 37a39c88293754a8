from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.infrastructure.pictures import png_bytes
from odyssey_assets.market_data.charts import missing_data_map, price_chart
from odyssey_assets.settings_sections import CleaningSettings
from odyssey_assets_tests.market_data.raw_history import cleaned, raw_history, split_from

MAX_BYTES = 80_000


def _bars() -> pd.DataFrame:
    """Return bars with one split, two filled sessions, a long gap and one anomaly."""
    raw = split_from(raw_history(300), 150, 4.0)
    raw.loc[200:, ["open", "high", "low", "close"]] *= 1.4
    lost = [100, 101, *range(220, 240)]
    settings = CleaningSettings(anomaly_min_sessions=50, max_fill_sessions=2)
    return cleaned(raw.drop(index=lost), settings=settings).bars


def _texts(figure: Figure) -> list[str]:
    legend = [text.get_text() for part in figure.legends for text in part.get_texts()]
    notes = [part for axes in figure.axes for part in axes.get_title(loc="left").split("; ")]
    return [text.get_text() for text in figure.texts] + notes + legend


def test_price_chart_says_what_it_shows() -> None:
    figure = price_chart(_bars())
    texts = _texts(figure)
    assert "AAA: daily close" in texts
    assert any("source files · 282 sessions, 4 filled, 1 anomalous" in text for text in texts)
    assert {"close as traded", "close with dividends reinvested"} <= set(texts)
    assert {"filled (4)", "anomalous move (1)"} <= set(texts)
    assert figure.axes[0].get_ylabel() == "USD a share, log scale"
    assert [text.get_text().strip() for text in figure.axes[0].texts] == ["4:1"]
    assert "simulated data" not in texts


def test_price_chart_draws_closes_and_breaks_the_line_in_gaps() -> None:
    bars = _bars()
    as_traded, adjusted = price_chart(bars).axes[0].get_lines()[:2]
    close, total = np.asarray(as_traded.get_ydata()), np.asarray(adjusted.get_ydata())
    assert np.isnan(close).sum() == 18
    assert close[~np.isnan(close)].tolist() == bars["close"].tolist()
    np.testing.assert_allclose(total[~np.isnan(total)], bars["close"] * bars["split_factor"])


def test_price_chart_of_a_part_is_based_on_its_first_session() -> None:
    part = _bars().iloc[200:]
    as_traded, adjusted = price_chart(part).axes[0].get_lines()[:2]
    assert np.asarray(adjusted.get_ydata())[0] == np.asarray(as_traded.get_ydata())[0]


@pytest.mark.parametrize("scale", [1.0, 10.0, 1000.0])
def test_price_chart_has_a_handful_of_price_labels_at_any_range(scale: float) -> None:
    bars = _bars().iloc[:90]
    growth = np.linspace(1.0, scale, len(bars))
    grown = bars.assign(**{name: bars[name] * growth for name in ("open", "high", "low", "close")})
    axes = price_chart(grown).axes[0]
    low, high = axes.get_ylim()
    labels = [tick for tick in axes.get_yticks() if low <= tick <= high]
    assert 2 <= len(labels) <= 9
    assert min(labels) / low <= 3.5
    assert high / max(labels) <= 3.5


def test_price_chart_of_vendor_adjusted_prices_does_not_call_them_as_traded() -> None:
    texts = _texts(price_chart(_bars().assign(is_as_traded=False)))
    assert "close, adjusted by vendor" in texts
    assert "close as traded" not in texts


def test_price_chart_of_one_session_shows_a_point() -> None:
    figure = price_chart(_bars().head(1))
    assert all(line.get_marker() == "." for line in figure.axes[0].get_lines())
    assert png_bytes(figure)


def _map_classes(figure: Figure) -> np.ma.MaskedArray:
    (mesh,) = (part for part in figure.axes[0].collections if isinstance(part, QuadMesh))
    values = mesh.get_array()
    return np.ma.masked_array(values)


def test_missing_data_map_tells_filled_from_missing_and_not_yet_listed() -> None:
    sessions = sessions_between(date(2015, 1, 1), date(2015, 6, 30))
    raw = raw_history(len(sessions))
    days = raw["date"]
    lost = days.isin(pd.to_datetime(["2015-01-15", "2015-02-10", "2015-02-12"]))
    lost |= days.between("2015-04-06", "2015-04-10") | days.between("2015-05-04", "2015-06-05")
    late = raw_history(len(sessions), "BBB")
    late = late[late["date"] >= "2015-03-16"]
    settings = CleaningSettings(max_fill_sessions=3)
    bars = cleaned(pd.concat([raw[~lost], late]), settings=settings).bars

    figure = missing_data_map(bars, sessions, ["AAA", "BBB", "NONE"])
    classes = _map_classes(figure)
    assert classes[0].tolist() == [1, 2, 0, 3, 5, 4]
    assert classes[1].tolist() == [None, None, 0, 0, 0, 0]
    assert classes[2].tolist() == [5] * 6
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["AAA", "BBB", "NONE"]
    texts = _texts(figure)
    assert "Missing and filled sessions by ticker and month" in texts
    assert {"complete", "filled: 1 session", "missing: up to 10 % of sessions"} <= set(texts)
    assert any("3 tickers, 124 sessions · 9 filled" in text for text in texts)


@pytest.mark.parametrize("count", [1, 60, 240])
def test_missing_data_map_stays_readable_for_any_number_of_tickers(count: int) -> None:
    tickers = [f"T{number:03d}" for number in range(count)]
    sessions = sessions_between(date(2015, 1, 1), date(2017, 12, 31))
    bars = _bars().assign(ticker=tickers[-1])
    figure = missing_data_map(bars, sessions, tickers)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert 1 <= len(labels) <= 40
    assert labels[0] == tickers[0]
    assert figure.get_figheight() <= 11.0
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == [
        "2015", "2016", "2017",
    ]  # fmt: skip


def test_pictures_of_simulated_bars_say_so_and_are_small_and_repeatable() -> None:
    bars = _bars().assign(is_simulated=True)
    sessions = pd.DatetimeIndex(bars["date"])
    builders: list[Callable[[], Figure]] = [
        lambda: price_chart(bars),
        lambda: missing_data_map(bars, sessions, ["AAA"]),
    ]
    for build in builders:
        figure = build()
        assert "simulated data" in _texts(figure)
        image = png_bytes(figure)
        assert len(image) < MAX_BYTES
        assert image == png_bytes(build())
