-- asset: staging.stg_training_curves
-- description: Every training has one chosen checkpoint on its curve, after the steps and with the
-- validation Sharpe ratio that the policy states.
-- severity: error
-- blocking: false
with curves as (
    select
        curves."window",
        curves.policy,
        curves.seed,
        curves.steps,
        curves.validation_sharpe
    from staging.stg_training_curves as curves
    where curves.is_selected
),

policies as (
    select
        policies."window",
        policies.policy,
        policies.seed,
        policies.selected_steps,
        policies.validation_sharpe
    from portfolio.policies as policies
    where policies.status = 'trained'
),

chosen as (
    select
        curves."window",
        curves.policy,
        curves.seed,
        count(*) as checkpoints,
        max(curves.steps) as steps,
        max(curves.validation_sharpe) as validation_sharpe
    from curves
    group by curves."window", curves.policy, curves.seed
)

select
    policies."window",
    policies.policy,
    policies.seed,
    chosen.checkpoints,
    chosen.steps,
    policies.selected_steps,
    chosen.validation_sharpe,
    policies.validation_sharpe as stated_validation_sharpe
from policies
left join chosen
    on chosen."window" = policies."window"
    and chosen.policy = policies.policy
    and chosen.seed = policies.seed
where
    chosen.checkpoints is distinct from 1
    or chosen.steps is distinct from policies.selected_steps
    or chosen.validation_sharpe is distinct from policies.validation_sharpe
