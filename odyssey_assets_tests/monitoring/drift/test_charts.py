from io import BytesIO

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from odyssey_assets.monitoring.drift.charts import (
    SHOWN_FEATURES,
    SHOWN_WINDOWS,
    p_value_chart,
    share_chart,
)

COLUMNS = ["ticker", "window", "as_of", "feature", "method", "p_value", "is_input", "is_drifted"]


def drift(features: int = 3, window: str = "2024-07-01") -> pd.DataFrame:
    """Return samples of two tickers on two days; the earlier day is stranger."""
    rows = [
        (ticker, window, as_of, f"f{at:02d}", method, p_value, True, False)
        for ticker in ("AAA", "BBB")
        for as_of, p_value in (("2024-07-30", 1e-6), ("2024-08-15", 0.4))
        for at in range(features)
        for method in ("psi", "ks")
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.assign(
        window=pd.to_datetime(frame["window"]), as_of=pd.to_datetime(frame["as_of"])
    )


def summary(windows: int = 3) -> pd.DataFrame:
    starts = pd.date_range("2000-01-01", periods=windows, freq="6MS")
    parts = [
        pd.DataFrame(
            {
                "ticker": ticker,
                "window": starts,
                "as_of": starts + pd.Timedelta(days=days),
                "status": "measured",
                "share_drifted": share,
                "is_drifted": share > 0,
            }
        )
        for ticker in ("AAA", "BBB")
        for days, share in ((30, 0.8), (170, 0.25 if ticker == "AAA" else 0.0))
    ]
    return pd.concat(parts, ignore_index=True)


def drawn(figure: Figure) -> tuple[str, list[list[str]], Axes]:
    """Return the note, the texts of the cells row by row, and the axes."""
    figure.savefig(BytesIO(), format="png", dpi=40)
    [axes] = figure.axes
    width = max(len(axes.get_xticklabels()), 1)
    texts = [text.get_text() for text in axes.texts]
    rows = [texts[at : at + width] for at in range(0, len(texts), width)]
    return axes.get_title(loc="left"), rows, axes


def names(labels: list) -> list[str]:
    return [label.get_text() for label in labels]


def test_newest_sample_is_drawn_by_the_chosen_method_strangest_feature_first() -> None:
    rows = drift()
    is_newest = rows["as_of"] == "2024-08-15"
    is_one = is_newest & (rows["feature"] == "f01") & (rows["ticker"] == "BBB")
    rows.loc[is_one & (rows["method"] == "ks"), ["p_value", "is_drifted"]] = [0.0004, True]
    rows.loc[is_newest & (rows["method"] == "psi"), "p_value"] = 0.9
    note, texts, axes = drawn(p_value_chart(rows, "ks", is_simulated=True))
    assert note.startswith("simulated data; 3 inputs, 2024-07-01 to 2024-08-15, by ks")
    assert names(axes.get_yticklabels()) == ["f01", "f00", "f02"]
    assert names(axes.get_xticklabels()) == ["AAA", "BBB"]
    assert texts == [[".4", "<.001"], [".4", ".4"], [".4", ".4"]]
    [cells] = [each for each in axes.collections if isinstance(each, PolyCollection)]
    assert list(np.atleast_1d(cells.get_linewidth()) > 0) == [False, True] + [False] * 4


def test_what_a_model_does_not_use_is_left_empty() -> None:
    rows = drift()
    rows.loc[(rows["feature"] == "f02") & (rows["ticker"] == "AAA"), "is_input"] = False
    _, texts, axes = drawn(p_value_chart(rows, "psi", is_simulated=False))
    assert texts[names(axes.get_yticklabels()).index("f02")] == ["", ".4"]


def test_unknown_p_value_is_a_dash_and_never_strange() -> None:
    rows = drift()
    rows.loc[(rows["feature"] == "f00") & (rows["ticker"] == "AAA"), "p_value"] = np.nan
    _, texts, axes = drawn(p_value_chart(rows, "psi", is_simulated=False))
    assert texts[names(axes.get_yticklabels()).index("f00")] == ["\N{EN DASH}", ".4"]


def test_of_many_features_the_strangest_are_drawn_and_the_picture_says_so() -> None:
    note, texts, _ = drawn(p_value_chart(drift(SHOWN_FEATURES + 5), "ks", is_simulated=False))
    assert len(texts) == SHOWN_FEATURES
    assert f"{SHOWN_FEATURES} strangest of {SHOWN_FEATURES + 5} inputs" in note


def test_only_the_newest_window_is_drawn() -> None:
    rows = pd.concat([drift(window="2024-01-01"), drift(2)], ignore_index=True)
    assert len(drawn(p_value_chart(rows, "ks", is_simulated=False))[1]) == 2


def test_share_is_that_of_the_last_sample_of_each_window() -> None:
    note, texts, axes = drawn(share_chart(summary(), is_simulated=False))
    assert texts == [["25%"] * 3, [""] * 3]
    assert names(axes.get_xticklabels()) == ["2000\nJan", "2000\nJul", "2001\nJan"]
    assert "50% of 6 tickers' windows had any" in note


def test_window_without_a_verdict_is_a_dash() -> None:
    rows = summary()
    rows.loc[(rows["ticker"] == "BBB") & (rows["window"] == "2000-07-01"), "status"] = "no_model"
    _, texts, _ = drawn(share_chart(rows, is_simulated=False))
    assert texts[1] == ["", "\N{EN DASH}", ""]


def test_newest_windows_are_shown() -> None:
    _, texts, _ = drawn(share_chart(summary(SHOWN_WINDOWS + 4), is_simulated=False))
    assert len(texts[0]) == SHOWN_WINDOWS


def test_nothing_measured_yet_is_said() -> None:
    assert drawn(p_value_chart(drift().iloc[:0], "ks", is_simulated=False))[1] == [
        ["no sample is long enough yet"]
    ]
    assert drawn(share_chart(summary().iloc[:0], is_simulated=False))[1] == [
        ["no window has a verdict yet"]
    ]
