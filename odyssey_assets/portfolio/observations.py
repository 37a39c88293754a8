"""What the learned policy's network sees and what its answer means, for training and serving alike.

A raw observation holds, for each ticker, the forecast made at a close (0 where there is none) and
the weight held at that close. `observation_scale` brings both to the size a network likes; the
exported model divides and clips by itself, so that whoever asks it passes raw observations. What a
step earns belongs to `portfolio.reward`.
"""

import numpy as np

CLIP = 5.0
"""Largest size of a scaled entry."""
SMALLEST_FORECAST = 1e-6
"""A root mean square forecast below this says nothing that could be scaled up."""


def fit_forecast_scale(forecasts: np.ndarray) -> np.ndarray:
    """Return the root mean square forecast of each ticker, shape (tickers,), float64, positive.

    A ticker without forecasts, or with nothing but zeros, takes the root mean square over all
    tickers; where that is zero too, 1. Equal forecasts are scaled to 1 or -1.

    Args:
        forecasts: Of the sessions that may be learned from, shape (sessions, tickers); NaN where
            there is none.
    """
    is_known = np.isfinite(forecasts)
    squares = np.where(is_known, forecasts, 0.0) ** 2
    pooled = _root_mean(squares.sum(), is_known.sum())
    fallback = pooled if pooled > SMALLEST_FORECAST else 1.0
    scale = _root_mean(squares.sum(axis=0), is_known.sum(axis=0))
    return np.where(scale > SMALLEST_FORECAST, scale, fallback)


def _root_mean(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.sqrt(total / np.maximum(count, 1))


def observation_scale(forecast_scale: np.ndarray, max_weight: float) -> np.ndarray:
    """Return what each entry of a raw observation is divided by, shape (2 x tickers,), float32.

    A forecast by its scale, a held weight by the most that one ticker may weigh.
    """
    held_scale = np.full(len(forecast_scale), max_weight)
    return np.concatenate([forecast_scale, held_scale]).astype(np.float32)


def raw_observation(forecast: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Return forecasts and held weights side by side, shape (..., 2 x tickers), float32.

    Args:
        forecast: Made at the close, shape (..., tickers); what is not finite is seen as 0.
        held: Weights at that close, same shape.
    """
    seen = np.where(np.isfinite(forecast), forecast, 0.0)
    return np.concatenate([seen, held], axis=-1).astype(np.float32)


def scaled_observation(raw: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return raw / scale, clipped to +-CLIP: what the network is fed, float32.

    Args:
        raw: As `raw_observation` returns it.
        scale: As `observation_scale` returns it.
    """
    return np.clip(raw / scale, np.float32(-CLIP), np.float32(CLIP))


def wanted_weights(held: np.ndarray, action: np.ndarray, max_weight: float) -> np.ndarray:
    """Return the weights that an action asks for, before the limits cut them; float64.

    An action is the wanted change of each weight as a share of `max_weight`, and is cut to +-1.

    Args:
        held: Weights at the deciding close, shape (..., tickers).
        action: The network's answer, same shape.
        max_weight: Most that one ticker may weigh.
    """
    return held + np.clip(action.astype(np.float64), -1.0, 1.0) * max_weight
