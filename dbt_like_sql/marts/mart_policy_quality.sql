-- description: How good the portfolio of each learned policy has been lately, after costs, from
-- returns known at the newest close only, beside equal weight and what the validation of its model
-- promised, and whether it has decayed. The whole history is in `monitoring.policy_quality`.
-- grain: policy
with quality as (
    select
        quality.policy,
        quality.date,
        quality."window",
        quality.sharpe_20,
        quality.sharpe_60,
        quality.equal_weight_sharpe_60,
        quality.expected_sharpe,
        quality.sharpe_floor,
        quality.is_sharpe_decayed,
        quality.model_sha256
    from staging.stg_policy_quality as quality
),

standings as (
    select
        standings.subject,
        standings."window",
        standings.model_sha256,
        standings.model_version,
        standings.is_champion,
        standings.is_unproven
    from intermediate.int_model_standings as standings
    where standings.kind = 'policy'
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
    select quality.*
    from quality
    qualify row_number() over (
        partition by quality.policy
        order by quality.date desc
    ) = 1
),

ages as (
    select
        newest.policy,
        count(sessions.date) as sessions_behind
    from newest
    left join sessions
        on sessions.date > newest.date
    group by newest.policy
),

-- A window that nothing was trained for is left to the model before, judged in its own window.
deciders as (
    select
        newest.policy,
        standings.model_version,
        standings.is_champion,
        standings.is_unproven
    from newest
    inner join standings
        on standings.subject = newest.policy
        and standings.model_sha256 = newest.model_sha256
        and standings."window" <= newest."window"
    qualify row_number() over (
        partition by newest.policy
        order by standings."window" desc
    ) = 1
)

select
    newest.policy,
    newest.date,
    ages.sessions_behind, -- Sessions since then; 0 is a figure of the newest session.
    newest."window",
    newest.is_sharpe_decayed as is_decayed, -- Whether it decayed over 60 sessions, beyond chance.
    newest.sharpe_20,
    newest.sharpe_60,
    newest.equal_weight_sharpe_60,
    newest.sharpe_60 - newest.equal_weight_sharpe_60 as sharpe_over_equal_weight_60, -- Difference
    -- of the two; null where one is unknown.
    newest.expected_sharpe,
    newest.sharpe_floor,
    newest.model_sha256, -- SHA-256 of the model that decided at that close.
    deciders.model_version, -- Count of that model among the policy's; null before it was judged.
    coalesce(deciders.is_champion, false) as is_champion, -- Whether that model had earned its
    -- place.
    coalesce(deciders.is_unproven, false) as is_unproven, -- Whether it decides although it has not
    -- beaten its yardstick.
    case
        when newest.is_sharpe_decayed
            then printf(
                'Sharpe ratio %.2f, floor %.2f',
                newest.sharpe_60,
                newest.sharpe_floor
            )
            || coalesce(printf(', equal weight %.2f', newest.equal_weight_sharpe_60), '')
            || coalesce(printf(', its validation promised %.2f', newest.expected_sharpe), '')
        when newest.sharpe_60 is null then 'no Sharpe ratio of 60 sessions yet'
        else 'no worse than chance explains'
    end as finding -- How it did over 60 sessions, in words.
from newest
inner join ages
    on ages.policy = newest.policy
left join deciders
    on deciders.policy = newest.policy
order by newest.policy
