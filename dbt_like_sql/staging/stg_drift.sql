-- description: How far a window's sample of a feature or of the forecasts lies from what the
-- serving model learned from, by four methods.
-- grain: ticker, window, as_of, feature, method
select
    drift.ticker,
    drift."window",
    drift.as_of,
    drift.feature,
    drift.method,
    drift.sessions,
    drift.reference_rows,
    drift.score,
    drift.p_value,
    drift.threshold,
    drift.past_scores,
    drift.is_input,
    drift.is_drifted,
    drift.model_sha256
from monitoring.drift as drift
