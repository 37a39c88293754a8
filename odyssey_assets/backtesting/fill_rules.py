"""Whether fills could have happened: on a bar that traded, at its open, after the decision.

Looks at the stored bars and the quarantine themselves, not at what the simulator made of them.
Each function returns the rows that break a rule (see `backtesting.findings`); none is good.
"""

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.findings import findings, together

KEY = ["ticker", "date"]
TOLERANCE = 1e-9


def impossible_fills(
    trades: pd.DataFrame, bars: pd.DataFrame, quarantine: pd.DataFrame
) -> pd.DataFrame:
    """Return fills without a bar that traded, at another price than its open, or decided too late.

    A session whose delivered row was rejected may still have a bar, from another row: a fill on it
    is allowed.

    Args:
        trades: Rows of `backtesting.trades`.
        bars: Rows of `market_data.bars` for the same sessions, or more.
        quarantine: Rows of `market_data.quarantine` for the same sessions, or more.
    """
    known = bars[[*KEY, "open", "volume", "is_filled"]]
    rejected = quarantine.loc[quarantine["is_rejected"], KEY].drop_duplicates()
    rows = trades.merge(known, on=KEY, how="left", validate="many_to_one").merge(
        rejected.assign(is_rejected=True), on=KEY, how="left", validate="many_to_one"
    )
    has_row = rows["open"].notna().to_numpy()
    is_filled = rows["is_filled"].eq(True).to_numpy()
    is_real = has_row & ~is_filled & (rows["volume"] > 0).to_numpy()
    is_quarantined = ~is_real & rows["is_rejected"].eq(True).to_numpy()
    value, price = rows["traded_value"], rows["price"].to_numpy()
    opens = rows["open"].to_numpy(dtype=np.float64)
    days = (rows["date"] - rows["decided_on"]).dt.days
    is_unexplained = ~is_real & ~is_quarantined
    return together(
        findings("no fill on a quarantined bar", rows, is_quarantined, value, 0.0),
        findings("no fill without a bar", rows, is_unexplained & ~has_row, value, 0.0),
        findings("no fill on a filled bar", rows, is_unexplained & is_filled, value, 0.0),
        findings("no fill without volume", rows, is_unexplained & has_row & ~is_filled, value, 0.0),
        findings(
            "fills at the open as traded",
            rows,
            is_real & ~(np.abs(price - opens) <= TOLERANCE * opens),
            price,
            opens,
        ),
        findings("decided at least a day before the fill", rows, ~(days >= 1), days, 1.0),
    )
