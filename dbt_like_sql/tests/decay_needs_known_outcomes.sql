-- asset: staging.stg_forecast_quality
-- description: Nothing has decayed of which no outcome is known.
-- severity: error
-- blocking: false
select
    quality.ticker,
    quality.date,
    quality.known_60
from staging.stg_forecast_quality as quality
where
    quality.known_60 = 0
    and (
        quality.is_correlation_decayed
        or quality.is_coverage_decayed
        or quality.is_sharpe_decayed
    )
