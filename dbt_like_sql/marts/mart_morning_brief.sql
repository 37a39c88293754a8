-- description: What happened in the night, line by line: how fresh the data is, what was rejected
-- lately, who drifted or decayed, what was retrained and why, who was promoted, what the best policy
-- after costs and the learned one want from the next open on, and what to look at first. Every
-- section has a line, also where nothing happened. Everything is as of `session`, the newest one.
-- grain: line
with quality as (
    select
        quality.subject_kind,
        quality.subject,
        quality.last_date,
        quality.sessions_behind,
        quality.is_absent,
        quality.finding,
        quality.is_simulated
    from marts.mart_data_quality as quality
),

ticker_sessions as (
    select ticker_sessions.date
    from intermediate.int_ticker_sessions as ticker_sessions
),

quarantine as (
    select
        quarantine.ticker,
        quarantine.date,
        quarantine.reason,
        quarantine.is_rejected
    from staging.stg_quarantine as quarantine
),

drift as (
    select
        drift.ticker,
        drift.as_of,
        drift.status,
        drift.is_drifted,
        drift.share_drifted,
        drift.finding
    from marts.mart_drift as drift
    where drift.is_newest_window
),

decay as (
    select
        decay.ticker,
        decay.sessions_behind,
        decay.is_decayed,
        decay.known_60,
        decay.finding
    from marts.mart_forecast_quality as decay
),

policy_decay as (
    select
        decay.policy,
        decay.is_decayed,
        decay.sharpe_60,
        decay.finding
    from marts.mart_policy_quality as decay
),

retrainings as (
    select
        retrainings.event_id,
        retrainings.ticker,
        retrainings.as_of,
        retrainings.cause,
        retrainings."check",
        retrainings.value,
        retrainings.threshold,
        retrainings.state,
        retrainings.outcome,
        retrainings.reason,
        retrainings.is_unsettled
    from marts.mart_retrainings as retrainings
),

promotions as (
    select
        promotions.recorded_at,
        promotions.kind,
        promotions.subject,
        promotions."window",
        promotions.as_of,
        promotions.decision,
        promotions.is_champion,
        promotions.mode,
        promotions.cause,
        promotions.actor,
        promotions.model_version,
        promotions.model_sha256,
        promotions.reason
    from staging.stg_promotions as promotions
),

champions as (
    select
        champions.kind,
        champions.subject,
        champions.is_unproven
    from marts.mart_champions as champions
    where champions.is_current
),

signals as (
    select
        signals.ticker,
        signals.sessions_behind
    from marts.mart_daily_signals as signals
),

portfolios as (
    select
        portfolios.policy,
        portfolios.ticker,
        portfolios.sessions_behind,
        portfolios.decided_on,
        portfolios.target_weight,
        portfolios.held_weight,
        portfolios.order_weight,
        portfolios.is_halted,
        portfolios.rank,
        portfolios.verdict
    from marts.mart_current_portfolio as portfolios
),

sessions as (
    select distinct ticker_sessions.date
    from ticker_sessions
),

recent as (
    select sessions.date
    from sessions
    order by sessions.date desc
    limit 5
),

newest as (
    select
        max(recent.date) as session,
        min(recent.date) as first_recent
    from recent
),

stale as (
    select quality.*
    from quality
    where
        quality.is_absent
        or quality.sessions_behind > 0
),

freshness as (
    select
        0 as place,
        '(all)' as subject,
        case
            when newest.session is null then 'No bar is stored yet.'
            else printf(
                '%d of %d tickers end at the newest session, %s.',
                count(*) filter (where quality.sessions_behind = 0 and not quality.is_absent),
                count(quality.subject),
                newest.session::varchar
            )
        end as text,
        count(*) filter (where quality.sessions_behind > 0 or quality.is_absent)::double as value,
        case
            when newest.session is null then 'problem'
            when bool_or(quality.sessions_behind > 0 or quality.is_absent) then 'warning'
            else 'good'
        end as severity
    from newest
    left join quality
        on quality.subject_kind = 'ticker'
    group by newest.session

    union all

    select
        1 as place,
        stale.subject,
        stale.finding || coalesce('; last value of ' || stale.last_date::varchar, '') as text,
        stale.sessions_behind::double as value,
        'warning' as severity
    from stale
),

rejections as (
    select
        quarantine.ticker,
        quarantine.reason,
        count(*) filter (where quarantine.is_rejected) as rejected_rows,
        count(*) as row_count
    from quarantine
    inner join newest
        on quarantine.date >= newest.first_recent
    group by quarantine.ticker, quarantine.reason
),

