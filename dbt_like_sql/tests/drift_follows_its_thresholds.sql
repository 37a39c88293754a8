-- asset: staging.stg_drift
-- description: A feature counts as drifted where its score lies above its threshold, and nowhere
-- else; scores at the threshold itself are left out.
-- severity: error
-- blocking: false
select
    drift.ticker,
    drift."window",
    drift.as_of,
    drift.feature,
    drift.method,
    drift.score,
    drift.threshold,
    drift.is_drifted
from staging.stg_drift as drift
where
    drift.is_drifted <> coalesce(drift.score > drift.threshold, false)
    and coalesce(abs(drift.score - drift.threshold) > 1e-9 * abs(drift.threshold), true)
