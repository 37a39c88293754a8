-- asset: staging.stg_policy_trials
-- description: What a trial calls the portfolio as it was served is the portfolio of the backtest:
-- one return a session, the same.
-- severity: error
-- blocking: false
with served as (
    select
        trials.policy,
        trials.date,
        trials.return,
        count(*) over (partition by trials.policy, trials.date) as row_count
    from staging.stg_policy_trials as trials
    where trials.role = 'serving'
),

daily as (
    select
        daily.strategy,
        daily.date,
        daily.return
    from backtesting.daily as daily
)

select
    served.policy,
    served.date,
    served.row_count,
    served.return,
    daily.return as daily_return
from served
left join daily
    on daily.strategy = served.policy
    and daily.date = served.date
where
    served.row_count > 1
    or coalesce(abs(served.return - daily.return) > 1e-12, true)
