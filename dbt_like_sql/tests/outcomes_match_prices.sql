-- asset: marts.mart_forecast_outcomes
-- description: The outcome beside a forecast is the return of the adjusted close from the
-- forecast's session to the outcome's session, computed here from the bars instead of the labels.
-- severity: error
-- blocking: true
with outcomes as (
    select
        outcomes.ticker,
        outcomes.date,
        outcomes.outcome_date,
        outcomes.outcome
    from marts.mart_forecast_outcomes as outcomes
    where outcomes.is_outcome_known
),

bars as (
    select
        bars.ticker,
        bars.date,
        bars.close * bars.total_return_factor as adjusted_close
    from staging.stg_bars as bars
)

select
    outcomes.ticker,
    outcomes.date,
    outcomes.outcome_date,
    outcomes.outcome,
    later.adjusted_close / earlier.adjusted_close - 1 as expected_outcome
from outcomes
left join bars as earlier
    on earlier.ticker = outcomes.ticker
    and earlier.date = outcomes.date
left join bars as later
    on later.ticker = outcomes.ticker
    and later.date = outcomes.outcome_date
where
    coalesce(
        abs(outcomes.outcome - (later.adjusted_close / earlier.adjusted_close - 1)) > 1e-9,
        true
    )
