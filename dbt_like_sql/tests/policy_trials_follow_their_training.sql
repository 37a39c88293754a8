-- asset: staging.stg_policy_trials
-- description: Every return of a policy's trial is later than the day after which its model decides,
-- and that model was trained by then, so that nothing is judged on what it knew; a challenger and a
-- stand-in are trainings on record.
-- severity: error
-- blocking: false
with trials as (
    select
        trials.policy,
        trials.role,
        trials.model_sha256,
        trials.serves_after,
        min(trials.date) as first_date
    from staging.stg_policy_trials as trials
    group by
        trials.policy,
        trials.role,
        trials.model_sha256,
        trials.serves_after
),

challengers as (
    select
        challengers.policy,
        challengers.role,
        challengers.model_sha256,
        challengers.trained_as_of
    from portfolio.policy_challengers as challengers
),

trainings as (
    select
        challengers.policy,
        challengers.role,
        challengers.model_sha256,
        min(challengers.trained_as_of) as trained_as_of
    from challengers
    group by challengers.policy, challengers.role, challengers.model_sha256

    union all

    select
        policies.policy,
        'own' as role,
        policies.model_sha256,
        min(policies.valid_end) as trained_as_of
    from portfolio.policies as policies
    where policies.status = 'trained'
    group by policies.policy, policies.model_sha256
),

-- Bytes that several trainings gave were known from the first of them on.
known as (
    select
        trials.policy,
        trials.role,
        trials.model_sha256,
        trials.serves_after,
        min(trials.first_date) as first_date,
        min(trainings.trained_as_of) as trained_as_of
    from trials
    left join trainings
        on trainings.policy = trials.policy
        and trainings.model_sha256 = trials.model_sha256
        and (
            trainings.role = trials.role
            or (
                trainings.role in ('own', 'challenger')
                and trials.role in ('serving', 'predecessor')
            )
        )
    group by
        trials.policy,
        trials.role,
        trials.model_sha256,
        trials.serves_after
)

select
    known.policy,
    known.role,
    known.model_sha256,
    known.first_date,
    known.serves_after,
    known.trained_as_of
from known
where
    known.first_date <= known.serves_after
    or known.trained_as_of > known.serves_after
    or (known.role in ('challenger', 'stand_in') and known.trained_as_of is null)
