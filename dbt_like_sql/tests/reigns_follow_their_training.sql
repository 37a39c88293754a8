-- asset: staging.stg_promotions
-- description: A model that was put in the place of another serves only sessions of its window that
-- it has not seen; nothing but a promotion or a rollback makes a model serve inside a window. What
-- the gate promotes of a policy is a training on record.
-- severity: error
-- blocking: false
with promotions as (
    select
        promotions.decision_id,
        promotions.kind,
        promotions.subject,
        promotions."window",
        promotions.as_of,
        promotions.decision,
        promotions.serves_after,
        promotions.actor,
        promotions.model_sha256
    from staging.stg_promotions as promotions
),

-- A training of a policy may keep the very model that it started from, which was known before.
policy_trainings as (
    select
        policies.policy,
        policies.model_sha256,
        policies.valid_end as trained_as_of
    from portfolio.policies as policies
    where policies.status = 'trained'

    union all

    select
        challengers.policy,
        challengers.model_sha256,
        challengers.trained_as_of
    from portfolio.policy_challengers as challengers
),

trainings as (
    select
        'forecaster' as kind,
        challengers.ticker as subject,
        challengers.model_sha256,
        max(challengers.trained_as_of) as trained_as_of
    from forecasting.challengers as challengers
    group by challengers.ticker, challengers.model_sha256

    union all

    select
        'policy' as kind,
        policy_trainings.policy as subject,
        policy_trainings.model_sha256,
        min(policy_trainings.trained_as_of) as trained_as_of
    from policy_trainings
    group by policy_trainings.policy, policy_trainings.model_sha256
)

select
    promotions.decision_id,
    promotions.kind,
    promotions.subject,
    promotions.decision,
    promotions.serves_after,
    promotions.as_of,
    trainings.trained_as_of
from promotions
left join trainings
    on trainings.kind = promotions.kind
    and trainings.subject = promotions.subject
    and trainings.model_sha256 = promotions.model_sha256
where
    (promotions.decision in ('promoted', 'rolled_back')) <> (promotions.serves_after is not null)
    or promotions.serves_after < trainings.trained_as_of
    or promotions.serves_after >= promotions."window" + interval 6 months
    or (
        promotions.kind = 'policy'
        and promotions.decision = 'promoted'
        and promotions.actor = 'gate'
        and trainings.trained_as_of is null
    )
