-- description: What stood behind every decided weight; append-only, so that a restated past has
-- several rows.
-- grain: lineage_sha256
select
    lineage.lineage_sha256,
    lineage.recorded_at,
    lineage.policy,
    lineage.ticker,
    lineage.date,
    lineage.target_weight,
    lineage.policy_sha256,
    lineage.forecast_model,
    lineage.prediction,
    lineage.forecast_sha256,
    lineage.trained_as_of,
    lineage.features_sha256,
    lineage.bar_row_sha256,
    lineage.bar_ingested_at,
    lineage.response_sha256
from monitoring.lineage as lineage
