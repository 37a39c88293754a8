"""On which basis prices are: delivered to as traded, and the forward factors of a ticker's bars.

Adjusting never rewrites the past: the factors are 1 at a ticker's first session and a later
dividend or split changes nothing before it. Which dividends and splits are believed belongs to
`actions`; applying the factors belongs to `core.adjustment`.
"""

import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import PRICE_COLUMNS

PRICE_DECIMALS = 4
DIVIDEND_DECIMALS = 6


def as_traded(rows: pd.DataFrame) -> pd.DataFrame:
    """Return prices, volume and dividend on the basis on which the shares traded that day.

    Where as-traded prices follow from a row they are delivered x `split_adjustment`, rounded to
    the fractions of a cent that prices are quoted in: a row fetched before a split and the same
    row fetched after it become the same bar, whatever noise the vendor's division left. Rows of a
    vendor that only sends adjusted prices stay exactly as delivered.

    Args:
        rows: Rows of `raw_bars`.

    Returns:
        `open high low close volume dividend` (float64), in the order of `rows`; a null dividend
        becomes 0.
    """
    adjustment = rows["split_adjustment"].to_numpy(dtype=np.float64)
    is_as_traded = rows["is_as_traded"].to_numpy(dtype=bool)

    def scaled(name: str, factor: np.ndarray, decimals: int) -> np.ndarray:
        delivered = rows[name].to_numpy(dtype=np.float64)
        return np.where(is_as_traded, np.round(delivered * factor, decimals), delivered)

    prices = {name: scaled(name, adjustment, PRICE_DECIMALS) for name in PRICE_COLUMNS}
    dividend = scaled("dividend", adjustment, DIVIDEND_DECIMALS)
    return pd.DataFrame(
        {
            **prices,
            "volume": scaled("volume", 1.0 / adjustment, 0),
            "dividend": np.where(np.isnan(dividend), 0.0, dividend),
        }
    )


def forward_factors(
    close: np.ndarray, dividend: np.ndarray, split_ratio: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return `split_factor` and `total_return_factor` of one ticker's bars, oldest first.

    Both are 1 at the first bar. `split_factor` is the running product of the split ratios,
    `total_return_factor` of split ratio / (1 - dividend / previous close), the previous as-traded
    close put on the ex-date's split basis. That is the vendors' usual step
    of an adjusted close, accumulated forward from the first bar instead of back from the last.

    Args:
        close: As-traded closes.
        dividend: Cash dividends with that ex-date, on its split basis, below the previous close.
        split_ratio: Shares after for one before.
    """
    step = np.ones(len(close))
    previous = close[:-1] / split_ratio[1:]
    step[1:] = split_ratio[1:] / (1.0 - dividend[1:] / previous)
    splits = np.r_[1.0, split_ratio[1:]]
    return np.multiply.accumulate(splits), np.multiply.accumulate(step)
