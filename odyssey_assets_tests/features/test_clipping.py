import numpy as np
import pytest

from odyssey_assets.features.clipping import clip_returns
from odyssey_assets.settings_sections import FeatureSettings

SETTINGS = FeatureSettings(clip_std=2.0, clip_min_sessions=20)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_jump_beyond_its_past_is_set_to_the_bound(sign: float) -> None:
    log_return = np.random.default_rng(0).normal(0.0, 0.01, 100)
    log_return[0], log_return[60] = np.nan, sign * 0.5
    past = log_return[1:60]

    clipped = clip_returns(log_return, SETTINGS)

    bound = past.mean() + sign * 2.0 * past.std(ddof=1)
    assert clipped.is_clipped[60]
    assert clipped.clipped[60] == pytest.approx(bound, rel=1e-12)
    assert clipped.log_return[60] == sign * 0.5


def test_return_inside_the_bounds_or_before_they_apply_keeps_every_bit() -> None:
    log_return = np.random.default_rng(1).normal(0.0, 0.01, 300)
    log_return[0], log_return[10] = np.nan, 5.0

    clipped = clip_returns(log_return, SETTINGS)

    kept = ~clipped.is_clipped
    assert kept[:21].all()
    assert np.isnan(clipped.lower[:21]).all()
    assert np.array_equal(clipped.clipped[kept], log_return[kept], equal_nan=True)
    assert ((clipped.clipped >= clipped.lower) | np.isnan(clipped.lower)).all()
    assert ((clipped.clipped <= clipped.upper) | np.isnan(clipped.upper)).all()


def test_jump_widens_only_later_bounds() -> None:
    log_return = np.random.default_rng(2).normal(0.0, 0.01, 100)
    jumped = log_return.copy()
    jumped[60] = 1.0

    calm, wild = clip_returns(log_return, SETTINGS), clip_returns(jumped, SETTINGS)

    assert np.array_equal(calm.upper[:61], wild.upper[:61], equal_nan=True)
    assert (wild.upper[61:] > calm.upper[61:]).all()
