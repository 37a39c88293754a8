"""Rows that look like bars and are none: flat prices or no volume where the ticker usually trades.

A vendor that has no data for a session sometimes repeats the last close. Whether a flat day is
honest only the ticker's own past can tell: a fund of treasury bills moves 2 bps on a usual day.
"""

import numpy as np
import pandas as pd

from odyssey_assets.core.costs import BASIS_POINT
from odyssey_assets.market_data.quarantine import Finding
from odyssey_assets.settings_sections import CleaningSettings

MIN_PAST_SESSIONS = 5


def reject_stale_bars(
    rows: pd.DataFrame, is_kept: np.ndarray, settings: CleaningSettings
) -> list[Finding]:
    """Return a finding for each made-up bar; a row is judged by kept rows dated before it only.

    `stale_bar`: high equals low although the median daily range, (high - low) / close, over the
    ticker's last `stale_lookback_sessions` good rows is above `stale_range_bps`. `zero_volume`:
    nothing traded although their median volume is positive. A row with fewer than
    `MIN_PAST_SESSIONS` good rows before it is not judged.

    Args:
        rows: Delivered rows sorted by ticker and date.
        is_kept: Which of them broke no rule so far.
        settings: Lookback and threshold.
    """
    tickers = pd.factorize(rows["ticker"])[0]
    high, low, close, volume = (
        rows[name].to_numpy(dtype=np.float64) for name in ("high", "low", "close", "volume")
    )
    range_bps = (high - low) / close / BASIS_POINT
    findings: list[Finding] = []
    is_good = is_kept.copy()
    for position in np.flatnonzero(is_kept & ((high == low) | (volume == 0))):
        first = int(np.searchsorted(tickers, tickers[position]))
        past = first + np.flatnonzero(is_good[first:position])[-settings.stale_lookback_sessions :]
        if len(past) < MIN_PAST_SESSIONS:
            continue
        usual_range, usual_volume = float(np.median(range_bps[past])), np.median(volume[past])
        if high[position] == low[position] and usual_range > settings.stale_range_bps:
            findings.append(
                Finding(
                    int(position),
                    "stale_bar",
                    f"high equals low ({high[position]:g}, volume {volume[position]:.0f}) although "
                    f"the usual range over the {len(past)} sessions before is {usual_range:.1f} "
                    f"bps; flat bars are believed up to {settings.stale_range_bps:g} bps",
                )
            )
        elif volume[position] == 0 and usual_volume > 0:
            findings.append(
                Finding(
                    int(position),
                    "zero_volume",
                    f"volume 0 although the usual volume over the {len(past)} sessions before is "
                    f"{usual_volume:.0f}",
                )
            )
        else:
            continue
        is_good[position] = False
    return findings
