"""Figures and names as people read them in pictures, reports and summaries.

A figure that does not exist is a dash, never a zero. What the figures are belongs to the tables.
"""

import math

import pandas as pd

UNKNOWN = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_ACRONYMS = ("ppo",)


def display_name(name: str) -> str:
    """Return a name of a catalog as words: `equal_weight` is "equal weight", `ppo` is "PPO"."""
    return " ".join(word.upper() if word in _ACRONYMS else word for word in name.split("_") if word)


def percent(value: float, decimals: int = 1, *, is_signed: bool = False) -> str:
    """Return a fraction in percent."""
    return _worded(100.0 * value, decimals, "+" if is_signed else "", suffix="%")


def ratio(value: float, decimals: int = 2) -> str:
    """Return a plain number."""
    return _worded(value, decimals, "")


def usd(value: float) -> str:
    """Return an amount in whole dollars."""
    return _worded(value, 0, "", suffix=" USD")


def count(value: float) -> str:
    """Return a whole number with its thousands apart."""
    return _worded(value, 0, "")


def day(value: object) -> str:
    """Return a date as year-month-day."""
    moment = pd.Timestamp(value)
    return UNKNOWN if pd.isna(moment) else f"{moment:%Y-%m-%d}"


def _worded(value: float, decimals: int, sign: str, *, suffix: str = "") -> str:
    if not math.isfinite(value):
        return UNKNOWN
    # Adding zero turns a negative zero, which rounding may leave, into zero.
    rounded = round(float(value), decimals) + 0.0
    return f"{rounded:{sign},.{decimals}f}".replace("-", _MINUS) + suffix