quarantined as (
    select
        1 as place,
        rejections.ticker as subject,
        printf(
            'last 5 sessions, rows rejected: %d, values repaired: %d; ',
            sum(rejections.rejected_rows)::bigint,
            sum(rejections.row_count - rejections.rejected_rows)::bigint
        ) || string_agg(
            rejections.reason || ' ' || rejections.row_count,
            ', '
            order by rejections.row_count desc, rejections.reason
        ) || '.' as text,
        sum(rejections.rejected_rows)::double as value,
        case when sum(rejections.rejected_rows) > 0 then 'warning' else 'note' end as severity
    from rejections
    group by rejections.ticker

    union all

    select
        0 as place,
        '(all)' as subject,
        case
            when count(rejections.ticker) = 0
                then 'No row of the last 5 sessions was rejected or repaired.'
            else printf(
                'Last 5 sessions: rows rejected: %d, values repaired: %d.',
                sum(rejections.rejected_rows)::bigint,
                sum(rejections.row_count - rejections.rejected_rows)::bigint
            )
        end as text,
        coalesce(sum(rejections.rejected_rows), 0)::double as value,
        case when count(rejections.ticker) = 0 then 'good' else 'note' end as severity
    from rejections
),

drifted as (
    select
        0 as place,
        '(all)' as subject,
        case
            when count(*) = 0 then 'Drift has not been measured yet.'
            else printf(
                '%d of %d tickers drifted; without a verdict yet: %d.',
                count(*) filter (where drift.is_drifted),
                count(*),
                count(*) filter (where drift.status <> 'measured')
            )
        end as text,
        count(*) filter (where drift.is_drifted)::double as value,
        case
            when count(*) = 0 or bool_or(drift.is_drifted) then 'note'
            else 'good'
        end as severity
    from drift

    union all

    select
        1 as place,
        drift.ticker as subject,
        drift.finding || '.' as text,
        drift.share_drifted as value,
        'warning' as severity
    from drift
    where drift.is_drifted
),

watched as (
    select
        'forecaster' as kind,
        decay.is_decayed
    from decay

    union all

    select
        'policy' as kind,
        policy_decay.is_decayed
    from policy_decay
),

decay_counts as (
    select
        count(*) as watched,
        count(*) filter (where watched.is_decayed) as decayed,
        count(*) filter (where watched.kind = 'forecaster') as tickers,
        count(*) filter (where watched.kind = 'forecaster' and watched.is_decayed)
            as decayed_tickers,
        count(*) filter (where watched.kind = 'policy') as policies,
        count(*) filter (where watched.kind = 'policy' and watched.is_decayed) as decayed_policies
    from watched
),

decayed as (
    select
        0 as place,
        '(all)' as subject,
        case
            when decay_counts.tickers = 0 then 'Forecasts have not been watched yet.'
            else printf(
                '%d of %d tickers are forecast worse than validation promised.',
                decay_counts.decayed_tickers,
                decay_counts.tickers
            )
        end || case
            when decay_counts.policies = 0 then ''
            else printf(
                ' %d of %d learned policies do worse than chance explains.',
                decay_counts.decayed_policies,
                decay_counts.policies
            )
        end as text,
        decay_counts.decayed::double as value,
        case when decay_counts.watched = 0 or decay_counts.decayed > 0 then 'note' else 'good' end
            as severity
    from decay_counts

    union all

    select
        1 as place,
        policy_decay.policy as subject,
        policy_decay.finding || '.' as text,
        policy_decay.sharpe_60 as value,
        'warning' as severity
    from policy_decay
    where policy_decay.is_decayed

    union all

    select
        1 as place,
        decay.ticker as subject,
        decay.finding || '.' as text,
        decay.known_60::double as value,
        'warning' as severity
    from decay
    where decay.is_decayed
),

recent_retrainings as (
    select retrainings.*
    from retrainings
    cross join newest
    where
        retrainings.as_of >= newest.session
        or retrainings.is_unsettled
),

retrained as (
    select
        0 as place,
        '(all)' as subject,
        case
            when count(*) = 0 then 'Nothing asked for a retraining.'
            else printf(
                'Reasons to retrain: %d; settled %d, put off %d, failed %d, under way %d.',
                count(*),
                count(*) filter (where retrainings.state = 'finished')
                - count(*) filter (where retrainings.outcome = 'failed'),
                count(*) filter (where retrainings.state = 'suppressed'),
                count(*) filter (where retrainings.outcome = 'failed'),
                count(*) filter (where retrainings.is_unsettled)
            )
        end as text,
        count(*)::double as value,
        case when count(*) = 0 then 'good' else 'note' end as severity
    from recent_retrainings as retrainings

    union all

    select
        1 as place,
        retrainings.ticker as subject,
        replace(retrainings.cause, '_', ' ')
        || coalesce(
            ': "' || replace(split_part(retrainings."check", '.', -1), '_', ' ') || '"',
            ''
        )
        || coalesce(printf(' found %.4g', retrainings.value), '')
        || coalesce(printf(', threshold %.4g', retrainings.threshold), '')
        || '; '
        || coalesce(replace(retrainings.outcome, '_', ' '), retrainings.state)
        || coalesce(': ' || retrainings.reason, '') as text,
        retrainings.value,
        case when retrainings.outcome = 'failed' then 'problem' else 'note' end as severity
    from recent_retrainings as retrainings
),

