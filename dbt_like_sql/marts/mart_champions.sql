-- description: Who served which sessions, as tickers' forecaster (the default model, xgboost) or as
-- learned policy, and whether it had earned its place. For the champion of a day ask
-- `where subject = 'AAPL' and date '2024-10-01' between first_session and last_session`; a model
-- that serves from the next session on has no session yet.
-- grain: kind, subject, window, serves_after
with reigns as (
    select
        reigns.kind,
        reigns.subject,
        reigns."window",
        reigns.serves_after,
        reigns.serves_until,
        reigns.is_own,
        reigns.model_name,
        reigns.model_sha256,
        reigns.decision_id
    from intermediate.int_reigns as reigns
),

promotions as (
    select
        promotions.decision_id,
        promotions.recorded_at,
        promotions.kind,
        promotions.subject,
        promotions."window",
        promotions.as_of,
        promotions.decision,
        promotions.is_champion,
        promotions.cause,
        promotions.actor,
        promotions.model_version,
        promotions.model_sha256,
        promotions.predecessor_sha256,
        promotions.reason
    from staging.stg_promotions as promotions
),

standings as (
    select
        promotions.kind,
        promotions.subject,
        promotions."window",
        promotions.model_sha256,
        promotions.decision_id
    from promotions
    where promotions.decision in ('succeeded', 'unproven')
    qualify row_number() over (
        partition by
            promotions.kind,
            promotions.subject,
            promotions."window",
            promotions.model_sha256
        order by promotions.recorded_at desc, promotions.decision_id
    ) = 1
),

ticker_sessions as (
    select ticker_sessions.date
    from intermediate.int_ticker_sessions as ticker_sessions
),

sessions as (
    select distinct ticker_sessions.date
    from ticker_sessions
),

newest as (
    select max(sessions.date) as date
    from sessions
),

served as (
    select
        reigns.kind,
        reigns.subject,
        reigns."window",
        reigns.serves_after,
        min(sessions.date) as first_session,
        max(sessions.date) as last_session,
        count(sessions.date) as sessions
    from reigns
    left join sessions
        on sessions.date > reigns.serves_after
        and sessions.date <= reigns.serves_until
    group by reigns.kind, reigns.subject, reigns."window", reigns.serves_after
),

decided as (
    select
        reigns.*,
        coalesce(reigns.decision_id, standings.decision_id) as judged_by
    from reigns
    left join standings
        on standings.kind = reigns.kind
        and standings.subject = reigns.subject
        and standings."window" = reigns."window"
        and standings.model_sha256 = reigns.model_sha256
        and reigns.is_own
)

select
    decided.kind,
    decided.subject,
    decided."window",
    served.first_session, -- First session that it served; null before it has served any.
    served.last_session, -- Last session that it served so far; null before any.
    served.sessions, -- Stored sessions that it served.
    decided.serves_after,
    decided.serves_until,
    newest.date >= decided.serves_after and newest.date < decided.serves_until
        as is_current, -- Whether it serves the session after the newest one that is stored.
    decided.model_name,
    decided.model_sha256,
    promotions.model_version, -- Count of the subject's models, from 1; null before it was judged.
    coalesce(promotions.is_champion, false) as is_champion, -- Whether it had earned its place.
    coalesce(not promotions.is_champion, false) as is_unproven, -- Whether it served although it had
    -- not beaten its yardstick; false before it was judged.
    promotions.decision, -- What put it there; null before it was judged.
    promotions.as_of as decided_on, -- Last session known when that was decided.
    promotions.recorded_at as decided_at, -- UTC moment of that entry.
    promotions.cause, -- Why it was looked at.
    promotions.actor, -- Who decided.
    promotions.predecessor_sha256, -- SHA-256 of the model that served before.
    promotions.reason, -- The decision in words.
    promotions.decision_id -- Entry in the ledger of promotions.
from decided
cross join newest
inner join served
    on served.kind = decided.kind
    and served.subject = decided.subject
    and served."window" = decided."window"
    and served.serves_after = decided.serves_after
left join promotions
    on promotions.decision_id = decided.judged_by
order by decided.kind, decided.subject, decided.serves_after
