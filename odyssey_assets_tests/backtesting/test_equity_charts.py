from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from odyssey_assets.backtesting.curves import ROLLING_SESSIONS
from odyssey_assets.backtesting.equity_charts import (
    cost_chart,
    drawdown_chart,
    equity_chart,
    rolling_sharpe_chart,
)
from odyssey_assets.backtesting.verdict import ranked, standing
from odyssey_assets.core.figure_text import display_name, percent, ratio
from odyssey_assets.core.palette import BLUE, ORANGE
from odyssey_assets.infrastructure.pictures import png_bytes
from odyssey_assets_tests.backtesting.synthetic_results import (
    STRATEGIES,
    SyntheticResults,
    synthetic_results,
)

RESULTS = synthetic_results(is_simulated=True)

Draw = Callable[[SyntheticResults], Figure]
CHARTS: dict[str, Draw] = {
    "equity": lambda rows: equity_chart(rows.daily, rows.seed_paths, rows.performance),
    "drawdown": lambda rows: drawdown_chart(rows.daily, rows.performance),
    "rolling_sharpe": lambda rows: rolling_sharpe_chart(rows.daily, rows.performance),
    "costs": lambda rows: cost_chart(rows.daily, rows.performance),
}


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def _lines(figure: Figure, panel: int = 0) -> list[np.ndarray]:
    lines = (np.asarray(line.get_ydata()) for line in figure.axes[panel].get_lines())
    return [line for line in lines if len(line) > 2]


def _cut(start: int, stop: int, strategies: tuple[str, ...] = STRATEGIES) -> SyntheticResults:
    days = (date(2020, 1, 2), date(2020, 12, 31))
    whole = synthetic_results(strategies, first=days[0], last=days[1])
    kept = whole.daily["date"].drop_duplicates().sort_values().iloc[start:stop]
    return SyntheticResults(
        **{
            name: frame[frame["date"].isin(kept)] if "date" in frame else frame
            for name, frame in vars(whole).items()
        }
    )


@pytest.mark.parametrize("name", CHARTS)
def test_chart_says_that_its_data_is_simulated_and_repeats_its_bytes(name: str) -> None:
    figure = CHARTS[name](RESULTS)
    assert figure.axes[0].get_title(loc="left").startswith("simulated data; ")
    assert figure.get_suptitle()
    assert png_bytes(figure) == png_bytes(CHARTS[name](RESULTS))


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize(
    ("start", "stop", "strategies"),
    [(0, 0, STRATEGIES), (100, 101, STRATEGIES), (100, 102, ("momentum",)), (0, 240, ("ppo",))],
    ids=["nothing", "one session", "one strategy", "learned alone"],
)
def test_chart_of_little_data_is_drawn(
    name: str, start: int, stop: int, strategies: tuple[str, ...]
) -> None:
    figure = CHARTS[name](_cut(start, stop, strategies))
    assert png_bytes(figure)
    if start == stop:
        assert any("no strategy has" in text for text in _texts(figure))


@pytest.mark.parametrize("name", CHARTS)
def test_chart_without_moves_or_figures_is_drawn(name: str) -> None:
    money = ["return", "turnover", "price_gain", "commission", "slippage", "drawdown"]
    figures = RESULTS.performance.select_dtypes("float64").columns
    still = SyntheticResults(
        **{
            **vars(RESULTS),
            "daily": RESULTS.daily.assign(**dict.fromkeys(money, 0.0), equity=1e6),
            "seed_paths": RESULTS.seed_paths.assign(**{"return": 0.0, "equity": 1e6}),
            "performance": RESULTS.performance.assign(**dict.fromkeys(figures, np.nan)),
        }
    )
    assert png_bytes(CHARTS[name](still))


def test_equity_chart_draws_growth_since_all_run_and_labels_each_end() -> None:
    figure = CHARTS["equity"](RESULTS)
    start = RESULTS.daily.groupby("strategy")["date"].min().max()
    ends = {}
    for strategy, rows in RESULTS.daily[RESULTS.daily["date"] >= start].groupby("strategy"):
        ends[str(strategy)] = float((1 + rows.sort_values("date")["return"]).prod())
    lines = _lines(figure)
    assert sorted(line[-1] for line in lines) == pytest.approx(sorted(ends.values()))
    expected = {f"{display_name(name)} {ratio(end)}" for name, end in ends.items()}
    assert set(_texts(figure)) == expected
    assert f"{start:%Y-%m-%d}" in str(figure.get_suptitle())
    assert standing(RESULTS.performance, ["ppo"]) in figure.axes[0].get_title(loc="left")


def test_equity_chart_emphasises_the_learned_and_the_best_and_shades_the_seeds() -> None:
    axes = CHARTS["equity"](RESULTS).axes[0]
    best = display_name(str(ranked(RESULTS.performance).index[0]))
    colors = {text.get_text().rsplit(" ", 1)[0]: to_hex(text.get_color()) for text in axes.texts}
    assert colors["PPO"] == BLUE
    assert colors[best] == ORANGE
    assert sum(color in (BLUE, ORANGE) for color in colors.values()) == 2
    assert any(isinstance(part, PolyCollection) for part in axes.collections)


def test_equity_chart_of_one_seed_has_no_band() -> None:
    rows = synthetic_results(("ppo", "equal_weight"), seeds=1)
    axes = CHARTS["equity"](rows).axes[0]
    assert not any(isinstance(part, PolyCollection) for part in axes.collections)


def test_equity_chart_survives_a_ruined_strategy() -> None:
    daily = RESULTS.daily.copy()
    daily.loc[(daily["strategy"] == "momentum") & (daily["date"] > "2020-01-01"), "return"] = -1.0
    figure = equity_chart(daily, RESULTS.seed_paths, RESULTS.performance)
    assert "momentum 0.00" in _texts(figure)
    assert png_bytes(figure)


def test_drawdown_chart_names_the_deepest_fall_and_its_date_in_order_of_rank() -> None:
    figure = CHARTS["drawdown"](RESULTS)
    expected = []
    for name in ranked(RESULTS.performance).index:
        own = RESULTS.daily[RESULTS.daily["strategy"] == name].set_index("date")["drawdown"]
        expected.append(f"{percent(own.min())}  {own.idxmin():%Y-%m-%d}")
    assert _texts(figure) == expected
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [display_name(str(name)) for name in ranked(RESULTS.performance).index]


def test_rolling_sharpe_chart_before_a_year_says_so() -> None:
    assert _texts(CHARTS["rolling_sharpe"](_cut(0, 200))) == [
        f"no strategy has {ROLLING_SESSIONS} returns that vary yet"
    ]


def test_rolling_sharpe_chart_draws_one_line_a_strategy() -> None:
    figure = CHARTS["rolling_sharpe"](RESULTS)
    sessions = RESULTS.daily.groupby("strategy").size() - ROLLING_SESSIONS + 1
    assert sorted(map(len, _lines(figure))) == sorted(sessions)


def test_cost_chart_shows_stored_turnover_and_added_costs() -> None:
    figure = CHARTS["costs"](RESULTS)
    rows = ranked(RESULTS.performance)["turnover"].sort_values()
    widths = [patch.get_width() for patch in figure.axes[0].patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx(rows.tolist())
    start = RESULTS.daily.groupby("strategy")["date"].min().max()
    traded = RESULTS.daily[RESULTS.daily["date"] >= start].groupby("strategy")["turnover"].sum()
    ends = sorted(line[-1] for line in _lines(figure, panel=1))
    assert ends == pytest.approx(sorted(0.0015 * traded))
