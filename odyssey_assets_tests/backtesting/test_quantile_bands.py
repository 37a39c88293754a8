import pytest

from odyssey_assets.backtesting.quantile_bands import MEDIAN, quantile_bands


@pytest.mark.parametrize(
    ("quantiles", "bands"),
    [
        ([0.99, 0.05, 0.5, 0.95, 0.01], [(0.01, 0.99), (0.05, 0.95)]),
        ([MEDIAN], []),
        ([0.1, 0.5], []),
        ([], []),
    ],
)
def test_bands_pair_quantiles_about_the_median_widest_first(
    quantiles: list[float], bands: list[tuple[float, float]]
) -> None:
    assert quantile_bands(quantiles) == bands
