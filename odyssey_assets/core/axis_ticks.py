"""Round values to label an axis with, whoever draws it."""

import math

# A logarithmic axis over less than this is labelled like a linear one.
_FEW_FOLD, _MANY_FOLD = 5.0, 100.0
_WANTED = 5


def log_ticks(low: float, high: float) -> list[float]:
    """Return a handful of round values for a logarithmic axis, ascending.

    Args:
        low: Smallest value drawn, above 0.
        high: Largest value drawn, at least `low`.
    """
    if high / low < _FEW_FOLD:
        return _even_steps(low, high)
    bases = (1.0, 3.0) if high / low > _MANY_FOLD else (1.0, 2.0, 5.0)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [base * 10.0**power for power in powers for base in bases]
    return [value for value in values if low * 0.98 <= value <= high * 1.02]


def _even_steps(low: float, high: float) -> list[float]:
    widening = max(0.01 * (high + low) - (high - low), 0.0) / 2
    low, high = low - widening, high + widening
    spread = high - low
    power = 10.0 ** math.floor(math.log10(spread / _WANTED))
    step = next(base * power for base in (1, 2, 2.5, 5, 10) if base * power * _WANTED >= spread)
    first, last = math.floor(low / step), math.ceil(high / step)
    digits = max(1 - math.floor(math.log10(step)), 0)
    values = [round(at * step, digits) for at in range(first, last + 1)]
    margin = 0.25 * step
    return [value for value in values if value > 0 and low - margin <= value <= high + margin]
