"""Rows of the brief's mart for tests of what people see: one night, made by hand."""

import pandas as pd

COLUMNS = ("section", "subject", "ticker", "text", "value", "severity")
SESSION = pd.Timestamp("2024-08-16")
NIGHT = (
    ("freshness", "(all)", None, "15 of 15 tickers end at the newest session.", 0.0, "good"),
    ("quarantine", "(all)", None, "Nothing was rejected.", 0.0, "good"),
    ("drift", "(all)", None, "1 of 15 tickers drifted.", 1.0, "note"),
    ("drift", "INTC", None, "3 of 31 inputs drifted (minor).", 0.1, "warning"),
    ("decay", "(all)", None, "0 of 15 tickers decayed.", 0.0, "good"),
    ("retraining", "(all)", None, "Reasons to retrain: 1.", 1.0, "note"),
    ("retraining", "INTC", None, "drift; failed: disk full", 0.001, "problem"),
    ("promotion", "(all)", None, "No decision about who serves.", 0.0, "note"),
    ("portfolio", "equal_weight", None, "Rank 1 after costs.", 0.3, "note"),
    ("portfolio", "equal_weight", "AAPL", "target 20.0 %, held 20.0 %", 0.2, "note"),
    ("portfolio", "equal_weight", "INTC", "target 10.0 %, held 8.0 %; buy 2.0 %", 0.1, "note"),
    ("portfolio", "equal_weight", "(cash)", "target 70.0 %, held 72.0 %", 0.7, "note"),
    ("portfolio", "ppo", None, "Rank 5 after costs.", 0.05, "note"),
    ("portfolio", "ppo", "INTC", "target 5.0 %, held 9.0 %; sell 4.0 %", 0.05, "note"),
    ("portfolio", "ppo", "(cash)", "target 95.0 %, held 91.0 %", 0.95, "note"),
    ("warnings", "(all)", None, "Nothing else to warn of.", 0.0, "good"),
)  # fmt: skip
EMPTY = (
    ("freshness", "(all)", None, "No bar is stored yet.", 0.0, "problem"),
    ("portfolio", "(all)", None, "No policy has a portfolio yet.", None, "note"),
)


def rows_of(
    lines: tuple[tuple[object, ...], ...] = NIGHT,
    session: pd.Timestamp | None = SESSION,
    *,
    is_simulated: bool = False,
) -> pd.DataFrame:
    """Return rows of `marts.mart_morning_brief`."""
    frame = pd.DataFrame(lines, columns=list(COLUMNS))
    frame["session"] = pd.Series([session] * len(frame), dtype="datetime64[us]")
    return frame.assign(line=range(1, len(frame) + 1), is_simulated=is_simulated)
