"""The docket: which tickers have something to judge at all, found for all of them at once.

On most nights nobody is new, nobody waits and nobody decays, and a judgement should cost as much.
What is decided about those on the docket belongs to `judging`; for all others it would decide
nothing.
"""

import pandas as pd

from odyssey_assets.core.windows import window_starts
from odyssey_assets.monitoring.promotion.champions import OF_THE_WINDOW, in_order
from odyssey_assets.monitoring.promotion.evidence import Evidence
from odyssey_assets.monitoring.promotion.forecaster_court import DECAY_FLAGS
from odyssey_assets.settings import Settings


def docket(evidence: Evidence, settings: Settings) -> tuple[str, ...]:
    """Return the tickers with a new window, a challenger without a last word, or a decayed model.

    Args:
        evidence: As known on the day of the judgement.
        settings: Which forecaster serves.
    """
    model = settings.portfolio.forecast_model
    ledger = evidence.ledger[evidence.ledger["kind"] == "forecaster"]
    called = (
        _with_new_window(evidence.bars, evidence.folds, ledger, model)
        | _with_challenger(evidence.challengers, ledger, model)
        | _with_decay(evidence.quality)
    )
    return tuple(sorted(called & set(evidence.bars["ticker"].unique())))


def _with_new_window(
    bars: pd.DataFrame, folds: pd.DataFrame, ledger: pd.DataFrame, model: str
) -> set[str]:
    """Return the tickers whose newest window's own model was not compared with its baseline."""
    if bars.empty:
        return set()
    last = bars.groupby("ticker")["date"].max()
    newest = dict(zip(last.index, window_starts(pd.DatetimeIndex(last)), strict=True))
    fitted = folds[(folds["model"] == model) & (folds["status"] == "trained")]
    open_folds = fitted[fitted["window"] == fitted["ticker"].map(newest)]
    compared = ledger[ledger["decision"].isin(OF_THE_WINDOW) & ledger["p_value_worse"].notna()]
    known = set(zip(compared["subject"], compared["window"], compared["model_sha256"], strict=True))
    return {
        ticker
        for ticker, window, sha256 in zip(
            open_folds["ticker"], open_folds["window"], open_folds["model_sha256"], strict=True
        )
        if (ticker, window, sha256) not in known
    }


def _with_challenger(challengers: pd.DataFrame, ledger: pd.DataFrame, model: str) -> set[str]:
    """Return the tickers with a challenger that is new or pending."""
    own = challengers[(challengers["model"] == model) & (challengers["role"] == "challenger")]
    last = in_order(ledger).drop_duplicates(["subject", "model_sha256"], keep="last")
    settled = last[last["decision"] != "pending"]
    known = set(zip(settled["subject"], settled["model_sha256"], strict=True))
    fitted = zip(own["ticker"], own["model_sha256"], strict=True)
    return {ticker for ticker, sha256 in fitted if (ticker, sha256) not in known}


def _with_decay(quality: pd.DataFrame) -> set[str]:
    """Return the tickers whose newest figures fail their check."""
    newest = quality.sort_values("date").drop_duplicates("ticker", keep="last")
    return set(newest.loc[newest[list(DECAY_FLAGS)].any(axis=1), "ticker"])
