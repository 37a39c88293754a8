-- description: How each version of a learned policy did in the newest window, after costs, beside the
-- portfolio as it was served over the very same sessions, whoever decided then: one row a version and
-- day after which it decides. Only sessions count that both have. Stand-ins learned from less, so
-- that neither side has seen the sessions that count; nobody ever serves by them.
-- grain: policy, role, model_sha256, serves_after
with trials as (
    select
        trials.policy,
        trials."window",
        trials.role,
        trials.model_sha256,
        trials.serves_after,
        trials.date,
        trials.return
    from staging.stg_policy_trials as trials
),

challengers as (
    select
        challengers.policy,
        challengers.role,
        challengers.trained_as_of,
        challengers.requested_as_of,
        challengers.validation_sharpe,
        challengers.model_sha256,
        challengers.mlflow_run_id
    from staging.stg_policy_challengers as challengers
),

policies as (
    select
        policies.policy,
        policies.valid_end,
        policies.validation_sharpe,
        policies.model_sha256,
        policies.mlflow_run_id
    from staging.stg_policies as policies
    where
        policies.status = 'trained'
        and policies.is_main_seed
),

promotions as (
    select
        promotions.subject,
        promotions."window",
        promotions.recorded_at,
        promotions.decision_id,
        promotions.decision,
        promotions.is_champion,
        promotions.model_version,
        promotions.model_sha256
    from staging.stg_promotions as promotions
    where promotions.kind = 'policy'
),

serving as (
    select
        trials.policy,
        trials.date,
        trials.return
    from trials
    where trials.role = 'serving'
),

paired as (
    select
        trials.*,
        serving.return as serving_return,
        case when serving.date is not null then trials.return end as compared_return
    from trials
    left join serving
        on serving.policy = trials.policy
        and serving.date = trials.date
),

figures as (
    select
        trials.policy,
        trials.role,
        trials.model_sha256,
        trials.serves_after,
        max(trials."window") as "window",
        count(trials.serving_return) as sessions,
        count(*) - count(trials.serving_return) as sessions_left_out,
        min(trials.date) filter (where trials.serving_return is not null) as first_session,
        max(trials.date) filter (where trials.serving_return is not null) as last_session,
        avg(trials.compared_return) * sqrt(252) as scaled_mean,
        stddev_samp(trials.compared_return) as deviation,
        product(1 + trials.compared_return) - 1 as total_return,
        avg(trials.serving_return) * sqrt(252) as serving_scaled_mean,
        stddev_samp(trials.serving_return) as serving_deviation,
        product(1 + trials.serving_return) - 1 as serving_total_return
    from paired as trials
    group by
        trials.policy,
        trials.role,
        trials.model_sha256,
        trials.serves_after
),

compared as (
    select
        figures.*,
        case when figures.deviation > 1e-12 then figures.scaled_mean / figures.deviation end
            as sharpe,
        case
            when figures.serving_deviation > 1e-12
                then figures.serving_scaled_mean / figures.serving_deviation
        end as serving_sharpe
    from figures
),

trainings as (
    select
        challengers.policy,
        challengers.role,
        challengers.model_sha256,
        challengers.trained_as_of,
        challengers.requested_as_of,
        challengers.validation_sharpe,
        challengers.mlflow_run_id
    from challengers

    union all

    select
        policies.policy,
        'own' as role,
        policies.model_sha256,
        policies.valid_end as trained_as_of,
        null::date as requested_as_of,
        policies.validation_sharpe,
        policies.mlflow_run_id
    from policies
),

trained as (
    select
        compared.policy,
        compared.role,
        compared.model_sha256,
        compared.serves_after,
        trainings.trained_as_of,
        trainings.requested_as_of,
        trainings.validation_sharpe,
        trainings.mlflow_run_id
    from compared
    inner join trainings
        on trainings.policy = compared.policy
        and trainings.model_sha256 = compared.model_sha256
        and trainings.trained_as_of <= compared.serves_after
        and (
            trainings.role = compared.role
            or (
                trainings.role in ('own', 'challenger')
                and compared.role in ('serving', 'predecessor')
            )
        )
    qualify row_number() over (
        partition by
            compared.policy,
            compared.role,
            compared.model_sha256,
            compared.serves_after
        order by
            trainings.role = 'own' desc,
            trainings.trained_as_of desc,
            trainings.requested_as_of
    ) = 1
),

judged as (
    select promotions.*
    from promotions
    qualify row_number() over (
        partition by promotions.subject, promotions."window", promotions.model_sha256
        order by promotions.recorded_at desc, promotions.decision_id
    ) = 1
)

select
    compared.policy,
    compared."window", -- First day of the window, the policy's newest.
    compared.role,
    compared.role = 'stand_in' as is_stand_in, -- Whether it only stands in for a challenger: it
    -- learned from less, by the same recipe.
    compared.model_sha256,
    judged.model_version, -- Count of the model among the policy's, from 1; null if never judged.
    judged.decision, -- Newest decision about the model in this window; null if never judged.
    coalesce(judged.is_champion, false) as is_champion, -- Whether that decision made it champion.
    compared.serves_after,
    compared.first_session, -- First session that counts; null where none does.
    compared.last_session, -- Last session that counts; null where none does.
    compared.sessions, -- Sessions that the figures are of.
    compared.sessions_left_out, -- Sessions of this version that do not count, since the portfolio
    -- was served by no decision of this window yet.
    compared.sharpe, -- Annualised Sharpe ratio after costs of this version; null where returns do
    -- not vary.
    compared.serving_sharpe, -- The same of the portfolio as it was served, same sessions.
    compared.sharpe - compared.serving_sharpe as sharpe_over_serving, -- Difference of the two.
    compared.total_return, -- Compounded return after costs of this version, fraction.
    compared.serving_total_return, -- The same of the portfolio as it was served, same sessions.
    compared.total_return - compared.serving_total_return
        as total_return_over_serving, -- Difference of the two.
    trained.trained_as_of, -- Last session that the model had seen; null where its training is not
    -- known.
    trained.requested_as_of, -- Last session stored when it was asked for, which a challenger and
    -- its stand-in share; null for a window's own model.
    trained.validation_sharpe, -- Annualised, after costs, of its validation; null where unknown.
    trained.mlflow_run_id -- MLflow run of its training; null where unknown.
from compared
left join trained
    on trained.policy = compared.policy
    and trained.role = compared.role
    and trained.model_sha256 = compared.model_sha256
    and trained.serves_after = compared.serves_after
left join judged
    on judged.subject = compared.policy
    and judged."window" = compared."window"
    and judged.model_sha256 = compared.model_sha256
order by
    compared.policy,
    compared.serves_after,
    compared.role,
    compared.model_sha256
