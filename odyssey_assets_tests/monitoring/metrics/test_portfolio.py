"""Figures about the portfolios, on rows made by hand."""

import pytest

from odyssey_assets.backtesting.tables import DAILY, PERFORMANCE
from odyssey_assets.monitoring.metrics.portfolio import PORTFOLIO_QUERIES
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.contract_rows import Rows
from odyssey_assets_tests.monitoring.metrics.figures import figures_of
from odyssey_assets_tests.samples import Samples

TABLES: Rows = {
    DAILY: [
        {"strategy": "ppo", "date": "2024-08-29", "equity": 1.0, "commission": 1.0},
        {
            "strategy": "ppo", "date": "2024-08-30", "equity": 0.75, "return": -0.25,
            "drawdown": -0.25, "gross_exposure": 0.9, "cash_weight": 0.1, "turnover": 0.5,
            "commission": 2.0, "slippage": 4.0, "impact": 8.0,
        },
        {"strategy": "momentum", "date": "2024-08-28", "equity": 2.0},
    ],
    PERFORMANCE: [
        {
            "strategy": "ppo", "period": "common", "period_kind": "common", "sharpe": 1.5,
            "sharpe_standard_error": 0.5, "total_return": 0.2, "max_drawdown": -0.3,
            "volatility": 0.1,
        },
        {"strategy": "ppo", "period": "whole", "period_kind": "whole"},
        {"strategy": "ppo", "period": "2024", "period_kind": "year", "sharpe": 9.0},
    ],
    WEIGHTS: [
        {"policy": "ppo", "date": "2024-08-29", "ticker": "AAPL", "target_weight": 1.0},
        {
            "policy": "ppo", "date": "2024-08-30", "ticker": "AAPL", "target_weight": 0.5,
            "held_weight": 0.25,
        },
        {"policy": "momentum", "date": "2024-08-28", "ticker": "SPY", "target_weight": 0.125},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return figures_of(tmp_path_factory.mktemp("home"), TABLES, PORTFOLIO_QUERIES)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("equity_usd", {"strategy=ppo": 0.75, "strategy=momentum": 2.0}),
        ("session_return_ratio", {"strategy=ppo": -0.25, "strategy=momentum": -1.0}),
        ("drawdown_ratio", {"strategy=ppo": -0.25, "strategy=momentum": -1.0}),
        ("invested_ratio", {"strategy=ppo": 0.9, "strategy=momentum": 0.0}),
        ("cash_ratio", {"strategy=ppo": 0.1, "strategy=momentum": 0.0}),
        ("turnover_ratio", {"strategy=ppo": 0.5, "strategy=momentum": 0.0}),
        ("costs_usd", {"strategy=ppo": 15.0, "strategy=momentum": 0.0}),
        ("sharpe", {"period=common,strategy=ppo": 1.5}),
        ("sharpe_standard_error", {"period=common,strategy=ppo": 0.5}),
        ("total_return_ratio", {"period=common,strategy=ppo": 0.2}),
        ("max_drawdown_ratio", {"period=common,strategy=ppo": -0.3}),
        ("volatility_ratio", {"period=common,strategy=ppo": 0.1}),
        (
            "target_weight_ratio",
            {"strategy=ppo,ticker=AAPL": 0.5, "strategy=momentum,ticker=SPY": 0.125},
        ),
        (
            "held_weight_ratio",
            {"strategy=ppo,ticker=AAPL": 0.25, "strategy=momentum,ticker=SPY": 0.0},
        ),
    ],
)
def test_figure_is_of_each_strategys_newest_close(
    name: str, values: dict[str, float], found: Samples
) -> None:
    assert found[f"odyssey_portfolio_{name}"] == pytest.approx(values)
