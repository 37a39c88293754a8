-- asset: staging.stg_stress
-- description: Every stress scenario was computed and has a return, or says why it has none.
-- severity: error
-- blocking: false
select
    stress.strategy,
    stress.scenario,
    stress.status,
    stress.reason,
    stress.portfolio_return
from staging.stg_stress as stress
where
    (stress.status = 'computed') <> (stress.portfolio_return is not null)
    or (stress.status = 'computed') <> (stress.reason is null)
