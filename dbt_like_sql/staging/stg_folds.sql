-- description: One walk-forward fold a ticker, window and model: what it learned from and how it
-- did out of sample.
-- grain: ticker, window, model
select
    folds.ticker,
    folds."window",
    folds.model,
    folds.status,
    folds.reason,
    folds.horizon_sessions,
    folds.train_start,
    folds.train_end,
    folds.valid_start,
    folds.valid_end,
    folds.test_start,
    folds.test_end,
    folds.train_rows,
    folds.valid_rows,
    folds.test_rows,
    folds.scored_rows,
    folds.best_iteration,
    folds.feature_count,
    folds.rmse,
    folds.r2,
    folds.direction_accuracy,
    folds.information_coefficient,
    folds.hit_rate,
    folds.sharpe,
    folds.interval_coverage,
    folds.data_sha256,
    folds.model_sha256,
    folds.mlflow_run_id
from forecasting.folds as folds
