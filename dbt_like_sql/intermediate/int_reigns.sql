-- description: Every stretch of days on which one model serves a ticker (forecasts of the default
-- model, xgboost) or a learned policy: the window's own model from its first day on, and each model
-- that was put in its place until the next one or the end of the window.
-- grain: kind, subject, window, serves_after
with promotions as (
    select
        promotions.decision_id,
        promotions.recorded_at,
        promotions.kind,
        promotions.subject,
        promotions."window",
        promotions.serves_after,
        promotions.model_name,
        promotions.model_version,
        promotions.model_sha256
    from staging.stg_promotions as promotions
    where
        promotions.decision in ('promoted', 'rolled_back')
        and promotions.serves_after is not null
        and (promotions.kind = 'policy' or split_part(promotions.model_name, '/', 1) = 'xgboost')
),

folds as (
    select
        folds.ticker,
        folds."window",
        folds.model_name,
        folds.model_sha256
    from staging.stg_folds as folds
    where
        folds.status = 'trained'
        and folds.model = 'xgboost'
),

policies as (
    select
        policies.policy,
        policies."window",
        policies.model_name,
        policies.model_sha256
    from staging.stg_policies as policies
    where
        policies.status = 'trained'
        and policies.is_main_seed
),

reigns as (
    select promotions.*
    from promotions
    qualify row_number() over (
        partition by
            promotions.kind,
            promotions.subject,
            promotions."window",
            promotions.serves_after
        order by promotions.recorded_at desc, promotions.model_version desc
    ) = 1
),

stretches as (
    select
        'forecaster' as kind,
        folds.ticker as subject,
        folds."window",
        (folds."window" - interval 1 day)::date as serves_after,
        folds.model_name,
        folds.model_sha256,
        null::varchar as decision_id,
        null::date as decided_on
    from folds

    union all

    select
        'policy' as kind,
        policies.policy as subject,
        policies."window",
        (policies."window" - interval 1 day)::date as serves_after,
        policies.model_name,
        policies.model_sha256,
        null::varchar as decision_id,
        null::date as decided_on
    from policies

    union all

    select
        reigns.kind,
        reigns.subject,
        reigns."window",
        greatest(reigns.serves_after, (reigns."window" - interval 1 day)::date) as serves_after,
        reigns.model_name,
        reigns.model_sha256,
        reigns.decision_id,
        reigns.serves_after as decided_on
    from reigns
),

ordered as (
    select
        stretches.*,
        coalesce(
            lead(stretches.serves_after) over (
                partition by stretches.kind, stretches.subject, stretches."window"
                order by stretches.serves_after, stretches.decided_on nulls first
            ),
            (stretches."window" + interval 6 months - interval 1 day)::date
        ) as serves_until
    from stretches
)

select
    ordered.kind, -- forecaster or policy.
    ordered.subject, -- Ticker of a forecaster, name of a policy.
    ordered."window", -- First day of the half-year window.
    ordered.serves_after, -- It serves sessions after this day.
    ordered.serves_until, -- Last day on which it serves, unless it is replaced before.
    ordered.decision_id is null as is_own, -- Whether it is the window's own model.
    ordered.model_name, -- Name in the store of signed models, parts by /.
    ordered.model_sha256, -- SHA-256 of the stored model.
    ordered.decision_id -- Decision that put it in its place; null for the window's own model.
from ordered
where ordered.serves_until > ordered.serves_after
