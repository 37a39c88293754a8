-- asset: marts.mart_model_leaderboard
-- description: No model is said to beat the historical mean without a smaller RMSE on the same
-- forecasts.
-- severity: error
-- blocking: true
select
    leaderboard.model,
    leaderboard.ticker,
    leaderboard.rmse_skill,
    leaderboard.beats_historical_mean,
    leaderboard.verdict
from marts.mart_model_leaderboard as leaderboard
where
    leaderboard.beats_historical_mean <> (leaderboard.verdict like 'Beats%')
    or (leaderboard.beats_historical_mean and not leaderboard.rmse_skill > 0)
    or (leaderboard.is_gain_beyond_chance and not leaderboard.beats_historical_mean)
