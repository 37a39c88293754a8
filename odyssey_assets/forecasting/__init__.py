"""What to expect next: walk-forward folds, models, and out-of-sample forecasts."""
