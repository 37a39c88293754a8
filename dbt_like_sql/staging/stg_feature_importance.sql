-- description: The features that drove each fold's model most.
-- grain: ticker, window, model, feature
select
    feature_importance.ticker,
    feature_importance."window",
    feature_importance.model,
    feature_importance.feature,
    feature_importance.gain,
    feature_importance.mean_abs_shap,
    feature_importance.rank
from forecasting.feature_importance as feature_importance
