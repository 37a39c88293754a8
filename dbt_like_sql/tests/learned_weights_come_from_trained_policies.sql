-- asset: staging.stg_weights
-- description: Weights decided by a model name the main training of their policy for their window
-- or an earlier one; weights of a rule name no model.
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

policies as (
    select
        policies.policy,
        policies."window",
        policies.model_sha256
    from portfolio.policies as policies
    where
        policies.status = 'trained'
        and policies.is_main_seed
)

select
    weights.policy,
    weights.date,
    weights.ticker,
    weights.seed_count,
    weights.model_sha256
from weights
anti join policies
    on policies.policy = weights.policy
    and policies.model_sha256 = weights.model_sha256
    and policies."window" <= weights."window"
where
    weights.model_sha256 is not null
    or weights.seed_count > 0
