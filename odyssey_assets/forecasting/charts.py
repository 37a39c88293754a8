"""Pictures of forecasts: beside their outcomes, as a strategy, and by what drove them.

Every function returns a figure built without pyplot, so that it can be drawn in any process and
leaves nothing behind. How a figure reaches the Dagster UI belongs to `infrastructure.pictures`.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.core.chart_frame import (
    Space,
    chart_frame,
    date_axis,
    log_axis,
    percent_axis,
    say_no_data,
)
from odyssey_assets.core.costs import BASIS_POINT, ProportionalCosts
from odyssey_assets.core.forecast_scores import direction_accuracy, rmse, sign_strategy_returns
from odyssey_assets.core.line_labels import label_ends
from odyssey_assets.core.palette import BLUE, INK, MUTED, ORANGE, distinct_colors
from odyssey_assets.core.returns import compounded_growth

DEFAULT_MODEL = "xgboost"
BASELINE_MODEL = "historical_mean"
# Two years: enough to see both behaviours, few enough to tell sessions apart.
SHOWN_SESSIONS = 504
SHOWN_FEATURES = 20


def forecast_chart(
    predictions: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    is_simulated: bool,
    model: str = DEFAULT_MODEL,
) -> Figure:
    """Draw one ticker's forecasts with their interval beside what happened.

    Args:
        predictions: Rows of `forecasting.predictions` of one ticker.
        labels: Rows of `features.labels` of the ticker.
        is_simulated: Whether to say that the data is simulated.
        model: The model drawn; another one where it has no rows.
    """
    model = _drawn_model(predictions, model)
    own = predictions[predictions["model"] == model].sort_values("date")
    horizon = int(own["horizon"].iloc[0])
    label = f"forward_return_{horizon}d"
    joined = own.merge(labels[["date", label]], on="date", how="left")
    known = joined[joined[label].notna()]
    shown = joined.tail(SHOWN_SESSIONS)
    is_covered = (known[label] >= known["lower"]) & (known[label] <= known["upper"])
    figure, axes = chart_frame(
        f"{own['ticker'].iloc[0]}: {horizon}-session forecasts of {model} and what happened",
        _quality_line(known["prediction"], known[label], is_covered),
        is_simulated=is_simulated,
        space=Space(bottom=0.73),
    )
    dates = shown["date"].to_numpy()
    axes.fill_between(
        dates,
        shown["lower"].to_numpy(),
        shown["upper"].to_numpy(),
        color=BLUE,
        alpha=0.15,
        linewidth=0,
        label="forecast interval",
    )
    axes.plot(dates, shown[label].to_numpy(), color=ORANGE, linewidth=0.9, label="outcome")
    axes.plot(dates, shown["prediction"].to_numpy(), color=BLUE, linewidth=1.6, label="forecast")
    axes.axhline(0, color=INK, linewidth=0.6)
    percent_axis(axes)
    axes.set_ylabel(f"return over the next {horizon} sessions")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3, frameon=False)
    date_axis(axes)
    return figure


def strategy_chart(
    predictions: pd.DataFrame,
    bars: pd.DataFrame,
    costs: ProportionalCosts,
    *,
    is_simulated: bool,
    model: str = DEFAULT_MODEL,
) -> Figure:
    """Draw what holding the forecast's sign would have made of one dollar, by ticker.

    Args:
        predictions: Rows of `forecasting.predictions`.
        bars: Rows of `market_data.bars` of the same tickers and sessions, or more.
        costs: Costs of the strategy.
        is_simulated: Whether to say that the data is simulated.
        model: The model drawn; another one where it has no rows.
    """
    opens = adjusted_bars(bars)[["ticker", "date", "open"]]
    model = _drawn_model(predictions, model)
    priced = predictions.merge(opens, on=["ticker", "date"])
    growth = _growth_by_ticker(priced[priced["model"] == model], costs)
    baseline = _growth_by_ticker(priced[priced["model"] == BASELINE_MODEL], costs)
    figure, axes = chart_frame(
        f"Holding the sign of {model}'s forecast, by ticker",
        f"out of sample, long or short, after {costs.rate / BASIS_POINT:g} bps of traded value; "
        f"median ticker {_median_end(growth)}, by the sign of {BASELINE_MODEL} instead "
        f"{_median_end(baseline)}",
        is_simulated=is_simulated,
        space=Space(left=0.65, right=1.15),
    )
    if not growth:
        say_no_data(axes, "no forecast has earned a return yet")
        return figure
    ordered = sorted(growth, key=lambda ticker: (growth[ticker].iloc[-1], ticker))
    colors = dict(zip(sorted(growth), distinct_colors(len(growth)), strict=True))
    for ticker in ordered:
        line = growth[ticker]
        axes.plot(line.index.to_numpy(), line.to_numpy(), color=colors[ticker], linewidth=1.2)
    axes.axhline(1, color=INK, linewidth=0.6)
    low = min(line.min() for line in growth.values())
    high = max(line.max() for line in growth.values())
    log_axis(axes, low, high)
    axes.set_ylabel("value of 1 USD, log scale")
    date_axis(axes)
    label_ends(axes, {ticker: growth[ticker].iloc[-1] for ticker in ordered}, colors)
    return figure


def importance_chart(
    importance: pd.DataFrame, *, is_simulated: bool, model: str = DEFAULT_MODEL
) -> Figure:
    """Draw the features that drove the newest models most, averaged over the tickers given.

    Args:
        importance: Rows of `forecasting.feature_importance`; only the newest window is drawn.
        is_simulated: Whether to say that the data is simulated.
        model: The model drawn; another one where it has no rows.
    """
    model = _drawn_model(importance, model)
    own = importance[importance["model"] == model]
    newest = own[own["window"] == own["window"].max()]
    tickers = sorted(newest["ticker"].unique())
    whose = tickers[0] if len(tickers) == 1 else f"{len(tickers)} tickers, mean"
    sums = newest.groupby("feature")["mean_abs_shap"].sum() / max(len(tickers), 1)
    strongest = sums.sort_values(ascending=False, kind="stable").head(SHOWN_FEATURES)[::-1]
    when = f"{newest['window'].iloc[0]:%Y-%m-%d}" if len(newest) else "none"
    figure, axes = chart_frame(
        f"Features that drove {model}'s forecasts: {whose}"
        if tickers
        else f"No feature drove {model}",
        f"window from {when}; mean absolute SHAP value on the validation sessions",
        is_simulated=is_simulated,
        space=Space(left=2.3, bottom=0.55),
    )
    values = strongest.to_numpy() / BASIS_POINT
    bars = axes.barh(list(strongest.index), values, color=BLUE, height=0.7)
    axes.bar_label(
        bars,
        fmt=lambda effect: f"{effect:.2f}" if effect >= 0.1 else f"{effect:.1g}",
        padding=3,
        fontsize=8,
        color=MUTED,
    )
    axes.set_xlabel("effect on the forecast return, basis points")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.08, y=0.01)
    return figure


def _quality_line(forecast: pd.Series, outcome: pd.Series, is_covered: pd.Series) -> str:
    if outcome.empty:
        return "no outcome is known yet"
    one, two = forecast.to_numpy(), outcome.to_numpy()
    return (
        f"all {len(two)} forecasts of known outcome: RMSE {rmse(one, two):.2%}, direction right "
        f"{direction_accuracy(one, two):.1%}, inside the interval {is_covered.mean():.1%}"
    )


def _drawn_model(rows: pd.DataFrame, wanted: str) -> str:
    names = sorted(rows["model"].unique())
    return wanted if wanted in names or not names else str(names[0])


def _growth_by_ticker(priced: pd.DataFrame, costs: ProportionalCosts) -> dict[str, pd.Series]:
    by_ticker = {
        str(ticker): _strategy_growth(rows.sort_values("date"), costs)
        for ticker, rows in priced.groupby("ticker")
    }
    return {ticker: growth for ticker, growth in by_ticker.items() if len(growth)}


def _median_end(growth: dict[str, pd.Series]) -> str:
    return f"{np.median([line.iloc[-1] for line in growth.values()]):.2f}" if growth else "unknown"


def _strategy_growth(rows: pd.DataFrame, costs: ProportionalCosts) -> pd.Series:
    parts = []
    for _, window in rows.groupby("window"):
        net = sign_strategy_returns(
            window["prediction"].to_numpy(), window["open"].to_numpy(), costs
        )
        parts.append(pd.Series(net, index=window["date"].iloc[2:]))
    net = pd.concat(parts)
    return pd.Series(compounded_growth(net.to_numpy()), index=net.index)
