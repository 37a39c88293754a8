from odyssey_assets.forecasting.importance import strongest
from odyssey_assets.forecasting.models.forecaster import FeatureWeight


def test_strongest_are_sorted_by_effect_then_name_and_unused_ones_left_out() -> None:
    weights = [
        FeatureWeight("c", 1.0, 0.2),
        FeatureWeight("b", 0.0, 0.5),
        FeatureWeight("unused", 3.0, 0.0),
        FeatureWeight("a", 2.0, 0.2),
        FeatureWeight("d", 2.0, 0.1),
    ]
    assert [weight.feature for weight in strongest(weights, 3)] == ["b", "a", "c"]
    assert [weight.feature for weight in strongest(weights, 9)] == ["b", "a", "c", "d"]
