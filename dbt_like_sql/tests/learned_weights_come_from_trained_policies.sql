-- asset: staging.stg_weights
-- description: Weights decided by a model name the main training of their policy for their window
-- or an earlier one, or a challenger that was trained inside one and had not seen their session;
-- weights of a rule name no model.
-- severity: error
-- blocking: true
with weights as (
    select
        weights.policy,
        weights.date,
        weights.ticker,
        weights."window",
        weights.seed_count,
        weights.model_sha256
    from staging.stg_weights as weights
),

trainings as (
    select
        policies.policy,
        policies."window",
        policies.valid_end as trained_as_of,
        policies.model_sha256
    from portfolio.policies as policies
    where
        policies.status = 'trained'
        and policies.is_main_seed

    union all

    select
        challengers.policy,
        challengers."window",
        challengers.trained_as_of,
        challengers.model_sha256
    from portfolio.policy_challengers as challengers
    where challengers.role = 'challenger'
)

select
    weights.policy,
    weights.date,
    weights.ticker,
    weights.seed_count,
    weights.model_sha256
from weights
anti join trainings
    on trainings.policy = weights.policy
    and trainings.model_sha256 = weights.model_sha256
    and trainings."window" <= weights."window"
    and trainings.trained_as_of < weights.date
where
    weights.model_sha256 is not null
    or weights.seed_count > 0
