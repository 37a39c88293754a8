"""All features in stored order, and which of them models may see.

Add a feature in its family's file under `library/`; add a family with one line here. Specs only:
importing this module compiles and computes nothing.
"""

from odyssey_assets.features.library import (
    cross_asset,
    momentum,
    price,
    regime,
    returns,
    volatility,
    volume,
)
from odyssey_assets.features.spec import FeatureSpec

FEATURES: tuple[FeatureSpec, ...] = (
    *price.SPECS,
    *momentum.SPECS,
    *volatility.SPECS,
    *volume.SPECS,
    *returns.SPECS,
    *cross_asset.SPECS,
    *regime.SPECS,
)

MODEL_FEATURES: tuple[str, ...] = tuple(spec.name for spec in FEATURES if not spec.is_level)
