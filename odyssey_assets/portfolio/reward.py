"""What the learned policy is rewarded for in each session.

The portfolio's return after costs, plus the differential Sharpe ratio: what that return did to the
Sharpe ratio of the episode. Returns come from `core.execution`; nothing here is reported as a
result, figures for people belong to `core.returns`.
"""

from dataclasses import dataclass

import numpy as np

ADAPTION = 0.01
"""Weight of the newest return in the running moments (eta of Moody & Saffell): a memory of some
100 sessions."""
USUAL_VOLATILITY = 0.01
"""Daily volatility in which returns are counted, and which the running moments begin with."""
SMALLEST_VOLATILITY = 0.001
"""Least daily volatility that a return is divided by: cash has none."""
LARGEST_RATIO = 10.0
"""Differential ratios are cut here, so that one crash does not outweigh a year."""


@dataclass(eq=False)
class RunningMoments:
    """Exponential moments of the returns of many portfolios; `update` changes them in place.

    Attributes:
        mean: A of Moody & Saffell, shape (portfolios,).
        square: B, the mean squared return, same shape.
    """

    mean: np.ndarray
    square: np.ndarray

    @classmethod
    def of_new(cls, portfolios: int) -> "RunningMoments":
        """Return the moments of portfolios that have earned nothing yet."""
        return cls(np.zeros(portfolios), np.full(portfolios, USUAL_VOLATILITY**2))

    def restart(self, which: np.ndarray) -> None:
        """Forget the returns of the portfolios where `which` is true."""
        self.mean[which] = 0.0
        self.square[which] = USUAL_VOLATILITY**2

    def update(self, returns: np.ndarray) -> np.ndarray:
        """Take in one return a portfolio and return the differential Sharpe ratios.

        D = (B dA - A dB / 2) / (B - A^2)^(3/2) with dA = R - A and dB = R^2 - B, the derivative of
        the running Sharpe ratio with respect to eta at 0 (Moody & Saffell 2001, Learning to trade
        via direct reinforcement, IEEE Transactions on Neural Networks 12(4), equation 14); about
        the return in standard deviations where the mean is small. Cut to +-LARGEST_RATIO.

        Args:
            returns: Simple returns of this session, shape (portfolios,).
        """
        mean_change, square_change = returns - self.mean, returns**2 - self.square
        variance = np.maximum(self.square - self.mean**2, SMALLEST_VOLATILITY**2)
        ratio = (self.square * mean_change - 0.5 * self.mean * square_change) / variance**1.5
        self.mean += ADAPTION * mean_change
        self.square += ADAPTION * square_change
        return np.clip(ratio, -LARGEST_RATIO, LARGEST_RATIO)


def step_reward(returns: np.ndarray, ratios: np.ndarray, sharpe_weight: float) -> np.ndarray:
    """Return the reward of one session: return / USUAL_VOLATILITY + sharpe_weight x ratio.

    Both terms are about one on a usual day, which is the size that value networks learn well.

    Args:
        returns: Simple returns after costs, shape (portfolios,).
        ratios: Differential Sharpe ratios, same shape.
        sharpe_weight: How much the ratio counts.
    """
    return returns / USUAL_VOLATILITY + sharpe_weight * ratios
