"""Which features drove a fold's model most."""

from collections.abc import Sequence

from odyssey_assets.forecasting.models.forecaster import FeatureWeight


def strongest(weights: Sequence[FeatureWeight], count: int) -> tuple[FeatureWeight, ...]:
    """Return the `count` features with the largest mean absolute SHAP value, largest first.

    Features without any influence are left out; ties go by name.
    """
    used = [weight for weight in weights if weight.mean_abs_shap > 0]
    return tuple(sorted(used, key=lambda weight: (-weight.mean_abs_shap, weight.feature))[:count])
