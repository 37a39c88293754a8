-- description: Every reason to retrain from the finding to what came of it, one row an event: which
-- check found which value above which threshold, when it was asked for, started and finished, and
-- the newest decision about the model that it made, with the figures of both models. Several
-- findings about one ticker or policy that were answered by one retraining share its decision.
-- Of a policy only Sharpe ratios are compared, those of its portfolio.
-- grain: event_id
with events as (
    select
        events.event_id,
        events.state,
        events.recorded_at,
        events.ticker,
        events."window",
        events.as_of,
        events.cause,
        events."check",
        events.value,
        events.threshold,
        events.batch,
        events.run_id,
        events.outcome,
        events.reason
    from staging.stg_retraining_events as events
),

promotions as (
    select
        promotions.decision_id,
        promotions.recorded_at,
        promotions.subject,
        promotions.as_of,
        promotions.decision,
        promotions.serves_after,
        promotions.mode,
        promotions.actor,
        promotions.event_id,
        promotions.model_name,
        promotions.model_version,
        promotions.model_sha256,
        promotions.predecessor_name,
        promotions.predecessor_sha256,
        promotions.data_sha256,
        promotions.held_against,
        promotions.unseen_sessions,
        promotions.first_unseen,
        promotions.last_unseen,
        promotions.challenger_sharpe,
        promotions.incumbent_sharpe,
        promotions.challenger_information_coefficient,
        promotions.incumbent_information_coefficient,
        promotions.challenger_rmse,
        promotions.incumbent_rmse,
        promotions.p_value_worse,
        promotions.reason
    from staging.stg_promotions as promotions
    where promotions.event_id is not null
),

progress as (
    select
        events.event_id,
        min(events.recorded_at) as found_at,
        min(events.recorded_at) filter (where events.state = 'reingesting') as reingesting_at,
        min(events.recorded_at) filter (where events.state = 'requested') as requested_at,
        min(events.recorded_at) filter (where events.state = 'started') as started_at,
        min(events.recorded_at) filter (where events.state = 'suppressed') as suppressed_at,
        min(events.recorded_at) filter (where events.state = 'finished') as finished_at,
        max(events.batch) as batch,
        max(events.run_id) as run_id
    from events
    group by events.event_id
),

furthest as (
    select events.*
    from events
    qualify row_number() over (
        partition by events.event_id
        order by
            case events.state
                when 'finished' then 4
                when 'suppressed' then 3
                when 'started' then 2
                when 'requested' then 1
                else 0
            end desc
    ) = 1
),

retrainings as (
    select
        furthest.*,
        progress.found_at,
        progress.reingesting_at,
        progress.requested_at,
        progress.started_at,
        progress.suppressed_at,
        progress.finished_at,
        progress.batch as newest_batch,
        progress.run_id as newest_run,
        coalesce(progress.batch, furthest.event_id) as request
    from furthest
    inner join progress
        on progress.event_id = furthest.event_id
),

decisions as (
    select
        promotions.*,
        retrainings.request,
        retrainings.ticker
    from promotions
    inner join retrainings
        on retrainings.event_id = promotions.event_id
    qualify row_number() over (
        partition by retrainings.request, retrainings.ticker
        order by promotions.recorded_at desc, promotions.decision_id
    ) = 1
)

select
    retrainings.event_id,
    retrainings.ticker,
    retrainings."window",
    retrainings.as_of,
    retrainings.cause,
    retrainings."check",
    retrainings.value,
    retrainings.threshold,
    retrainings.state, -- The furthest state it reached.
    retrainings.outcome,
    retrainings.reason, -- The outcome in words; null until then.
    retrainings.found_at, -- UTC moment of its first entry.
    retrainings.reingesting_at, -- UTC moment at which its data was fetched again; null if never.
    retrainings.requested_at, -- UTC moment at which a retraining was asked for; null if never.
    retrainings.started_at, -- UTC moment at which it started; null if never.
    retrainings.suppressed_at, -- UTC moment at which it was put off; null if never.
    retrainings.finished_at, -- UTC moment at which it was settled; null until then.
    retrainings.state in ('reingesting', 'requested', 'started') as is_unsettled, -- Whether
    -- something is still to come.
    retrainings.newest_batch as batch, -- Run key of the request that it is part of; null without.
    retrainings.newest_run as run_id, -- Dagster run; null without.
    decisions.decision, -- Newest decision about the model that was made; null before there is one.
    decisions.recorded_at as decided_at, -- UTC moment of that decision.
    decisions.as_of as decided_on, -- Last session known when it was decided.
    decisions.serves_after, -- The new model serves sessions after this one; null: it does not.
    decisions.mode, -- How promotions are decided.
    decisions.actor, -- Who decided.
    decisions.model_name, -- New model, name in the store of signed models.
    decisions.model_version, -- Its count among the models of the ticker or policy.
    decisions.model_sha256, -- SHA-256 of the new model.
    decisions.predecessor_name, -- Model that served before.
    decisions.predecessor_sha256, -- SHA-256 of the model that served before.
    decisions.data_sha256, -- SHA-256 of what the new model learned from.
    decisions.held_against, -- What the new model was compared with.
    decisions.unseen_sessions, -- Sessions compared, which neither had seen.
    decisions.first_unseen, -- First of them.
    decisions.last_unseen, -- Last of them.
    decisions.incumbent_sharpe as sharpe_before, -- Annualised Sharpe ratio after costs, old model.
    decisions.challenger_sharpe as sharpe_after, -- The same of the new model.
    decisions.incumbent_information_coefficient as information_coefficient_before, -- Rank
    -- correlation with the outcome, old model.
    decisions.challenger_information_coefficient as information_coefficient_after, -- The same of
    -- the new model.
    decisions.incumbent_rmse as rmse_before, -- Root mean squared error, old model.
    decisions.challenger_rmse as rmse_after, -- The same of the new model.
    decisions.p_value_worse, -- Of the test that the new model is worse: small if it is.
    decisions.reason as decision_reason, -- The decision in words.
    decisions.decision_id -- Entry in the ledger of promotions.
from retrainings
left join decisions
    on decisions.request = retrainings.request
    and decisions.ticker = retrainings.ticker
order by retrainings.found_at, retrainings.event_id