decisions as (
    select promotions.*
    from promotions
    inner join newest
        on promotions.as_of >= newest.session
    qualify row_number() over (
        partition by promotions.kind, promotions.subject, promotions.model_sha256
        order by promotions.recorded_at desc, promotions.decision
    ) = 1
),

waiting as (
    select
        promotions.subject,
        promotions."window",
        promotions.decision,
        promotions.mode
    from promotions
    qualify row_number() over (
        partition by promotions.kind, promotions.subject, promotions.model_sha256
        order by promotions.recorded_at desc, promotions.decision
    ) = 1
),

decision_counts as (
    select
        decisions.decision,
        count(*) as decision_count
    from decisions
    group by decisions.decision
),

promoted as (
    select
        0 as place,
        '(all)' as subject,
        coalesce(
            string_agg(
                decision_counts.decision_count || ' '
                || replace(decision_counts.decision, '_', ' '),
                ', '
                order by decision_counts.decision
            ) || '.',
            'No decision about who serves.'
        ) as text,
        coalesce(sum(decision_counts.decision_count), 0)::double as value,
        'note' as severity
    from decision_counts

    union all

    select
        1 as place,
        decisions.subject,
        printf(
            'version %d %s%s (%s, by %s): ',
            decisions.model_version,
            replace(decisions.decision, '_', ' '),
            case
                when decisions.decision = 'promoted' and not decisions.is_champion
                    then ' without having beaten its yardstick'
                else ''
            end,
            replace(decisions.cause, '_', ' '),
            decisions.actor
        ) || decisions.reason as text,
        decisions.model_version::double as value,
        case
            when decisions.decision in ('rolled_back', 'unproven') then 'warning'
            when decisions.decision in ('promoted', 'succeeded') and decisions.is_champion
                then 'good'
            else 'note'
        end as severity
    from decisions
),

shown_policies as (
    select
        portfolios.policy,
        min(portfolios.rank) as rank,
        max(portfolios.verdict) as verdict,
        max(portfolios.decided_on) as decided_on,
        max(portfolios.sessions_behind) as sessions_behind,
        sum(portfolios.target_weight) filter (where portfolios.ticker <> '(cash)') as invested
    from portfolios
    group by portfolios.policy
    having
        min(portfolios.rank) = 1
        or portfolios.policy = 'ppo'
),

wanted as (
    select
        coalesce(shown_policies.rank, 1000) * 1000 as place,
        shown_policies.policy as subject,
        null::varchar as ticker,
        printf(
            'Wants %.1f %% invested, decided at the close of %s. ',
            100 * shown_policies.invested,
            coalesce(shown_policies.decided_on::varchar, 'no session')
        ) || coalesce(
            printf('Rank %d after costs. ', shown_policies.rank) || shown_policies.verdict,
            'It has no return in common with the others yet.'
        ) as text,
        shown_policies.invested as value,
        case when shown_policies.sessions_behind > 0 then 'warning' else 'note' end as severity
    from shown_policies

    union all

    select
        coalesce(shown_policies.rank, 1000) * 1000
        + row_number() over (
            partition by portfolios.policy
            order by
                portfolios.ticker = '(cash)',
                portfolios.target_weight desc,
                portfolios.ticker
        ) as place,
        portfolios.policy as subject,
        portfolios.ticker,
        printf(
            'target %.1f %%, held %.1f %%',
            100 * portfolios.target_weight,
            100 * portfolios.held_weight
        ) || case
            when portfolios.is_halted then '; no bar: it cannot be traded'
            when portfolios.ticker = '(cash)' or abs(portfolios.order_weight) < 5e-4 then ''
            when portfolios.order_weight > 0
                then printf('; buy %.1f %%', 100 * portfolios.order_weight)
            else printf('; sell %.1f %%', -100 * portfolios.order_weight)
        end as text,
        portfolios.target_weight as value,
        case when portfolios.is_halted then 'warning' else 'note' end as severity
    from portfolios
    inner join shown_policies
        on shown_policies.policy = portfolios.policy
    where
        portfolios.ticker = '(cash)'
        or greatest(portfolios.target_weight, portfolios.held_weight) >= 5e-4

    union all

    select
        0 as place,
        '(all)' as subject,
        null::varchar as ticker,
        'No policy has a portfolio yet.' as text,
        null::double as value,
        'note' as severity
    from newest
    where not exists (select portfolios.policy from portfolios)
),

