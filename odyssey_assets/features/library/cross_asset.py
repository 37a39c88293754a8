"""Cross-asset features: how the ticker moves with the market proxy, volatility and yields.

Each feature is declared in `SPECS` and computed in `compute`; a new one is a line in both. The
other side is taken as of the ticker's own sessions, so both returns span the same days. Where the
proxy or a series is absent its features are null.
"""

import numpy as np

from odyssey_assets.features.series import (
    Columns,
    FloatArray,
    MarketState,
    TickerBars,
    change_over,
    difference_over,
)
from odyssey_assets.features.spec import FeatureInput, FeatureSpec

WINDOWS = (20, 60)
VIX_WINDOW, TNX_WINDOW = 20, 60

_CORRELATION = "Pearson correlation"


def _correlation(
    name: str, inputs: tuple[FeatureInput, ...], window: int, formula: str
) -> FeatureSpec:
    return FeatureSpec(
        name, "cross_asset", inputs, window + 1, formula, _CORRELATION, minimum=-1.0, maximum=1.0
    )


SPECS: tuple[FeatureSpec, ...] = (
    *(
        _correlation(
            f"correlation_spy_{n}",
            ("close", "proxy"),
            n,
            f"corr(ret, ret of the proxy) over {n} sessions; 1 for the proxy itself, null where "
            "either did not move",
        )
        for n in WINDOWS
    ),
    _correlation(
        "correlation_vix_20",
        ("close", "macro"),
        VIX_WINDOW,
        "corr(ret, VIX - VIX one session ago) over 20 sessions; null where either did not move",
    ),
    _correlation(
        "correlation_tnx_60",
        ("close", "macro"),
        TNX_WINDOW,
        "corr(ret, 10-year yield - yield one session ago) over 60 sessions; null where either "
        "did not move",
    ),
    *(
        FeatureSpec(
            f"beta_spy_{n}",
            "cross_asset",
            ("close", "proxy"),
            n + 1,
            f"cov(ret, ret of the proxy) / var(ret of the proxy) over {n} sessions; 1 for the "
            "proxy itself, null where the proxy did not move",
            "Sharpe (1964), without a risk-free rate",
        )
        for n in WINDOWS
    ),
    *(
        FeatureSpec(
            f"relative_strength_spy_{n}",
            "cross_asset",
            ("close", "proxy"),
            n + 1,
            f"return over {n} sessions - the proxy's return over them; 0 for the proxy itself",
            "excess return over the proxy",
        )
        for n in WINDOWS
    ),
)


def compute(bars: TickerBars, market: MarketState) -> Columns:
    """Return the cross-asset features of one ticker, each row known at its close."""
    from odyssey_assets.features import kernels

    vix_change = difference_over(market.vix[bars.sessions], 1)
    tnx_change = difference_over(market.tnx[bars.sessions], 1)
    returns = bars.simple_return
    columns = _of_the_proxy(bars) if bars.ticker == market.proxy else _to_proxy(bars, market)
    columns["correlation_vix_20"] = kernels.rolling_comovement(returns, vix_change, VIX_WINDOW)[0]
    columns["correlation_tnx_60"] = kernels.rolling_comovement(returns, tnx_change, TNX_WINDOW)[0]
    return columns


def _to_proxy(bars: TickerBars, market: MarketState) -> Columns:
    from odyssey_assets.features import kernels

    proxy_close = market.proxy_close[bars.sessions]
    proxy_return = change_over(proxy_close, 1)
    columns: Columns = {}
    for n in WINDOWS:
        correlation, beta = kernels.rolling_comovement(bars.simple_return, proxy_return, n)
        columns[f"correlation_spy_{n}"], columns[f"beta_spy_{n}"] = correlation, beta
        columns[f"relative_strength_spy_{n}"] = change_over(bars.close, n) - change_over(
            proxy_close, n
        )
    return columns


def _of_the_proxy(bars: TickerBars) -> Columns:
    columns: Columns = {}
    for n in WINDOWS:
        columns[f"correlation_spy_{n}"] = _constant(bars.close.size, n, 1.0)
        columns[f"beta_spy_{n}"] = _constant(bars.close.size, n, 1.0)
        columns[f"relative_strength_spy_{n}"] = _constant(bars.close.size, n, 0.0)
    return columns


def _constant(rows: int, unknown: int, value: float) -> FloatArray:
    column = np.full(rows, value)
    column[:unknown] = np.nan
    return column
