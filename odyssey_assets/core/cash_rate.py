"""The rate that cash earns, out of the macro series.

How it accrues belongs to `core.price_panel`.
"""

import pandas as pd


def cash_rate_of(macro: pd.DataFrame, series: str) -> pd.Series | None:
    """Return the annual rate in percent by date, ascending; None where there is no such series.

    Args:
        macro: Rows of `market_data.macro`.
        series: Name of the short rate's series.
    """
    own = macro[macro["series"] == series]
    return None if own.empty else own.set_index("date")["value"].sort_index()