found_warnings as (
    select
        case champions.kind when 'policy' then 'policies' else 'forecasts' end as subject,
        printf('%d of %d ', count(*) filter (where champions.is_unproven), count(*))
        || case champions.kind
            when 'policy' then 'learned policies decide'
            else 'tickers are forecast'
        end
        || ' by a model that has not beaten its yardstick: '
        || string_agg(champions.subject, ', ' order by champions.subject)
            filter (where champions.is_unproven)
        || '.' as text,
        count(*) filter (where champions.is_unproven)::double as value
    from champions
    group by champions.kind
    having bool_or(champions.is_unproven)

    union all

    select
        'signals' as subject,
        'No forecast of the newest session: '
        || string_agg(signals.ticker, ', ' order by signals.ticker) || '.' as text,
        count(*)::double as value
    from signals
    where signals.sessions_behind > 0
    having count(*) > 0

    union all

    select
        'portfolios' as subject,
        'Portfolios older than the newest session: '
        || string_agg(portfolios.policy, ', ' order by portfolios.policy) || '.' as text,
        count(*)::double as value
    from portfolios
    where
        portfolios.ticker = '(cash)'
        and portfolios.sessions_behind > 0
    having count(*) > 0

    union all

    select
        'monitoring' as subject,
        'Drift was not measured at the newest session: '
        || string_agg(drift.ticker, ', ' order by drift.ticker) || '.' as text,
        count(*)::double as value
    from drift
    inner join newest
        on drift.as_of < newest.session
    having count(*) > 0

    union all

    select
        'decisions' as subject,
        'Challengers that wait for a person to promote them: '
        || string_agg(waiting.subject, ', ' order by waiting.subject) || '.' as text,
        count(*)::double as value
    from waiting
    inner join newest
        on newest.session >= waiting."window"
        and newest.session < waiting."window" + interval 6 months
    where
        waiting.decision = 'pending'
        and waiting.mode = 'manual'
    having count(*) > 0
),

warned as (
    select
        1 as place,
        found_warnings.subject,
        found_warnings.text,
        found_warnings.value,
        'warning' as severity
    from found_warnings

    union all

    select
        0 as place,
        '(all)' as subject,
        case
            when count(found_warnings.subject) = 0 then 'Nothing else to warn of.'
            else printf('More to look at: %d.', count(found_warnings.subject))
        end as text,
        count(found_warnings.subject)::double as value,
        case when count(found_warnings.subject) = 0 then 'good' else 'note' end as severity
    from found_warnings
),

lines as (
    select
        1 as section_number, 'freshness' as section, freshness.place, freshness.subject,
        null::varchar as ticker, freshness.text, freshness.value, freshness.severity
    from freshness

    union all

    select
        2 as section_number, 'quarantine' as section, quarantined.place, quarantined.subject,
        null::varchar as ticker, quarantined.text, quarantined.value, quarantined.severity
    from quarantined

    union all

    select
        3 as section_number, 'drift' as section, drifted.place, drifted.subject,
        null::varchar as ticker, drifted.text, drifted.value, drifted.severity
    from drifted

    union all

    select
        4 as section_number, 'decay' as section, decayed.place, decayed.subject,
        null::varchar as ticker, decayed.text, decayed.value, decayed.severity
    from decayed

    union all

    select
        5 as section_number, 'retraining' as section, retrained.place, retrained.subject,
        null::varchar as ticker, retrained.text, retrained.value, retrained.severity
    from retrained

    union all

    select
        6 as section_number, 'promotion' as section, promoted.place, promoted.subject,
        null::varchar as ticker, promoted.text, promoted.value, promoted.severity
    from promoted

    union all

    select
        7 as section_number, 'portfolio' as section, wanted.place, wanted.subject, wanted.ticker,
        wanted.text, wanted.value, wanted.severity
    from wanted

    union all

    select
        8 as section_number, 'warnings' as section, warned.place, warned.subject,
        null::varchar as ticker, warned.text, warned.value, warned.severity
    from warned
),

origins as (
    select coalesce(bool_or(quality.is_simulated), false) as is_simulated
    from quality
)

select
    row_number() over (
        order by
            lines.section_number,
            lines.place,
            lines.subject,
            lines.ticker nulls first,
            lines.text
    ) as line, -- Number of the line, from 1.
    lines.section, -- freshness, quarantine, drift, decay, retraining, promotion, portfolio, or
    -- warnings.
    lines.subject, -- Ticker, macro series, policy, or '(all)' for what sums a section up.
    lines.ticker, -- What the policy holds, '(cash)' included; null outside portfolios.
    lines.text, -- The line in words.
    lines.value, -- Its key figure; null without one.
    lines.severity, -- good, note, warning or problem.
    newest.session, -- Newest session of any ticker; null before there is one.
    origins.is_simulated -- Whether any of the data is simulated.
from lines
cross join newest
cross join origins
order by line
