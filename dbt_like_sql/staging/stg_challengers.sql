-- description: Every model that was fitted inside a window, to be held against the one that serves.
-- grain: model_name
select
    challengers.ticker,
    challengers."window",
    challengers.model,
    challengers.role,
    challengers.trained_as_of,
    challengers.requested_as_of,
    challengers.horizon_sessions,
    challengers.train_start,
    challengers.train_end,
    challengers.valid_start,
    challengers.valid_end,
    challengers.train_rows,
    challengers.valid_rows,
    challengers.feature_count,
    challengers.valid_information_coefficient,
    challengers.interval_coverage,
    challengers.data_sha256,
    challengers.model_name,
    challengers.model_sha256,
    challengers.mlflow_run_id,
    challengers.recorded_at
from forecasting.challengers as challengers
