"""What a reconciliation found: rows that break a rule, each with its value and what was expected.

One shape for all of them, so that every check reports alike.
"""

import numpy as np
import pandas as pd

FINDING_COLUMNS = ("rule", "strategy", "date", "ticker", "value", "expected")


def findings(
    rule: str,
    rows: pd.DataFrame,
    is_wrong: np.ndarray,
    value: np.ndarray | pd.Series | float,
    expected: np.ndarray | pd.Series | float,
) -> pd.DataFrame:
    """Return the wrong rows as findings.

    Args:
        rule: What they break, as a claim.
        rows: Rows with `date`, with `strategy` or `policy`, and `ticker` where they have one.
        is_wrong: Which of them are wrong, shape (rows,).
        value: What was found, shape (rows,) or one for all.
        expected: What was expected, same.

    Returns:
        Columns `FINDING_COLUMNS`; `ticker` is null for a whole portfolio.
    """
    wrong = np.asarray(is_wrong, dtype=np.bool_)
    own = rows[wrong]
    named = own["strategy"] if "strategy" in own else own["policy"]
    tickers = own["ticker"].to_numpy(dtype=object) if "ticker" in own else None
    shape = (len(rows),)
    return pd.DataFrame(
        {
            "rule": np.full(len(own), rule, dtype=object),
            "strategy": named.to_numpy(dtype=object),
            "date": own["date"].to_numpy(),
            "ticker": np.full(len(own), None, dtype=object) if tickers is None else tickers,
            "value": np.broadcast_to(np.asarray(value, dtype=np.float64), shape)[wrong],
            "expected": np.broadcast_to(np.asarray(expected, dtype=np.float64), shape)[wrong],
        },
        columns=list(FINDING_COLUMNS),
    )


def together(*parts: pd.DataFrame) -> pd.DataFrame:
    """Return the findings of several rules as one frame, in their order."""
    return pd.concat(parts, ignore_index=True)
